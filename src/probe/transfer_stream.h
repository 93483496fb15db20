// SPDX-License-Identifier: Apache-2.0
// One stream of a transfer: what it has moved, when it may move more, and its socket calls. The
// loop that serves all of them is transfer.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "probe/transfer.h"

namespace slowpath::probe {

/// What the senders of a transfer may still send together, once counting has begun.
struct Allowance {
  std::uint64_t bytes_left = 0, blocks_left = 0;
  bool limits_bytes = false, limits_blocks = false;

  [[nodiscard]] bool is_spent() const {
    return (limits_bytes && bytes_left == 0) || (limits_blocks && blocks_left == 0);
  }
  void spend(std::uint64_t bytes, bool block_done);
};

class TransferStream {
 public:
  TransferStream(const StreamPlan& plan, const TransferPlan& transfer, std::int64_t began_ns);

  [[nodiscard]] bool sends() const { return plan_.sends; }
  [[nodiscard]] bool is_done() const { return done_; }
  [[nodiscard]] int socket() const { return plan_.socket; }
  /// When a paced stream may move again; in the past where it may now.
  [[nodiscard]] std::int64_t due_ns() const { return burst_left_ > 0 ? 0 : due_ns_; }

  /// Moves what can be moved without waiting, up to a quota that keeps the others served. `buffer`
  /// holds a block and is shared by streams that keep none of their own.
  void serve(std::span<std::byte> buffer, Allowance& allowance, std::int64_t now_ns);
  /// No more will be sent.
  void finish(bool closes);
  /// From now on bytes count.
  void begin_counting(std::int64_t now_ns);
  StreamInterval close_interval(std::int64_t now_ns, bool omitted);
  /// Every `since_last` of a run: a sender's round trip is sampled, and a receiver that drops what
  /// comes is woken for as much as comes in a moment, not for every packet.
  void tick(Duration since_last);
  StreamOutcome take_outcome();

 private:
  void send_some(Allowance& allowance, std::int64_t now_ns);
  void receive_some(std::span<std::byte> buffer, std::int64_t now_ns);
  void pace(std::uint64_t bytes, std::int64_t now_ns);
  [[nodiscard]] long send_block(std::span<const std::byte> rest);
  void count(std::uint64_t bytes, bool block_done);
  void fail_with(int error);
  void take_account();
  void sample_rtt();
  void set_low_water(Duration since_last);
  [[nodiscard]] double since_start_s(std::int64_t at_ns) const;

  StreamPlan plan_;
  std::int64_t began_ns_;
  double rate_bps_;
  std::size_t block_bytes_;
  std::vector<std::byte> block_;  // of a sender: what is being sent
  std::size_t block_sent_ = 0;    // of it
  std::size_t block_size_ = 0;    // 0 = the next block has not been made
  std::uint64_t offset_ = 0;      // in the stream
  std::int64_t due_ns_ = 0;
  std::uint32_t burst_blocks_ = 1, burst_left_ = 0;  // of a burst that is being sent
  std::int64_t last_byte_ns_ = 0;
  bool counting_ = false;
  bool done_ = false;
  std::uint64_t interval_bytes_ = 0;
  std::uint64_t offset_at_tick_ = 0;
  int low_water_ = 1;  // SO_RCVLOWAT
  std::int64_t interval_began_ns_;
  std::optional<SocketFacts> at_begin_;
  std::uint64_t rtts_skipped_ = 0, rtt_stride_ = 1;
  StreamOutcome outcome_;
};

}  // namespace slowpath::probe
