// SPDX-License-Identifier: Apache-2.0
// `slowpath diagnose --frames FILE`: one line for each TCP frame, with our marks, Wireshark's, and
// why they differ.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/frame_labels.h"

namespace slowpath::cli {

/// Tab-separated lines, written as they come. docs/wireshark.md describes the columns.
class FramesOutput {
 public:
  /// Creates `path` ("-": standard output) and writes the header. Error: environment.
  static Result<std::unique_ptr<FramesOutput>> create(const std::string& path);
  ~FramesOutput();
  FramesOutput(const FramesOutput&) = delete;
  FramesOutput& operator=(const FramesOutput&) = delete;

  /// The file that frames of input number `input` come from.
  void name_input(std::uint16_t input, std::string file);
  void write(const flow::FrameLabel& label);
  /// Error: the disk was full, or the like. A reader that has gone is no error.
  Result<void> finish();

 private:
  FramesOutput(std::FILE* stream, std::string path);

  std::FILE* stream_;
  std::string path_;
  std::vector<std::string> files_;
  std::string line_;
};

}  // namespace slowpath::cli
