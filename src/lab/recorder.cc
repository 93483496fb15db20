// SPDX-License-Identifier: Apache-2.0
// Capture points to files. What a guest's own tcpdump sees has directions; what is seen on the
// cable beside it has none, as from a mirror port.
#include "lab/recorder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "capture/pcapng_writer.h"
#include "lab/capture_points.h"
#include "lab/port_filter.h"

namespace slowpath::lab {
namespace {

constexpr std::size_t kViewpoints = 4;

/// Where frames of a direction at a viewpoint go.
struct Slot {
  capture::PcapngWriter* writer = nullptr;  // null: nobody asked
  wire::FrameDirection direction = wire::FrameDirection::unknown;
};

std::size_t slot_of(std::uint32_t direction, Viewpoint viewpoint) {
  return direction * kViewpoints + static_cast<std::size_t>(viewpoint);
}

struct RecordFile {
  CapturePoint point;
  std::string file;
  std::unique_ptr<capture::PcapngWriter> writer;
};

}  // namespace

struct Recorder::State {
  explicit State(const World& world) : filter(world.capture.ports) {
    slots.resize(2 * world.links.size() * kViewpoints);
  }
  void add(const CapturePoint& point, std::string file,
           std::unique_ptr<capture::PcapngWriter> writer) {
    using enum wire::FrameDirection;
    slots[slot_of(point.out.direction, point.out.viewpoint)] = {
        .writer = writer.get(), .direction = point.is_wire ? unknown : outbound};
    slots[slot_of(point.in.direction, point.in.viewpoint)] = {
        .writer = writer.get(), .direction = point.is_wire ? unknown : inbound};
    files.push_back({point, std::move(file), std::move(writer)});
  }

  PortFilter filter;
  std::vector<Slot> slots;  // by slot_of()
  std::vector<RecordFile> files;
};

Recorder::Recorder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recorder::~Recorder() = default;

Result<std::unique_ptr<Recorder>> Recorder::open(const World& world, const std::string& directory) {
  auto state = std::make_unique<State>(world);
  const auto points = capture_points(world);
  for (const auto& name : world.capture.points) {
    const auto point = std::ranges::find(points, name, &CapturePoint::name);
    if (point == points.end()) {
      std::vector<std::string_view> names;
      for (const auto& each : points) names.push_back(each.name);
      return fail(ErrorKind::usage, fmt::format("cannot capture at {}", name),
                  "there is no such point", fmt::format("there are {}", fmt::join(names, ", ")));
    }
    auto file = fmt::format("{}/{}.pcapng", directory, name);
    auto writer = capture::PcapngWriter::create(file, "slowpath");
    if (!writer) return std::unexpected(writer.error());
    (*writer)->add_interface(point->interface, wire::LinkType::ethernet, world.capture.snap_len);
    state->add(*point, std::move(file), std::move(*writer));
  }
  return std::unique_ptr<Recorder>(new Recorder(std::move(state)));
}

bool Recorder::wants(std::uint32_t direction, Viewpoint viewpoint) const {
  const auto slot = slot_of(direction, viewpoint);
  return slot < state_->slots.size() && state_->slots[slot].writer != nullptr;
}

bool Recorder::wants_wire(std::uint32_t link) const {
  return std::ranges::any_of(state_->files, [&](const RecordFile& file) {
    return file.point.is_wire && file.point.link == link;
  });
}

void Recorder::saw(std::uint32_t direction, Viewpoint viewpoint, const Frame& frame, Time when) {
  if (!wants(direction, viewpoint) || !state_->filter.takes(frame)) return;
  const auto& slot = state_->slots[slot_of(direction, viewpoint)];
  slot.writer->packet(0, when, frame.bytes(), frame.len, slot.direction);
}

Result<std::vector<CaptureFile>> Recorder::close() {
  std::vector<CaptureFile> captures;
  std::optional<Error> error;
  for (const auto& file : state_->files) {
    const auto closed = file.writer->close();
    if (!closed && !error) error = closed.error();
    captures.push_back(
        {.point = file.point.name, .file = file.file, .frames = file.writer->packets()});
  }
  if (error) return std::unexpected(*error);
  return captures;
}

}  // namespace slowpath::lab
