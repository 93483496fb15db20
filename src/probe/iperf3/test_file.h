// SPDX-License-Identifier: Apache-2.0
// The file of -F: sent in the place of what is made up, or written with what comes.
#pragma once

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace slowpath::probe::iperf3 {

enum class FileUse { send, write, either };

class TestFile {
 public:
  TestFile() = default;  // none
  /// Made where it is to be written and is not there; kept as it is until empty(). `either`: what
  /// may only be read is opened to be sent; a pipe, which somebody must empty, is refused. Errors:
  /// input.
  static Result<TestFile> open(const std::string& name, FileUse use);

  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  [[nodiscard]] bool is_writable() const { return writable_; }
  [[nodiscard]] int get() const { return file_.get(); }
  /// Of a regular file with something in it; any other is an error of kind input.
  [[nodiscard]] Result<std::uint64_t> bytes_to_send() const;
  /// What a regular file held is gone. Others, which hold nothing, stay as they are.
  [[nodiscard]] Result<void> empty() const;

 private:
  TestFile(Descriptor file, std::string name, bool writable)
      : file_(std::move(file)), name_(std::move(name)), writable_(writable) {}

  Descriptor file_;
  std::string name_;
  bool writable_ = false;
};

}  // namespace slowpath::probe::iperf3
