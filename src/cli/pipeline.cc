// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "capture/source.h"
#include "cli/capture_facts.h"
#include "cli/compared_places.h"
#include "cli/inputs.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "flow/engine.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {
namespace {

using capture::Source;

/// The loop over packets: everything that it needs, and nothing else.
class Reader {
 public:
  Reader(const PipelineOptions& options, std::span<const Input> inputs, ComparedPlaces* compared)
      : compared_(compared),
        window_(resolve(options.window, inputs.empty() ? Time{} : inputs.front().first.time)),
        checks_window_(!window_.is_everything()),
        progress_(options.show_progress) {
    for (const Input& input : inputs) total_bytes_ += input.file_bytes;
  }

  /// Reads `source` to its end, or until a signal comes. `first` was read before. Returns how many
  /// packets the window left out.
  std::uint64_t read(Source& source, std::span<wire::Frame> first, std::uint16_t input,
                     Place& place) {
    constexpr std::size_t kBatch = 256;
    std::array<wire::Frame, kBatch> frames;
    if (compared_ != nullptr) compared_->begin_input(input);
    std::uint64_t left_out = take(first, input, place);
    while (!stop_requested().load(std::memory_order_relaxed)) {
      const std::size_t count = source.next_batch(frames);
      if (count == 0) break;
      left_out += take(std::span(frames).first(count), input, place);
      progress_.update(done_bytes_ + source.position(), total_bytes_, packets_);
    }
    done_bytes_ += source.info().file_bytes;
    return left_out;
  }

 private:
  std::uint64_t take(std::span<wire::Frame> frames, std::uint16_t input, Place& place) {
    packets_ += frames.size();
    for (wire::Frame& frame : frames) frame.input = input;
    std::span<wire::Frame> wanted = frames;
    if (checks_window_) {
      const auto unwanted = std::ranges::remove_if(frames, [this](const wire::Frame& frame) {
        return frame.has_time && !window_.contains(frame.time);
      });
      wanted = frames.first(frames.size() - unwanted.size());
    }
    place.engine().add(wanted);
    for (const wire::Frame& frame : wanted) {
      if (compared_ != nullptr) compared_->add(frame);
      if (frame.has_time) place.reached(frame.time);
    }
    return frames.size() - wanted.size();
  }

  ComparedPlaces* compared_;
  AbsoluteWindow window_;
  bool checks_window_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t packets_ = 0;
  Progress progress_;
};

/// What is left of an input once it has been read.
struct ReadInput {
  InputName name;
  capture::SourceInfo info;
  std::uint64_t left_out = 0;
  std::vector<std::string> settings_changes;
};

ReadInput read_input(Input& input, std::uint16_t number, Reader& reader, Places& places,
                     Looked& looked) {
  const capture::FilteredSource* const filtered = input.filtered;
  Place& place = places.place_of(input.name.place, input.first.time);
  Source& source = place.add(number, std::move(input.source));
  const std::span first(&input.first, input.has_frames ? 1 : 0);
  ReadInput done{input.name, {}, reader.read(source, first, number, place), {}};
  done.info = source.info();
  done.settings_changes = std::move(input.settings_changes);
  if (filtered != nullptr) {
    done.left_out += filtered->left_out();
    if (!filtered->problem().empty()) {
      looked.remarks.push_back(input.name.file + ": " + filtered->problem());
    }
  }
  return done;
}

/// Reads the inputs one after the other.
std::vector<ReadInput> read_inputs(std::vector<Input>& inputs, const PipelineOptions& options,
                                   Reader& reader, Places& places, ComparedPlaces* compared,
                                   Looked& looked) {
  std::vector<ReadInput> done;
  for (Input& input : inputs) {
    // With the first input there is an answer, however short; the rest can wait for another time.
    if (!done.empty() && stop_requested()) break;
    if (const Result<void> opened = reopen(input, options.filter); !opened) {
      looked.unreadable.push_back({input.name.file, opened.error().message()});
      continue;
    }
    const auto number = static_cast<std::uint16_t>(done.size());
    if (compared != nullptr) compared->name_input(number, input.name);
    if (options.frames != nullptr) options.frames->name_input(number, input.name.file);
    done.push_back(read_input(input, number, reader, places, looked));
  }
  return done;
}

}  // namespace

Result<Looked> look(const PipelineOptions& options) {
  Result<OpenedInputs> opened = open_inputs(options);
  if (!opened) return std::unexpected(opened.error());
  std::vector<Input>& inputs = opened->inputs;
  Looked looked;
  looked.unreadable = std::move(opened->unreadable);
  flow::FrameObserver on_frame;
  if (options.frames != nullptr) {
    on_frame = [frames = options.frames](const flow::FrameLabel& label) { frames->write(label); };
  }
  Places places(inputs.size(), options.verify_checksums, options.memory_bytes, std::move(on_frame));
  std::unique_ptr<ComparedPlaces> compared;
  if (options.compare) compared = std::make_unique<ComparedPlaces>(options, inputs);
  Reader reader(options, inputs, compared.get());
  std::vector<ReadInput> done =
      read_inputs(inputs, options, reader, places, compared.get(), looked);
  looked.facts = places.finish(done.size());
  if (compared) compared->finish(looked.facts);
  for (std::size_t i = 0; i < done.size(); ++i) {
    CaptureFacts& capture = looked.facts.captures[i];
    fill_from_source(capture, done[i].name, done[i].info);
    capture.filtered_packets += done[i].left_out;
    capture.settings_changes = std::move(done[i].settings_changes);
  }
  return looked;
}

}  // namespace slowpath::cli
