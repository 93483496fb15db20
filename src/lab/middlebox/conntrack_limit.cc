// SPDX-License-Identifier: Apache-2.0
// A firewall whose connection table is full: known connections go on, new ones do not begin.
#include <cstddef>
#include <map>
#include <utility>

#include "lab/box_pair.h"
#include "lab/connection_end.h"
#include "lab/four_tuple.h"
#include "lab/packet_edit.h"

namespace slowpath::lab::stages {
namespace {

class ConnectionTable {
 public:
  explicit ConnectionTable(Settings& settings)
      : filter_(FlowFilter::read(settings)),
        limit_(static_cast<std::size_t>(settings.number("limit", 16))),
        timeout_(settings.duration("timeout", std::chrono::seconds{120})) {}

  void take_forward(FramePtr frame, StageContext& context) {
    take(std::move(frame), context, true);
  }
  void take_backward(FramePtr frame, StageContext& context) {
    take(std::move(frame), context, false);
  }

 private:
  void take(FramePtr frame, StageContext& context, bool is_forward) {
    const PacketView packet = view(*frame);
    const auto seen = four_tuple(*frame, packet);
    if (!seen || !packet.is_tcp || !filter_.holds(packet)) {
      context.pass(std::move(frame));
      return;
    }
    const FourTuple tuple = is_forward ? *seen : seen->reversed();
    if (is_opening_syn(packet)) {
      // A connection of the same four-tuple takes over the entry that an ended one still has.
      if (!entries_.contains(tuple) && !has_room(context.now())) {
        context.drop(std::move(frame), "connection table full");
        return;
      }
      entries_.insert_or_assign(tuple, ConnectionEnd{});
    }
    if (const auto entry = entries_.find(tuple); entry != entries_.end()) {
      entry->second.see(packet, is_forward, context.now());
    }
    context.pass(std::move(frame));
  }

  bool has_room(Time now) {
    if (entries_.size() >= limit_) {
      std::erase_if(entries_,
                    [&](const auto& entry) { return entry.second.is_older_than(timeout_, now); });
    }
    return entries_.size() < limit_;
  }

  FlowFilter filter_;
  std::size_t limit_;
  Duration timeout_;
  std::map<FourTuple, ConnectionEnd> entries_;  // by the forward direction
};

Result<StagePair> make(Settings& settings) {
  return make_box_pair(settings, ConnectionTable{settings});
}

}  // namespace

extern const StageKind conntrack_limit;
const StageKind conntrack_limit{
    .name = "conntrack-limit",
    .level = Level::middlebox,
    .summary =
        "drops SYNs of new connections where the table is full, both ways; keys: limit "
        "(default 16), timeout (of an ended one, default 120s), port",
    .make = make};

}  // namespace slowpath::lab::stages
