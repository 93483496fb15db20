// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/core.h>

#include "base/format.h"

namespace slowpath::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstAfter{500};
constexpr std::chrono::milliseconds kBetween{100};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

std::string progress_text(std::uint64_t done_bytes, std::uint64_t total_bytes,
                          std::uint64_t packets, double elapsed_s) {
  const auto done = static_cast<double>(done_bytes);
  const double rate = elapsed_s > 0 ? done / elapsed_s : 0;
  if (total_bytes == 0) {
    return fmt::format("{} packets, {}, {}/s", format_count(packets), format_bytes(done),
                       format_bytes(rate));
  }
  const auto total = static_cast<double>(total_bytes);
  std::string text = fmt::format("{:.0f} %  {} of {}, {}/s", std::min(100.0, 100 * done / total),
                                 format_bytes(done), format_bytes(total), format_bytes(rate));
  if (rate > 0)
    text += fmt::format(", {} left", format_duration(std::max(0.0, total - done) / rate));
  return text;
}

Progress::Progress(bool wanted)
    : shown_(wanted && isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_(start_ + kFirstAfter) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "{}", kClearLine);
}

void Progress::update(std::uint64_t done_bytes, std::uint64_t total_bytes, std::uint64_t packets) {
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kBetween;
  drawn_ = true;
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  fmt::print(stderr, "{}{}", kClearLine,
             progress_text(done_bytes, total_bytes, packets, elapsed_s));
  std::fflush(stderr);
}

}  // namespace slowpath::cli
