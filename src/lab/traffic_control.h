// SPDX-License-Identifier: Apache-2.0
// What the two processes of a transfer tell each other while it runs, in memory that they share;
// nothing of it goes over the network under test.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "lab/traffic_clock.h"
#include "lab/traffic_plan.h"

namespace slowpath::lab {

/// Lives in shared anonymous memory; all zero at first. Times are the steady clock's nanoseconds.
struct TransferControl {
  std::atomic<std::int64_t> began_ns;  // the client is about to connect; 0: not yet
  std::atomic<bool> client_over;       // the client has ended, with or without a connection
  /// 0: to the client, 1: to the server. At the limit a sender stops and says so, then the receiver
  /// lets go of its socket.
  std::atomic<bool> sender_gone[2];
  /// The receiving application reads no more, so that its kernel has no window to tell of.
  std::atomic<bool> receiver_stopped[2];
  std::atomic<std::uint64_t> sent[2];
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// One end's view: what is to be done, and until when.
struct TransferEnd {
  const TransferPlan& plan;
  TransferControl& control;
  std::uint64_t seed = 0;

  /// When the limit is reached. After began_ns is set.
  [[nodiscard]] std::int64_t deadline_ns() const { return control.began_ns + plan.limit.count(); }
  [[nodiscard]] bool is_late() const { return steady_ns() >= deadline_ns(); }
  /// Of one direction's pattern.
  [[nodiscard]] std::uint64_t pattern_seed(int direction) const {
    return seed * 2 + static_cast<std::uint64_t>(direction);
  }
};

inline constexpr int kToClient = 0, kToServer = 1;

}  // namespace slowpath::lab
