// SPDX-License-Identifier: Apache-2.0
// Moves bytes over established sockets and measures it: any number of streams in either direction
// at once, one thread, one poll loop. Used by our own test and by the iperf3 one alike, so it knows
// neither protocol: what blocks hold and what is done with what arrives are hooks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/machine.h"
#include "probe/cpu.h"

namespace slowpath::probe {

/// Makes what is sent. Called once for each block, before its first byte is sent.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  /// `offset`: of the block's first byte in the stream.
  virtual void fill(std::span<std::byte> block, std::uint64_t offset) = 0;
};

/// Takes what arrives, in order; of datagrams one at a time.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  virtual void take(Bytes bytes, std::uint64_t offset) = 0;
};

struct StreamPlan {
  int socket = -1;  // connected and non-blocking; stays the caller's
  std::uint32_t number = 0;
  bool sends = false;
  BlockSource* source = nullptr;  // null: the same bytes again and again
  BlockSink* sink = nullptr;      // null: what arrives is dropped in the kernel, uncopied
  /// >= 0: send from this file by sendfile(2), without copying; `source` is not asked. The file is
  /// sent over and over, so it must hold at least one byte; or once, which ends the stream.
  int file = -1;
  std::uint64_t file_bytes = 0;
  bool file_once = false;
};

/// A sender ends with the first limit reached; amounts are of all its streams together, and count
/// from the end of `omit` on. A receiver ends when its peers have.
struct TransferPlan {
  std::size_t block_bytes = std::size_t{128} * 1024;
  Duration duration{};                          // 0 = no limit
  std::uint64_t bytes = 0;                      // 0 = no limit
  std::uint64_t blocks = 0;                     // 0 = no limit
  Duration omit{};                              // slow start: sent and told, not counted
  Duration interval = std::chrono::seconds{1};  // 0 = none
  double rate_bps = 0;                          // of each sending stream; 0 = as fast as it goes
  std::uint32_t burst_blocks = 1;  // sent at once each time a rate allows one; the mean stays
  double receive_rate_bps = 0;     // at which each stream is read; 0 = as fast as it comes
  bool finishes = true;            // senders that are done close their direction (FIN)
  /// The whole never lasts longer, whatever a peer does.
  Duration most = std::chrono::hours{24};
};

/// One stream in one interval.
struct StreamInterval {
  double begin_s = 0, end_s = 0;  // from the transfer's start
  std::uint64_t bytes = 0;
  bool omitted = false;
  std::optional<SocketFacts> socket;  // at its end, since the connection began; TCP only
};

struct IntervalReport {
  double begin_s = 0, end_s = 0;
  bool omitted = false;
  std::span<const StreamInterval> streams;  // in the order of the plans
};

struct TransferHooks {
  std::function<void(const IntervalReport&)> on_interval = {};
  /// Watched beside the streams (a control connection); called when it can be read. False stops
  /// the transfer.
  int watched = -1;
  std::function<bool()> on_watched = {};
  const std::atomic<bool>* stop = nullptr;  // looked at between blocks, and after signals
};

struct StreamOutcome {
  static constexpr std::size_t kMostIntervals = 100'000;
  static constexpr std::size_t kMostRtts = 4096;
  std::uint32_t number = 0;
  bool sends = false;
  std::uint64_t bytes = 0;                // counted
  std::uint64_t omitted_bytes = 0;        // before counting began
  std::uint64_t blocks = 0;               // sent, or reads; counted
  double begin_s = 0;                     // counting began
  double end_s = 0;                       // the last counted byte
  std::vector<StreamInterval> intervals;  // the first kMostIntervals
  std::optional<SocketFacts> socket;      // at the end; amounts since counting began
  std::vector<double> rtts_s;  // smoothed round trip, at most every 50 ms, thinned to kMostRtts
  bool finished = false;       // sent all, or its peer said that it had
  std::string error;           // what ended it early: "Connection reset by peer"
};

struct TransferOutcome {
  double elapsed_s = 0;                // from the start, `omit` included
  double counted_s = 0;                // from the end of `omit` to the end
  bool stopped = false;                // by a hook or the flag
  bool timed_out = false;              // by `most`
  CpuUse cpu;                          // since counting began
  std::vector<StreamOutcome> streams;  // in the order of the plans
};

/// Runs until the streams have ended or a hook says so. Fails only where this host cannot: a
/// stream that breaks ends alone, with its error.
Result<TransferOutcome> run_transfer(const TransferPlan& plan, std::span<const StreamPlan> streams,
                                     const TransferHooks& hooks = {});

}  // namespace slowpath::probe
