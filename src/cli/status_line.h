// SPDX-License-Identifier: Apache-2.0
// One line on standard error that is drawn over and over, for a person who waits. Progress over
// bytes of a capture has a class of its own (progress.h).
#pragma once

#include <chrono>
#include <string_view>

namespace slowpath::cli {

class StatusLine {
 public:
  /// Shows nothing unless `wanted` and standard error is a terminal.
  explicit StatusLine(bool wanted);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Draws at most ten times a second; call as often as convenient.
  void show(std::string_view text);
  /// Makes room for an answer that is about to be written.
  void clear();

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace slowpath::cli
