// SPDX-License-Identifier: Apache-2.0
// A server, or a box that keeps states like one, in TIME_WAIT: a SYN that reuses a four-tuple too
// soon after its end is not answered. Linux 6 itself takes such a SYN, so the lab must play it.
#include <map>
#include <utility>

#include "lab/four_tuple.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

class ClosedTuples {
 public:
  explicit ClosedTuples(Duration time) : time_(time) {}

  void operator()(FramePtr frame, const PacketView& packet, StageContext& context) {
    const auto tuple = four_tuple(*frame, packet);
    if (tuple && is_opening_syn(packet)) {
      const auto closed = closed_.find(*tuple);
      if (closed != closed_.end() && context.now() - closed->second < time_) {
        context.drop(std::move(frame), "SYN of a four-tuple in TIME_WAIT");
        return;
      }
      if (closed != closed_.end()) closed_.erase(closed);
    } else if (tuple && has_flag(packet, wire::kFin | wire::kRst)) {
      closed_.insert_or_assign(*tuple, context.now());
    }
    context.pass(std::move(frame));
  }

 private:
  Duration time_;
  std::map<FourTuple, Time> closed_;
};

Result<StagePair> make(Settings& settings) {
  const ClosedTuples tuples{settings.duration("time", std::chrono::seconds{60})};
  const auto applies = [](const Frame&, const PacketView& packet) { return packet.is_tcp; };
  return make_rule_stage(settings, applies, tuples);
}

}  // namespace

extern const StageKind timewait_drop;
const StageKind timewait_drop{
    .name = "timewait-drop",
    .level = Level::middlebox,
    .summary =
        "drops SYNs of a four-tuple seen closed (FIN or RST of this direction); keys: time "
        "(since then, default 60s)",
    .make = make};

}  // namespace slowpath::lab::stages
