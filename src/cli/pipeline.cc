// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline.h"

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
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

/// All inputs, one after the other, analysed while they are read.
class OnePass {
 public:
  OnePass(const PipelineOptions& options, std::vector<Input>& inputs)
      : options_(options),
        inputs_(inputs),
        places_(inputs.size(), options.verify_checksums, memory_beside_spools(options, inputs),
                observer_of(options.frames)),
        reader_(options, inputs) {
    if (options.compare) compared_ = std::make_unique<ComparedPlaces>(options, inputs);
  }

  /// Nothing where there turned out to be so many connections that they are to be screened: then
  /// all inputs can be read from the start.
  std::optional<Looked> run() {
    if (!read_inputs()) return std::nullopt;
    finish();
    return std::move(looked_);
  }

 private:
  static flow::FrameObserver observer_of(FramesOutput* frames) {
    if (frames == nullptr) return {};
    return [frames](const flow::FrameLabel& label) { frames->write(label); };
  }
  bool read_inputs();
  bool read_input(Input& input, std::uint16_t number);
  bool is_crowded(Place& place);
  void finish();

  const PipelineOptions& options_;
  std::vector<Input>& inputs_;
  Places places_;
  Reader reader_;
  std::unique_ptr<ComparedPlaces> compared_;
  std::vector<ReadInput> done_;
  bool stays_ = false;  // whatever number of connections comes
  Looked looked_;
};

bool OnePass::read_inputs() {
  for (Input& input : inputs_) {
    // With the first input there is an answer, however short; the rest can wait for another time.
    if (!done_.empty() && stop_requested()) break;
    if (const Result<void> opened = reopen(input, options_.filter); !opened) {
      looked_.unreadable.push_back({input.name.file, opened.error().message()});
      continue;
    }
    const auto number = static_cast<std::uint16_t>(done_.size());
    if (compared_ != nullptr) compared_->name_input(number, input.name);
    if (options_.frames != nullptr) options_.frames->name_input(number, input.name.file);
    if (!read_input(input, number)) return false;
  }
  return true;
}

/// False: is_crowded().
bool OnePass::read_input(Input& input, std::uint16_t number) {
  const capture::FilteredSource* const filtered = input.filtered;
  const bool to_the_end = is_at_hand(input);
  Place& place = places_.place_of(input.name.place, input.first.time);
  Source& source = place.add(number, std::move(input.source));
  const std::span first(&input.first, input.has_frames ? 1 : 0);
  if (compared_ != nullptr) compared_->begin_input(number);
  bool crowded = false;
  const auto goes_on = [&](bool is_to_end) {
    crowded = is_crowded(place);
    return !crowded && (to_the_end || !is_to_end);
  };
  const auto take = [&](std::span<wire::Frame> frames) {
    place.engine().add(frames);
    for (const wire::Frame& frame : frames) {
      if (compared_ != nullptr) compared_->add(frame);
      if (frame.has_time) place.reached(frame.time);
    }
  };
  const std::uint64_t left_out = reader_.read_while(goes_on, source, first, number, take);
  if (crowded) return false;
  ReadInput done{input.name, {}, left_out, {}};
  done.info = source.info();
  done.settings_changes = std::move(input.settings_changes);
  if (filtered != nullptr) {
    done.left_out += filtered->left_out();
    if (!filtered->problem().empty()) {
      looked_.remarks.push_back(input.name.file + ": " + filtered->problem());
    }
  }
  done_.push_back(std::move(done));
  return true;
}

bool OnePass::is_crowded(Place& place) {
  if (stays_ || place.engine().connections() <= options_.screen_from_connections) return false;
  stays_ = !may_begin_again(options_, inputs_);
  return !stays_;
}

void OnePass::finish() {
  looked_.facts = places_.finish(done_.size());
  if (compared_) compared_->finish(looked_.facts);
  for (std::size_t i = 0; i < done_.size(); ++i) {
    CaptureFacts& capture = looked_.facts.captures[i];
    fill_from_source(capture, done_[i].name, done_[i].info);
    capture.filtered_packets += done_[i].left_out;
    capture.settings_changes = std::move(done_[i].settings_changes);
  }
}

}  // namespace

Result<Looked> look(const PipelineOptions& options) {
  Result<OpenedInputs> opened = open_inputs(options);
  if (!opened) return std::unexpected(opened.error());
  std::vector<Input>& inputs = opened->inputs;
  std::optional<Looked> looked;
  if (!is_worth_screening(options, inputs)) looked = OnePass(options, inputs).run();
  if (!looked) looked = look_twice(options, inputs);
  if (!looked) {
    for (Input& input : inputs) read_once(input);  // Whatever was read of it: from the start.
    PipelineOptions whole = options;
    whole.full = true;
    looked = OnePass(whole, inputs).run();
  }
  SLOWPATH_ASSERT(looked.has_value());
  looked->unreadable.insert(looked->unreadable.begin(), opened->unreadable.begin(),
                            opened->unreadable.end());
  return std::move(*looked);
}

}  // namespace slowpath::cli
