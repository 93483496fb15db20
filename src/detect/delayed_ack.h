// SPDX-License-Identifier: Apache-2.0
// The times after which receivers acknowledge a lone segment. Shared by the faults in which a
// sender waits for such a timer; why it waits is theirs.
#pragma once

#include <algorithm>
#include <array>

#include "detect/support.h"

namespace slowpath::detect {

// Delayed-ACK timers of stacks: Linux 40 ms at least (TCP_DELACK_MIN), Windows 40 (from 2016 on)
// and 200, Solaris 50 to 100 (tcp_deferred_ack_interval), BSD 100 and 200; 500 is RFC 1122's most.
// Timers fire late, on a busy host by some tens of milliseconds: never early.
struct TimerRange {
  double low_s, high_s;
};
inline constexpr std::array<TimerRange, 3> kDelayedAckTimers{
    {{0.035, 0.070}, {0.085, 0.115}, {0.150, 0.250}}};

/// The timer must stand out from the path: so many round trips at least.
inline constexpr double kDelayedAckRounds = 2;

/// The timer alone: away from the receiver the way there and back was waited for as well. The
/// handshake knows that leg, where no ACK is ever delayed; without it nothing is taken off.
inline double timer_alone_s(double waited_s, const Transfer& transfer) {
  const HandshakeFacts& handshake = transfer.connection.handshake;
  if (!handshake.legs_known) return waited_s;
  const bool up = transfer.direction == Direction::to_server;
  const double leg_s = std::min(up ? handshake.server_leg_s : handshake.client_leg_s,
                                transfer.data().rtt.total.min_s);
  return std::max(0.0, waited_s - leg_s);
}

/// A wait of these seconds is a stack's delayed-ACK timer, and not the path's round trip.
inline bool is_delayed_ack_timer(double seconds, double rtt_s) {
  return seconds >= kDelayedAckRounds * rtt_s &&
         std::ranges::any_of(kDelayedAckTimers, [&](const TimerRange& timer) {
           return seconds >= timer.low_s && seconds <= timer.high_s;
         });
}

}  // namespace slowpath::detect
