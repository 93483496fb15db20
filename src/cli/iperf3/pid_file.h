// SPDX-License-Identifier: Apache-2.0
// The file that tells a process's number to whoever wants to end it.
#pragma once

#include <string>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"

namespace slowpath::cli::iperf3 {

/// Holds this process's number, and vanishes with this.
class PidFile {
 public:
  /// A file that a process left which is no more is replaced. Errors: one that names a living
  /// process, or holds anything else, is left as it is (usage); it cannot be made (environment).
  static Result<PidFile> write(const std::string& path);
  ~PidFile();
  PidFile(PidFile&& other) noexcept = default;
  PidFile& operator=(PidFile&&) = delete;

 private:
  PidFile(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  Descriptor file_;  // kept open: what has its name by the end may be another's
};

}  // namespace slowpath::cli::iperf3
