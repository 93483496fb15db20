// SPDX-License-Identifier: Apache-2.0
// The path of a transfer: the sender's NIC, half the way, a bottleneck with its queue, where also
// all misfortunes happen, and the other half. Tells the tape what passes, and when.
#pragma once

#include <optional>

#include "support/scenario/tape.h"
#include "support/scenario/transfer.h"
#include "support/scenario/transfer_events.h"

namespace slowpath::test::scenario {

class Path {
 public:
  Path(const Transfer& transfer, Connection& connection, Tape& tape, EventQueue& events,
       Duration start);

  /// One frame as the sender hands it to its NIC: a segment or a super-frame.
  void send_data(Duration now, const DataPacket& packet, bool push);
  void send_ack(Duration now, const AckPacket& packet);

 private:
  void carry(Duration now, const DataPacket& packet, bool push, bool past_tap);
  bool has_tokens(Duration now, std::uint32_t ip_len);
  void deliver(Duration at, const DataPacket& packet, bool damaged);
  std::optional<Duration> wait_of_ack(Duration arrival);
  Segment segment_of(const DataPacket& packet, bool push) const;
  /// Position of the tap on the data's way; the bottleneck is at one half.
  double tap() const {
    return transfer_.from == Side::client ? tape_.settings.place : 1 - tape_.settings.place;
  }
  Duration part(double share) const;
  bool happens(Happening::Kind kind, const Passing& passing, Duration* by = nullptr);

  const Transfer& transfer_;
  Connection& connection_;
  Tape& tape_;
  EventQueue& events_;
  std::vector<Happening> happenings_;
  Duration start_;
  Duration nic_free_{0}, bottleneck_free_{0}, ack_bottleneck_free_{0}, last_ack_sent_{0};
  std::uint64_t packets_ = 0, acks_ = 0;
  std::optional<Duration> filled_at_;
  double tokens_ = 0;
};

}  // namespace slowpath::test::scenario
