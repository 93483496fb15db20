// SPDX-License-Identifier: Apache-2.0
// A progress line on standard error, for a person who waits: only on a terminal, only after half a
// second, gone before the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace slowpath::cli {

/// The line's text: "37 %  1.2 GiB of 3.2 GiB, 410 MiB/s, 5 s left". A total of 0 is not known.
std::string progress_text(std::uint64_t done_bytes, std::uint64_t total_bytes,
                          std::uint64_t packets, double elapsed_s);

class Progress {
 public:
  /// Shows nothing unless `wanted` and standard error is a terminal.
  explicit Progress(bool wanted);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What has been read by now. Call as often as convenient; it draws at most ten times a second.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes, std::uint64_t packets);

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace slowpath::cli
