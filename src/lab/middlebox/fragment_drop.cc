// SPDX-License-Identifier: Apache-2.0
// A firewall that drops IP fragments: all of them, or those that do not show their ports.
#include <utility>

#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  const bool only_later = settings.choice("which", "all", {"all", "later"}) == "later";
  const auto applies = [only_later](const Frame&, const PacketView& packet) {
    return packet.is_fragment && (!only_later || packet.fragment_offset != 0);
  };
  const auto act = [](FramePtr frame, const PacketView&, StageContext& context) {
    context.drop(std::move(frame), "fragment");
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind fragment_drop;
const StageKind fragment_drop{
    .name = "fragment-drop",
    .level = Level::middlebox,
    .summary = "drops IP fragments; keys: which = all (default) | later (without ports)",
    .make = make};

}  // namespace slowpath::lab::stages
