// SPDX-License-Identifier: Apache-2.0
// A box that does not let connections begin: the first so many SYNs, or all, silently or with a
// reset.
#include <utility>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "lab/tcp_answer.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  const bool resets = settings.choice("mode", "drop", {"drop", "rst"}) == "rst";
  const bool any_syn = settings.has("only");  // may ask for SYN-ACKs
  const auto applies = [any_syn](const Frame&, const PacketView& packet) {
    return any_syn ? has_flag(packet, wire::kSyn) : is_opening_syn(packet);
  };
  const auto act = [resets](FramePtr frame, const PacketView& packet, StageContext& context) {
    if (resets) {
      auto reset = make_segment(context.pool(), *frame, packet, reset_for_sender(packet));
      context.touched(*reset, "refused with a reset");
      context.answer(std::move(reset));
    }
    context.drop(std::move(frame), "SYN not let through");
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind syn_drop;
const StageKind syn_drop{
    .name = "syn-drop",
    .level = Level::middlebox,
    .summary =
        "drops SYNs (only = synack: SYN-ACKs); keys: count (the first so many, "
        "default all), mode = drop|rst",
    .make = make};

}  // namespace slowpath::lab::stages
