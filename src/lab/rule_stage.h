// SPDX-License-Identifier: Apache-2.0
// The commonest stage: looks at each frame alone, acts on those that its rule and the predicate
// choose, and passes the others on untouched. What is done is the kind's own business.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "lab/packet_view.h"
#include "lab/predicate.h"
#include "lab/stage.h"

namespace slowpath::lab {

/// `applies(frame, packet) -> bool` says which frames concern the kind at all; only those are
/// numbered by the predicate, so that `nth = 3` of a stage for SYNs is the third SYN.
/// `act(FramePtr, packet, context)` disposes of a chosen frame: passes or drops it.
template <typename Applies, typename Act>
class RuleStage final : public Stage {
 public:
  RuleStage(const Predicate& predicate, Applies applies, Act act)
      : predicate_(predicate), applies_(std::move(applies)), act_(std::move(act)) {}

  void take(FramePtr frame, StageContext& context) override {
    const PacketView packet = view(*frame);
    if (!applies_(*frame, packet)) {
      predicate_.pass_over(packet, context.now());
    } else if (predicate_.holds(*frame, packet, context.now(), context.random())) {
      act_(std::move(frame), packet, context);
      return;
    }
    context.pass(std::move(frame));
  }

 private:
  Predicate predicate_;
  Applies applies_;
  Act act_;
};

/// The last step of a kind's make(): reads the predicate, then refuses what nobody asked for.
/// Errors: usage.
template <typename Applies, typename Act>
Result<StagePair> make_rule_stage(Settings& settings, Applies applies, Act act) {
  const auto predicate = Predicate::read(settings);
  if (auto read = settings.check(); !read) return std::unexpected(read.error());
  return StagePair{.forward = std::make_unique<RuleStage<Applies, Act>>(
                       predicate, std::move(applies), std::move(act)),
                   .backward = nullptr};
}

/// Errors: usage, naming the first key that is not given.
inline Result<void> require(const Settings& settings, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (settings.has(key)) continue;
    return fail(ErrorKind::usage, "cannot make " + settings.where(),
                std::string{"the key "} + key + " is missing", {});
  }
  return {};
}

}  // namespace slowpath::lab
