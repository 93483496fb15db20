// SPDX-License-Identifier: Apache-2.0
// A NAT, firewall or load balancer that forgets connections which say nothing for a while, and then
// drops or resets what they say next. A new SYN opens the state again.
#include <map>
#include <utility>

#include "lab/box_pair.h"
#include "lab/four_tuple.h"
#include "lab/packet_edit.h"
#include "lab/tcp_answer.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

class ForgetfulBox {
 public:
  explicit ForgetfulBox(Settings& settings)
      : filter_(FlowFilter::read(settings)),
        after_(settings.duration("after", std::chrono::seconds{60})),
        resets_(settings.choice("mode", "drop", {"drop", "rst"}) == "rst") {}

  void take_forward(FramePtr frame, StageContext& context) {
    take(std::move(frame), context, true);
  }
  void take_backward(FramePtr frame, StageContext& context) {
    take(std::move(frame), context, false);
  }

 private:
  struct State {
    Time last;
    bool is_forgotten = false;  // kept, so that it is not taken for a connection begun unseen
  };

  void take(FramePtr frame, StageContext& context, bool is_forward) {
    const PacketView packet = view(*frame);
    const auto tuple = four_tuple(*frame, packet);
    if (!tuple || !filter_.holds(packet)) {
      context.pass(std::move(frame));
      return;
    }
    State& state =
        states_.try_emplace(is_forward ? *tuple : tuple->reversed(), State{context.now()})
            .first->second;
    if (is_opening_syn(packet)) state = {context.now()};
    if (context.now() - state.last > after_) state.is_forgotten = true;
    state.last = context.now();
    if (!state.is_forgotten) {
      context.pass(std::move(frame));
      return;
    }
    if (resets_ && packet.is_tcp && !has_flag(packet, wire::kRst)) reset(*frame, packet, context);
    context.drop(std::move(frame), "state forgotten while the connection was idle");
  }

  static void reset(const Frame& frame, const PacketView& packet, StageContext& context) {
    auto made = make_segment(context.pool(), frame, packet, reset_for_sender(packet));
    context.touched(*made, "reset of a forgotten connection");
    context.answer(std::move(made));
  }

  FlowFilter filter_;
  Duration after_;
  bool resets_;
  std::map<FourTuple, State> states_;  // by the forward direction
};

Result<StagePair> make(Settings& settings) {
  return make_box_pair(settings, ForgetfulBox{settings});
}

}  // namespace

extern const StageKind idle_drop;
const StageKind idle_drop{
    .name = "idle-drop",
    .level = Level::middlebox,
    .summary =
        "forgets flows that are idle, both ways; keys: after (default 60s), mode = drop|rst, "
        "port",
    .make = make};

}  // namespace slowpath::lab::stages
