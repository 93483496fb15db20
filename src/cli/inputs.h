// SPDX-License-Identifier: Apache-2.0
// The inputs of one question between the command line and their reading: opened once to see when
// they begin, put in order, and opened again when their turn comes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/filter.h"
#include "capture/source.h"
#include "cli/pipeline.h"
#include "report/answer.h"
#include "wire/frame.h"

namespace slowpath::cli {

/// A file, standard input or an interface.
struct Input {
  InputName name;
  std::unique_ptr<capture::Source> source;  // null while closed; a pipe is never closed
  capture::FilteredSource* filtered =
      nullptr;  // the source, where there is a filter in front of it
  bool has_frames = false;
  wire::Frame first;                          // valid until the source's next read
  std::uint64_t file_bytes = 0;               // 0 where there is no end to know
  std::vector<std::string> settings_changes;  // of an interface, by looking at it
};

/// Inputs in the order of their first packets, and those that could not be opened.
struct OpenedInputs {
  std::vector<Input> inputs;
  std::vector<report::Unreadable> unreadable;
};

/// Errors: none could be opened (the first one's error), or the filter does not compile.
Result<OpenedInputs> open_inputs(const PipelineOptions& options);

/// Opens an input once more that had been closed to save memory and descriptors.
Result<void> reopen(Input& input, const std::string& filter);

}  // namespace slowpath::cli
