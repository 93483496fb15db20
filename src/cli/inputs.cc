// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "capture/live.h"
#include "cli/signals.h"
#include "cli/status_line.h"
#include "machine/interface_settings.h"

namespace slowpath::cli {
namespace {

using capture::Source;

/// Empty where it cannot be told.
struct stat status_of(const std::string& name) {
  struct stat status{};
  if ((name == "-" ? fstat(STDIN_FILENO, &status) : stat(name.c_str(), &status)) != 0) status = {};
  return status;
}

FileIdentity identity_of(const std::string& name) {
  const struct stat status = status_of(name);
  return {
      .device = status.st_dev,
      .inode = status.st_ino,
      .bytes = static_cast<std::uint64_t>(status.st_size),
      .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

/// Takes the source over and reads its first frame.
Input with_first_frame(InputName name, std::unique_ptr<Source> source) {
  Input input;
  input.name = std::move(name);
  input.source = std::move(source);
  input.has_frames = input.source->next(input.first);
  input.file_bytes = input.source->info().file_bytes;
  input.is_mapped = input.source->stable_bytes();
  return input;
}

Result<Input> with_first_frame(const InputName& name, std::unique_ptr<Source> source,
                               const std::string& filter) {
  if (filter.empty()) return with_first_frame(name, std::move(source));
  auto filtered = capture::with_filter(std::move(source), filter);
  if (!filtered) return std::unexpected(filtered.error());
  capture::FilteredSource* const observed = filtered->get();
  Input input = with_first_frame(name, std::move(*filtered));
  input.filtered = observed;
  return input;
}

/// `spool_bytes`: so many may be kept of what cannot be mapped; 0: none.
Result<Input> open_file(const InputName& name, const std::string& filter,
                        std::uint64_t spool_bytes) {
  const FileIdentity identity = identity_of(name.file);
  capture::SpooledSource opened;
  if (spool_bytes == 0) {
    auto source = capture::open_capture(name.file, 0, &stop_requested());
    if (!source) return std::unexpected(source.error());
    opened.source = std::move(*source);
  } else {
    auto spooled = capture::open_spooled(name.file, 0, {.most_bytes = spool_bytes, .passes = true},
                                         &stop_requested());
    if (!spooled) return std::unexpected(spooled.error());
    opened = std::move(*spooled);
  }
  Result<Input> input = with_first_frame(name, std::move(opened.source), filter);
  if (!input) return input;
  input->spool = std::move(opened.spool);
  input->spool_bytes = spool_bytes;
  input->identity = identity;
  if (!input->spool) return input;
  input->is_mapped = false;
  if (!input->spool->overflowed()) return input;
  // A filter found nothing in all that could be kept.
  read_once(*input);
  if (const Result<void> again = reopen(*input, filter); !again) {
    return std::unexpected(again.error());
  }
  return input;
}

/// A pipe that does not fit is read once: then it need not be kept. A file is read again.
std::uint64_t spool_bytes_for(const std::string& name, const PipelineOptions& options) {
  const std::uint64_t most = most_spooled_bytes(options);
  const bool is_file = S_ISREG(status_of(name).st_mode);
  const std::uint64_t least = std::max(options.screen_from_bytes, capture::Spool::kLeastBytes);
  return is_file || most >= least ? most : 0;
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
  const bool is_alone = options.inputs.size() == 1;
  for (const InputName& name : options.inputs) {
    const bool spools = is_alone && may_be_screened(options);
    Result<Input> input =
        open_file(name, options.filter, spools ? spool_bytes_for(name.file, options) : 0);
    if (!input) {
      if (!first_error) first_error = input.error();
      opened.unreadable.push_back({name.file, input.error().message()});
      continue;
    }
    if (!is_alone && name.file != "-") {
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

// Says what it waits for to a person at a terminal.
std::uint64_t wait_for(capture::Spool& spool, std::uint64_t bytes, const PipelineOptions& options) {
  constexpr std::chrono::milliseconds kLook{100};
  constexpr int kSilentLooks = 5;
  StatusLine line(options.show_progress);
  for (int looks = 0; !spool.wait_for(bytes, kLook); ++looks) {
    if (looks < kSilentLooks) continue;
    line.show(fmt::format("{} read; analysed when it ends, or from {} on",
                          format_bytes(static_cast<double>(spool.written())),
                          format_bytes(static_cast<double>(bytes))));
  }
  return spool.written();
}

// One that a later first pass opens again; only so much of each is decompressed for that.
std::uint64_t plain_bytes_of(const Input& input, const PipelineOptions& options,
                             std::uint64_t enough) {
  const Result<Input> opened =
      open_file(input.name, {}, std::max(enough, capture::Spool::kLeastBytes));
  if (!opened || !opened->spool) return 0;
  return wait_for(*opened->spool, enough, options);
}

/// Gives an input a source of its own over what is mapped. False: it has none.
bool show(Input& input, const std::string& filter) {
  std::optional<Input> twin = twin_of(input, filter);
  if (!twin) return false;
  input.source = std::move(twin->source);
  input.filtered = twin->filtered;
  input.first = twin->first;
  input.has_frames = twin->has_frames;
  return true;
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

bool FileIdentity::is_beginning_of(const FileIdentity& later) const {
  if (later.device != device || later.inode != inode || later.bytes < bytes) return false;
  return later.bytes > bytes || later.modified_ns == modified_ns;
}

bool may_be_screened(const PipelineOptions& options) {
  return !options.full && !options.live && !options.compare && options.frames == nullptr;
}

bool are_large(const PipelineOptions& options, std::vector<Input>& inputs) {
  std::uint64_t bytes = 0;
  for (const Input& input : inputs) {
    const bool is_twice_there = input.file_bytes != 0 || (input.spool && input.spool_bytes != 0);
    if (!is_twice_there) return false;
    if (input.is_mapped) bytes += input.file_bytes;
  }
  const std::uint64_t enough = options.screen_from_bytes;
  for (const Input& input : inputs) {
    if (bytes >= enough || stop_requested()) break;
    if (input.is_mapped) continue;
    bytes += input.spool ? wait_for(*input.spool, enough, options)
                         : plain_bytes_of(input, options, enough - bytes);
  }
  return bytes >= enough;
}

bool can_begin_again(std::span<const Input> inputs) {
  return std::ranges::all_of(inputs, [](const Input& input) {
    const bool is_kept = input.spool && input.spool_bytes != 0 && input.spool->is_complete();
    return input.is_mapped || is_kept;
  });
}

std::uint64_t most_spooled_bytes(const PipelineOptions& options) {
  return options.memory_bytes / 2;
}

std::uint64_t memory_beside_spools(const PipelineOptions& options,
                                   const std::vector<Input>& inputs) {
  const std::uint64_t most = most_spooled_bytes(options);
  std::uint64_t kept = 0;
  for (const Input& input : inputs) {
    if (input.spool && input.spool->is_complete()) {
      kept += input.spool->kept();
    } else if (input.spool || (!input.is_mapped && input.spool_bytes != 0)) {
      kept = most;
    }
    kept = std::min(kept, most);
  }
  return options.memory_bytes - kept;
}

Result<void> reopen(Input& input, const std::string& filter) {
  if (input.source) return {};
  if (input.mapping) {
    if (input.identity.is_beginning_of(identity_of(input.name.file)) && show(input, filter)) {
      return {};
    }
    input.mapping.reset();
  }
  Result<Input> again = std::unexpected(Error{});
  if (input.spool) {
    auto source = capture::open_again(input.spool, 0);
    if (!source) return std::unexpected(source.error());
    again = with_first_frame(input.name, std::move(*source), filter);
  } else {
    again = open_file(input.name, filter, input.spool_bytes);
  }
  if (!again) return std::unexpected(again.error());
  if (input.spool) {
    again->spool = std::move(input.spool);
    again->spool_bytes = input.spool_bytes;
    again->identity = input.identity;
    again->is_mapped = false;
  }
  again->has_changed = input.has_changed || !input.identity.is_beginning_of(again->identity);
  input = std::move(*again);
  return {};
}

void keep_mapped(Input& input, const std::string& filter) {
  if (!input.is_mapped || input.mapping) return;
  input.mapping = std::move(input.source);
  if (show(input, filter)) return;
  input.source = std::move(input.mapping);
}

void read_once(Input& input) {
  input.source.reset();
  input.mapping.reset();
  input.filtered = nullptr;
  input.spool_bytes = 0;
  if (input.file_bytes != 0) {
    input.spool.reset();
  } else if (input.spool) {
    input.spool->pass_on();
  }
}

bool is_at_hand(Input& input) {
  if (!input.spool) return false;
  if (stop_requested()) input.spool->end();
  return input.spool->is_complete();
}

std::optional<Input> twin_of(const Input& input, const std::string& filter) {
  if (!input.is_mapped) return {};
  const Source& source = input.mapping ? *input.mapping : *input.source;
  // Several threads ask at once, and info() brings its own count up to date.
  const Bytes bytes = source.bytes_at(0, static_cast<std::size_t>(input.file_bytes));
  if (bytes.empty()) return {};
  auto twin = capture::open_memory(bytes, input.name.file, 0);
  if (!twin) return {};
  Result<Input> opened = with_first_frame(input.name, std::move(*twin), filter);
  if (!opened) return {};
  return std::move(*opened);
}

}  // namespace slowpath::cli
