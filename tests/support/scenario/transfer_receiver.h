// SPDX-License-Identifier: Apache-2.0
// The receiving end of a transfer: reassembly, ACKs and windows (RFC 9293, 5681, 2018, 2883), and
// the application that reads.
#pragma once

#include "support/scenario/transfer.h"
#include "support/scenario/transfer_events.h"
#include "support/scenario/transfer_path.h"

namespace slowpath::test::scenario {

class Receiver {
 public:
  Receiver(const Transfer& transfer, Connection& connection, Path& path, EventQueue& events);

  void on_data(Duration now, const DataPacket& packet);
  void on_delayed_ack(Duration now, std::uint64_t timer);
  void on_read(Duration now);
  /// When the last new byte arrived.
  [[nodiscard]] Duration last_arrival() const { return last_arrival_; }

 private:
  void store(const ByteRange& data);
  void start_reading(Duration now);
  void send_ack(Duration now, std::optional<ByteRange> duplicate = {});
  std::uint64_t window_now() const;

  const Transfer& transfer_;
  Connection& connection_;
  Path& path_;
  EventQueue& events_;
  std::int64_t next_, read_, begin_;
  std::int64_t unacknowledged_ = 0;  // bytes not yet acknowledged by us
  std::int64_t edge_;                // right edge of the advertised window
  std::vector<ByteRange> islands_;   // out of order, the newest first
  std::int64_t chunk_ = 0;           // that the application is reading
  Duration last_arrival_{0};
  std::uint32_t last_ack_stamp_ = 0;  // echo: of the packet that an ACK answers
  bool stamp_taken_ = false;
  std::uint32_t quick_acks_ = 16;  // Linux: TCP_MAX_QUICKACKS
  std::uint64_t timer_ = 0;
  bool timer_set_ = false, reading_ = false, stalled_once_ = false;
};

}  // namespace slowpath::test::scenario
