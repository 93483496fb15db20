// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline.h"

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "capture/source.h"
#include "cli/capture_facts.h"
#include "cli/compared_places.h"
#include "cli/inputs.h"
#include "cli/place.h"
#include "cli/reader.h"
#include "cli/screening.h"
#include "cli/signals.h"
#include "flow/engine.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {
namespace {

using capture::Source;

/// What is left of an input once it has been read.
struct ReadInput {
  InputName name;
  capture::SourceInfo info;
  std::uint64_t left_out = 0;
  std::vector<std::string> settings_changes;
};

ReadInput read_input(Input& input, std::uint16_t number, Reader& reader, Places& places,
                     ComparedPlaces* compared, Looked& looked) {
  const capture::FilteredSource* const filtered = input.filtered;
  const bool to_the_end = is_at_hand(input);
  Place& place = places.place_of(input.name.place, input.first.time);
  Source& source = place.add(number, std::move(input.source));
  const std::span first(&input.first, input.has_frames ? 1 : 0);
  if (compared != nullptr) compared->begin_input(number);
  const auto take = [&](std::span<wire::Frame> frames) {
    place.engine().add(frames);
    for (const wire::Frame& frame : frames) {
      if (compared != nullptr) compared->add(frame);
      if (frame.has_time) place.reached(frame.time);
    }
  };
  const std::uint64_t left_out = reader.read(source, first, number, take, to_the_end);
  ReadInput done{input.name, {}, left_out, {}};
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
    done.push_back(read_input(input, number, reader, places, compared, looked));
  }
  return done;
}

}  // namespace

Result<Looked> look(const PipelineOptions& options) {
  Result<OpenedInputs> opened = open_inputs(options);
  if (!opened) return std::unexpected(opened.error());
  std::vector<Input>& inputs = opened->inputs;
  if (is_worth_screening(options, inputs)) {
    if (std::optional<Looked> looked = look_twice(options, inputs)) {
      looked->unreadable = std::move(opened->unreadable);
      return std::move(*looked);
    }
    for (Input& input : inputs) read_once(input);  // Whatever was read of it: from the start.
  }
  Looked looked;
  looked.unreadable = std::move(opened->unreadable);
  flow::FrameObserver on_frame;
  if (options.frames != nullptr) {
    on_frame = [frames = options.frames](const flow::FrameLabel& label) { frames->write(label); };
  }
  Places places(inputs.size(), options.verify_checksums, memory_beside_spools(options, inputs),
                std::move(on_frame));
  std::unique_ptr<ComparedPlaces> compared;
  if (options.compare) compared = std::make_unique<ComparedPlaces>(options, inputs);
  Reader reader(options, inputs);
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
