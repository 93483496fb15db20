// SPDX-License-Identifier: Apache-2.0
// Whether the receive window is what held a transfer back. The detectors of the window family ask
// this first and then say why the window was so small.
#pragma once

#include <cstdint>
#include <string>

#include "detect/support.h"

namespace slowpath::detect {

/// A window that closed so often is a program's that does not keep up: whenever unread data had
/// narrowed it and it was full, it was so because nobody read.
inline constexpr std::uint64_t kManyCloses = 3;

struct WindowLimit {
  bool limits =
      false;  // time was owned by the window, and nothing shows that it only fills a queue
  bool complete = false;   // the catalogue's minimum: scale known, at least 10 round trips
  bool by_reader = false;  // most of it while unread data narrowed the window
  std::string why_not;     // for --explain, when it does not limit
  double seconds = 0;      // owned by a full window, closings excluded
  double share = 0;        // of the direction's time account
  double window_bytes = 0;
  double rtt_s = 0;
  double ceiling_bps = 0;  // window / round trip (RFC 7323 section 1.1); 0 = no round trip known
};

WindowLimit judge_window(const Transfer& transfer);

/// What every finding about a window shows: how often it was full, the ceiling it sets, the rate.
void add_window_evidence(const Transfer& transfer, const WindowLimit& limit, Finding& finding);

}  // namespace slowpath::detect
