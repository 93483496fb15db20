// SPDX-License-Identifier: Apache-2.0
// A firewall that knows no Fast Open (RFC 7413): a SYN with data or with the cookie option is
// dropped.
#include <utility>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  const auto applies = [](const Frame& frame, const PacketView& packet) {
    return has_flag(packet, wire::kSyn) &&
           (packet.payload_len > 0 || find_tcp_option(frame, packet, kOptionFastOpen) != 0);
  };
  const auto act = [](FramePtr frame, const PacketView&, StageContext& context) {
    context.drop(std::move(frame), "SYN with Fast Open");
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind tfo_drop;
const StageKind tfo_drop{.name = "tfo-drop",
                         .level = Level::middlebox,
                         .summary = "drops SYN and SYN-ACK with data or the Fast Open option",
                         .make = make};

}  // namespace slowpath::lab::stages
