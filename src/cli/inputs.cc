// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "capture/live.h"
#include "cli/signals.h"
#include "machine/interface_settings.h"

namespace slowpath::cli {
namespace {

using capture::Source;

/// Takes the source over and reads its first frame.
Input with_first_frame(InputName name, std::unique_ptr<Source> source) {
  Input input;
  input.name = std::move(name);
  input.source = std::move(source);
  input.has_frames = input.source->next(input.first);
  input.file_bytes = input.source->info().file_bytes;
  return input;
}

Result<Input> open_file(const InputName& name, const std::string& filter) {
  Result<std::unique_ptr<Source>> source = capture::open_capture(name.file, 0, &stop_requested());
  if (!source) return std::unexpected(source.error());
  if (filter.empty()) return with_first_frame(name, std::move(*source));
  auto filtered = capture::with_filter(std::move(*source), filter);
  if (!filtered) return std::unexpected(filtered.error());
  capture::FilteredSource* const observed = filtered->get();
  Input input = with_first_frame(name, std::move(*filtered));
  input.filtered = observed;
  return input;
}

/// Looking can change what is looked at: what the interface is set to is read before and meanwhile.
Result<Input> open_interface(const LiveInput& live, const std::string& filter) {
  const auto before = machine::read_interface_settings(live.interface);
  capture::LiveOptions options;
  options.filter = filter;
  options.duration = live.duration.value_or(Duration{});
  auto source = capture::open_live(live.interface, 0, options, stop_requested());
  if (!source) return std::unexpected(source.error());
  const auto meanwhile = machine::read_interface_settings(live.interface);
  Input input = with_first_frame({live.interface, {}}, std::move(*source));
  if (before && meanwhile) {
    input.settings_changes = machine::describe_changes(*before, *meanwhile);
  }
  return input;
}

Result<OpenedInputs> open_files(const PipelineOptions& options) {
  OpenedInputs opened;
  std::optional<Error> first_error;
  for (const InputName& name : options.inputs) {
    Result<Input> input = open_file(name, options.filter);
    if (!input) {
      if (!first_error) first_error = input.error();
      opened.unreadable.push_back({name.file, input.error().message()});
      continue;
    }
    if (options.inputs.size() > 1 && name.file != "-") {
      input->source.reset();
      input->filtered = nullptr;
    }
    opened.inputs.push_back(std::move(*input));
  }
  if (opened.inputs.empty() && first_error) return std::unexpected(*first_error);
  std::ranges::sort(opened.inputs, {},
                    [](const Input& input) { return std::tie(input.first.time, input.name.file); });
  return opened;
}

}  // namespace

Result<OpenedInputs> open_inputs(const PipelineOptions& options) {
  if (!options.filter.empty()) {
    if (const auto checked = capture::check_filter(options.filter); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (!options.live) return open_files(options);
  Result<Input> input = open_interface(*options.live, options.filter);
  if (!input) return std::unexpected(input.error());
  OpenedInputs opened;
  opened.inputs.push_back(std::move(*input));
  return opened;
}

Result<void> reopen(Input& input, const std::string& filter) {
  if (input.source) return {};
  Result<Input> again = open_file(input.name, filter);
  if (!again) return std::unexpected(again.error());
  input = std::move(*again);
  return {};
}

}  // namespace slowpath::cli
