// SPDX-License-Identifier: Apache-2.0
// Segments alone in flight that wait for the receiver's timer, and what merely looks so: at the
// receiver of a slow path every segment arrives alone, and is acknowledged when the timer fires.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1460, kStampedSegment = 1448;

/// Segments of an upload, each of them acknowledged 42 ms after it arrived; the next follows the
/// acknowledgment after `gap`. The tap is at the server, the client 13 ms away.
std::uint64_t lone_segments_at_the_receiver(Duration gap) {
  Exchange x;
  x.handshake(0ms, 13ms);
  for (int i = 0; i < 30; ++i) {
    x.to_server({.len = kSegment});
    x.after(42ms).to_client({});
    x.after(gap);
  }
  return x.connection()[Direction::to_server].lone.count;
}

TEST(LoneSegments, EachWaitsForTheTimer) {
  EXPECT_EQ(lone_segments_at_the_receiver(13ms), 29U);
  EXPECT_EQ(lone_segments_at_the_receiver(15ms), 29U);
}

TEST(LoneSegments, WhatCameSoonerThanTheAckCouldAskForWasUnderWay) {
  EXPECT_EQ(lone_segments_at_the_receiver(3ms), 0U);
  EXPECT_EQ(lone_segments_at_the_receiver(9ms), 0U);
}

/// Likewise, with timestamps: what follows the acknowledgment echoes it, or one that is `older` by
/// so many acknowledgments.
std::uint64_t stamped_segments_at_the_receiver(std::uint32_t older) {
  Exchange x;
  x.client_options = x.server_options = syn_options(7, true);
  x.handshake(0ms, 13ms);
  for (std::uint32_t i = 0; i < 30; ++i) {
    const std::uint32_t stamp = 1000 + 55 * i;
    const std::uint32_t echo = 5000 + 55 * i;
    x.to_server({.len = kStampedSegment, .ts_value = stamp, .ts_echo = echo - 55 * older});
    x.after(42ms).to_client({.ts_value = echo + 55, .ts_echo = stamp});
    x.after(13ms);
  }
  return x.connection()[Direction::to_server].lone.count;
}

TEST(LoneSegments, AnEchoTellsWhatTheAckCalledFor) {
  EXPECT_EQ(stamped_segments_at_the_receiver(0), 29U);
  EXPECT_EQ(stamped_segments_at_the_receiver(1), 0U);
}

TEST(LoneSegments, AShortPieceThatWasUnderWayIsNotHeldBackByNagle) {
  for (const auto& [gap, held] : {std::pair{14ms, 29U}, {2ms, 0U}}) {
    Exchange x;
    x.handshake(0ms, 13ms);
    for (int i = 0; i < 30; ++i) {
      x.to_server({.len = 500});
      x.after(42ms).to_client({});
      x.after(gap);
    }
    EXPECT_EQ(x.connection()[Direction::to_server].nagle.count, held) << gap.count();
  }
}

}  // namespace
}  // namespace slowpath::test
