// SPDX-License-Identifier: Apache-2.0
// A firewall that takes the flags of an ECN-setup SYN for an attack (RFC 3168 section 6.1.1.1).
#include <utility>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  const auto applies = [](const Frame&, const PacketView& packet) {
    return is_opening_syn(packet) && has_flag(packet, wire::kEce) && has_flag(packet, wire::kCwr);
  };
  const auto act = [](FramePtr frame, const PacketView&, StageContext& context) {
    context.drop(std::move(frame), "ECN-setup SYN");
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind ecn_syn_drop;
const StageKind ecn_syn_drop{.name = "ecn-syn-drop",
                             .level = Level::middlebox,
                             .summary = "drops SYNs that carry ECE and CWR",
                             .make = make};

}  // namespace slowpath::lab::stages
