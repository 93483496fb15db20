// SPDX-License-Identifier: Apache-2.0
// A gateway that forwards a port: destinations are rewritten on the way in, the answers' sources on
// the way back. An ARP question for the gateway's address is the host's to answer. ICMP errors are
// left as they are.
#include <map>
#include <utility>

#include "lab/box_pair.h"
#include "lab/four_tuple.h"
#include "lab/nat.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

class PortForwarder {
 public:
  PortForwarder(NatEnd from, NatEnd to) : from_(from), to_(to) {}

  void take_forward(FramePtr frame, StageContext& context) {
    if (rewrite_arp_question(*frame, from_.address, to_.address)) {
      context.touched(*frame, "ARP question translated");
    }
    const PacketView packet = view(*frame);
    const auto tuple = four_tuple(*frame, packet);
    if (tuple && from_.matches(tuple->destination)) {
      FourTuple translated = *tuple;
      translated.destination = to_.apply(tuple->destination);
      before_.insert_or_assign(translated.reversed(), tuple->destination);
      rewrite_end(*frame, packet, false, translated.destination);
      context.touched(*frame, "destination translated");
    }
    context.pass(std::move(frame));
  }

  void take_backward(FramePtr frame, StageContext& context) {
    if (rewrite_arp_answer(*frame, to_.address, from_.address)) {
      context.touched(*frame, "ARP answer translated back");
    }
    const PacketView packet = view(*frame);
    if (const auto tuple = four_tuple(*frame, packet)) {
      if (const auto known = before_.find(*tuple); known != before_.end()) {
        rewrite_end(*frame, packet, true, known->second);
        context.touched(*frame, "source translated back");
      }
    }
    context.pass(std::move(frame));
  }

 private:
  NatEnd from_, to_;
  std::map<FourTuple, Endpoint> before_;  // of answers: the destination their request had
};

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"from", "to"}); !given) {
    return std::unexpected(given.error());
  }
  const auto from = read_nat_end(settings, "from");
  if (!from) return std::unexpected(from.error());
  const auto to = read_nat_end(settings, "to");
  if (!to) return std::unexpected(to.error());
  return make_box_pair(settings, PortForwarder{*from, *to});
}

}  // namespace

extern const StageKind dnat;
const StageKind dnat{
    .name = "dnat",
    .level = Level::middlebox,
    .summary =
        "rewrites destinations, and sources of the answers; keys: from, to (10.0.0.2:80, "
        "[fd00::2]:80, or :80 for the port alone)",
    .make = make};

}  // namespace slowpath::lab::stages
