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
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "flow/engine.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {
namespace {

using capture::Source;

/// One input between its first look and its reading.
struct Input {
  InputName name;
  std::unique_ptr<Source> source;  // null while closed; a pipe is never closed
  bool has_frames = false;
  wire::Frame first;  // valid until the source's next read
  std::uint64_t file_bytes = 0;
};

/// Opens an input and reads its first frame, so that inputs can be put in order.
Result<Input> open_input(const InputName& name) {
  Result<std::unique_ptr<Source>> source = capture::open_capture(name.file, 0, &stop_requested());
  if (!source) return std::unexpected(source.error());
  Input input;
  input.name = name;
  input.source = std::move(*source);
  input.has_frames = input.source->next(input.first);
  input.file_bytes = input.source->info().file_bytes;
  return input;
}

/// The same once more, after it had been closed to save memory and descriptors.
Result<void> reopen(Input& input) {
  if (input.source) return {};
  Result<Input> again = open_input(input.name);
  if (!again) return std::unexpected(again.error());
  input = std::move(*again);
  return {};
}

/// Those that can be read, oldest first; the others are named in `looked`.
std::vector<Input> open_inputs(const std::vector<InputName>& names, Looked& looked,
                               std::optional<Error>& first_error) {
  std::vector<Input> inputs;
  for (const InputName& name : names) {
    Result<Input> input = open_input(name);
    if (!input) {
      if (!first_error) first_error = input.error();
      looked.unreadable.push_back({name.file, input.error().message()});
      continue;
    }
    if (names.size() > 1 && name.file != "-") input->source.reset();
    inputs.push_back(std::move(*input));
  }
  std::ranges::stable_sort(inputs, {}, [](const Input& input) { return input.first.time; });
  return inputs;
}

/// The loop over packets: everything that it needs, and nothing else.
class Reader {
 public:
  Reader(const PipelineOptions& options, std::span<const Input> inputs)
      : window_(resolve(options.window, inputs.empty() ? Time{} : inputs.front().first.time)),
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
    std::uint64_t left_out = 0;
    for (wire::Frame& frame : frames) {
      frame.input = input;
      if (checks_window_ && frame.has_time && !window_.contains(frame.time)) {
        ++left_out;
        continue;
      }
      wire::decode(frame, packet_);
      place.engine().add(frame, packet_);
      if (frame.has_time) place.reached(frame.time);
    }
    packets_ += frames.size();
    return left_out;
  }

  AbsoluteWindow window_;
  bool checks_window_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t packets_ = 0;
  Progress progress_;
  wire::Packet packet_;
};

/// What is left of an input once it has been read.
struct ReadInput {
  InputName name;
  capture::SourceInfo info;
  std::uint64_t left_out = 0;
};

/// Reads the inputs one after the other.
std::vector<ReadInput> read_inputs(std::vector<Input>& inputs, Reader& reader, Places& places,
                                   Looked& looked) {
  std::vector<ReadInput> done;
  for (Input& input : inputs) {
    if (stop_requested()) break;
    if (const Result<void> opened = reopen(input); !opened) {
      looked.unreadable.push_back({input.name.file, opened.error().message()});
      continue;
    }
    const auto number = static_cast<std::uint16_t>(done.size());
    Place& place = places.place_of(input.name.place, input.first.time);
    Source& source = place.add(number, std::move(input.source));
    const std::span first(&input.first, input.has_frames ? 1 : 0);
    const std::uint64_t left_out = reader.read(source, first, number, place);
    done.push_back({input.name, source.info(), left_out});
  }
  return done;
}

}  // namespace

Result<Looked> look(const PipelineOptions& options) {
  Looked looked;
  std::optional<Error> first_error;
  std::vector<Input> inputs = open_inputs(options.inputs, looked, first_error);
  if (inputs.empty() && first_error) return std::unexpected(*first_error);
  Places places(inputs.size(), options.verify_checksums, options.memory_bytes);
  Reader reader(options, inputs);
  const std::vector<ReadInput> done = read_inputs(inputs, reader, places, looked);
  looked.facts = places.finish(done.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    fill_from_source(looked.facts.captures[i], done[i].name, done[i].info);
    looked.facts.captures[i].filtered_packets += done[i].left_out;
  }
  return looked;
}

}  // namespace slowpath::cli
