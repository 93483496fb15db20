// SPDX-License-Identifier: Apache-2.0
#include "cli/status_line.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/core.h>

namespace slowpath::cli {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

StatusLine::StatusLine(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) == 1) {}

StatusLine::~StatusLine() { clear(); }

void StatusLine::show(std::string_view text) {
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kBetween;
  drawn_ = true;
  fmt::print(stderr, "{}{}", kClearLine, text);
  std::fflush(stderr);
}

void StatusLine::clear() {
  if (!drawn_) return;
  drawn_ = false;
  next_ = {};
  fmt::print(stderr, "{}", kClearLine);
  std::fflush(stderr);
}

}  // namespace slowpath::cli
