// SPDX-License-Identifier: Apache-2.0
// A small model of one TCP transfer, event by event: a sender (slow start, CUBIC's decrease, SACK
// or NewReno recovery, retransmission timeout with backoff, zero-window probes), a path (delay,
// rate, queue, what it does to single packets), a receiver (delayed ACKs, a buffer and its reader).
// What passes the tap goes to the tape. It knows nothing of flow/, which judges what it makes.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "support/scenario/connection.h"
#include "support/scenario/predicate.h"
#include "support/scenario/tape.h"

namespace slowpath::test::scenario {

/// What happens to packets on the path, and to which.
struct Happening {
  enum class Kind : std::uint8_t { lose, lose_ack, corrupt, reorder, duplicate };
  Kind kind = Kind::lose;
  Predicate which;
  Duration by{0};  // reorder: how much later
};

struct Transfer {
  Side from = Side::client;
  std::int64_t bytes = 0;
  Duration rtt{0};                                  // without queue
  std::uint64_t window_bytes = 4 << 20;             // the receiver's buffer
  double rate_bps = 0;                              // of the bottleneck; 0: none but the NIC's
  Duration queue = std::chrono::milliseconds(100);  // longest wait in it; more is dropped
  double ack_rate_bps = 0;                          // likewise for ACKs; 0 = no bottleneck there
  Duration ack_queue{0};
  double police_bps = 0;                            // a token bucket drops what exceeds it; 0: none
  double police_burst_bytes = 0;
  std::uint32_t segment_size = 0;
  std::uint32_t superframe = 0;  // payload handed to the NIC at once; 0: segments
  bool unsegmented = false;      // the NIC fails to cut them
  std::vector<Happening> happenings;
  Duration min_rto = std::chrono::milliseconds(200);
  std::uint32_t initial_window = 10;  // segments (RFC 6928)
  bool tail_probe = false;            // RFC 8985 section 7
  bool nagle = false;
  double app_rate_bps = 0;  // at which the application writes; 0: all at once
  std::int64_t app_chunk = 16384;
  double reader_rate_bps = 0;  // at which the receiver's application reads; 0: at once
  std::optional<std::pair<std::int64_t, Duration>>
      reader_stall;  // after so many bytes, for so long
  Duration delayed_ack = std::chrono::milliseconds(40);
  Duration give_up = std::chrono::minutes(10);  // simulated time
};

/// When each end knew that it was over: the sender by the last ACK (or it gave up), the receiver by
/// the last byte.
struct TransferEnd {
  Duration sender{0}, receiver{0};
};

/// Runs it from `start` on; `events` is what may still happen in this scenario.
TransferEnd run_transfer(const Transfer& transfer, Connection& connection, Tape& tape,
                         Duration start, std::size_t& events);

}  // namespace slowpath::test::scenario
