// SPDX-License-Identifier: Apache-2.0
// The sending end of a transfer: what may be sent and when (RFC 5681, 6675, 6298, 6928; 8312's
// factor), one scoreboard entry a segment.
#pragma once

#include <deque>

#include "support/scenario/transfer.h"
#include "support/scenario/transfer_events.h"
#include "support/scenario/transfer_path.h"

namespace slowpath::test::scenario {

class Sender {
 public:
  Sender(const Transfer& transfer, Connection& connection, Path& path, EventQueue& events);

  void start(Duration now);
  void on_ack(Duration now, const AckPacket& packet);
  void on_retransmit_timer(Duration now, std::uint64_t timer);
  void on_tail_probe(Duration now, std::uint64_t timer);
  void on_write(Duration now);
  [[nodiscard]] bool done() const { return una_ >= end_; }

 private:
  /// One segment that is not acknowledged yet.
  struct Outstanding {
    ByteRange data{0, 0};
    Duration sent{0};
    std::uint64_t order = 0;  // of its newest transmission
    bool in_flight = true, sacked = false, lost = false, resent = false;
    [[nodiscard]] std::int64_t len() const { return data.second - data.first; }
  };

  void send_what_may_be(Duration now);
  bool resend_one(Duration now);
  bool send_new(Duration now);
  void transmit(Duration now, const ByteRange& data, bool push);
  void acknowledge(Duration now, std::int64_t acknowledged);
  void mark_sacked(const std::vector<ByteRange>& blocks);
  void find_losses();
  void enter_recovery();
  void grow(std::int64_t acknowledged);
  void measure(Duration now, Duration sent);
  void watch_slow_start(double rtt_s);
  void set_timer(Duration now);
  [[nodiscard]] Duration timeout() const;
  std::int64_t flight() const;

  const Transfer& transfer_;
  Connection& connection_;
  Path& path_;
  EventQueue& events_;
  const std::int64_t segment_;
  std::int64_t una_, next_, end_, written_, edge_;
  std::deque<Outstanding> outstanding_;
  std::int64_t cwnd_, ssthresh_ = std::int64_t{1} << 40, recovery_point_ = -1;
  std::int64_t flight_ = 0;  // bytes on their way, as the sender believes
  bool in_recovery_ = false, in_timeout_ = false, limited_by_cwnd_ = false, probed_ = false,
       resend_now_ = false;  // whatever the window says: the first resend of a recovery, or after a
                             // partial ACK
  std::uint32_t duplicate_acks_ = 0, backoff_ = 0;
  std::uint64_t order_ = 0, timer_ = 0;
  std::int64_t round_end_ = 0;  // of the round trip that HyStart looks at
  std::uint32_t round_samples_ = 0;
  double round_min_s_ = 0, srtt_s_ = 0, rttvar_s_ = 0, min_rtt_s_ = 0;
};

}  // namespace slowpath::test::scenario
