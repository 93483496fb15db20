// SPDX-License-Identifier: Apache-2.0
// Limits that several parts of the analysis of a direction share.
#pragma once

#include <cstdint>

#include "wire/packet.h"

namespace slowpath::flow {

// A jump in sequence space beyond any window (RFC 7323 section 2.2: 2^30) is not this stream.
inline constexpr std::int64_t kMaxJump = std::int64_t{1} << 30;
// With a wrong checksum the sequence number itself may be what is damaged: only near the stream is
// it believed.
inline constexpr std::int64_t kMaxDamagedJump = std::int64_t{1} << 20;

// Linux's smallest retransmission timeout is 200 ms, Windows' 300, Solaris' 200-400; timers fire a
// little early or late against the tap's clock. FreeBSD's 30 ms is below what can be told from a
// tail probe.
inline constexpr double kTimeoutFloor_s = 0.180;

// A send this soon after an ACK, whatever the round trip, was clocked by it.
inline constexpr double kClockedFloor_s = 0.0005;

inline bool is_partial(wire::ChecksumState state) {
  return state == wire::ChecksumState::partial || state == wire::ChecksumState::partial_no_length;
}

}  // namespace slowpath::flow
