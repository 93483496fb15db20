// SPDX-License-Identifier: Apache-2.0
// A third party that ends connections with resets of its own making (RFC 5961 names the attack;
// filters do it too): numbered as the ends expect, but with its own TTL and IP identification.
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "lab/four_tuple.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "lab/tcp_answer.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

class Injector {
 public:
  explicit Injector(Settings& settings)
      : ttl_(static_cast<std::uint8_t>(settings.number("ttl", 117, 1, 255))) {
    const auto to = settings.choice("to", "both", {"both", "sender", "receiver"});
    to_sender_ = to != "receiver";
    to_receiver_ = to != "sender";
  }

  void operator()(FramePtr frame, const PacketView& packet, StageContext& context) {
    const auto tuple = four_tuple(*frame, packet);
    if (!tuple || !done_.insert(*tuple).second) {
      context.pass(std::move(frame));
      return;
    }
    FramePtr for_sender, for_receiver;
    if (to_sender_) for_sender = forge(reset_for_sender(packet), *frame, packet, context);
    if (to_receiver_) for_receiver = forge(reset_for_receiver(packet), *frame, packet, context);
    context.pass(std::move(frame));
    if (for_receiver) {
      context.touched(*for_receiver, "reset injected", "to the receiver");
      context.pass(std::move(for_receiver));
    }
    if (for_sender) {
      context.touched(*for_sender, "reset injected", "to the sender");
      context.answer(std::move(for_sender));
    }
  }

 private:
  FramePtr forge(ForgedSegment segment, const Frame& frame, const PacketView& packet,
                 StageContext& context) const {
    segment.ttl = ttl_;
    segment.ip_id = static_cast<std::uint16_t>(context.random().next());
    return make_segment(context.pool(), frame, packet, segment);
  }

  std::uint8_t ttl_;
  bool to_sender_ = true, to_receiver_ = true;
  std::set<FourTuple> done_;
};

Result<StagePair> make(Settings& settings) {
  const bool any_segment = settings.has("only");  // else data, so that a handshake can be over
  const auto applies = [any_segment](const Frame&, const PacketView& packet) {
    return packet.is_tcp && !has_flag(packet, wire::kRst) &&
           (any_segment || packet.payload_len > 0);
  };
  return make_rule_stage(settings, applies, Injector{settings});
}

}  // namespace

extern const StageKind rst_inject;
const StageKind rst_inject{
    .name = "rst-inject",
    .level = Level::middlebox,
    .summary =
        "forges resets once per flow, behind the segment that the predicate chose "
        "(after_bytes); keys: to = both|sender|receiver, ttl (default 117)",
    .make = make};

}  // namespace slowpath::lab::stages
