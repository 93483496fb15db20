// SPDX-License-Identifier: Apache-2.0
// Who owned the time of a transfer: every microsecond has one owner (DESIGN principle 4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace slowpath {

enum class TimeOwner : std::uint8_t {
  handshake,          // first SYN to the end of the handshake
  application,        // everything acknowledged, nothing new offered: think time, idle, slow producer
  send_buffer,        // only with socket facts
  receive_window,     // flight fills the advertised window, or what is left of it is under one segment
  zero_window,        // the advertised window is zero
  slow_start,         // waiting for ACKs while the flight still doubles, before any loss
  congestion_window,  // waiting for ACKs, flight below the receive window, path not queueing
  bottleneck,         // waiting for ACKs while the path queues: RTT well above its minimum, delivery at a steady rate
  loss_recovery,      // between the first resend of a lost range and the ACK that ends recovery
  timeout,            // silence that a retransmission timeout ended
  delayed_ack,        // waiting for a receiver's delayed-ACK timer
  pacing_or_cpu,      // sending, but slower than window and path allow, at a rhythm of its own
  unknown,
};
inline constexpr std::size_t kTimeOwnerCount = 13;
static_assert(static_cast<std::size_t>(TimeOwner::unknown) + 1 == kTimeOwnerCount);

/// The owner's name in output and JSON.
constexpr std::string_view to_string(TimeOwner owner) {
  constexpr std::array<std::string_view, kTimeOwnerCount> names{
      "handshake",  "application",  "send-buffer", "receive-window", "zero-window",   "slow-start", "congestion-window",
      "bottleneck", "loss-recovery", "timeout",    "delayed-ack",    "pacing-or-cpu", "unknown"};
  return names[static_cast<std::size_t>(owner)];
}

/// Seconds per owner. They add up to the duration that was divided.
struct TimeAccount {
  std::array<double, kTimeOwnerCount> seconds{};

  double& operator[](TimeOwner owner) { return seconds[static_cast<std::size_t>(owner)]; }
  double operator[](TimeOwner owner) const { return seconds[static_cast<std::size_t>(owner)]; }
  /// All that one owner has goes to the other.
  void give(TimeOwner from, TimeOwner to) {
    (*this)[to] += (*this)[from];
    (*this)[from] = 0;
  }
  [[nodiscard]] double total() const {
    double sum = 0;
    for (double s : seconds) sum += s;
    return sum;
  }
  [[nodiscard]] double share(TimeOwner owner) const {
    const double sum = total();
    return sum > 0 ? (*this)[owner] / sum : 0;
  }
};

}  // namespace slowpath
