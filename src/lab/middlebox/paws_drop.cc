// SPDX-License-Identifier: Apache-2.0
// A host, or a box in front of it, that keeps one timestamp clock per address, as Linux did with
// tcp_tw_recycle: behind a NAT several clocks share an address, and the slower ones' SYNs vanish
// (RFC 7323 appendix B).
#include <cstdint>
#include <map>
#include <utility>

#include "base/sequence.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

class ClockPerAddress {
 public:
  ClockPerAddress(Duration within, bool checks_all) : within_(within), checks_all_(checks_all) {}

  void operator()(FramePtr frame, const PacketView& packet, StageContext& context) {
    const auto value = timestamp_value(*frame, packet);
    if (!value) {
      context.pass(std::move(frame));
      return;
    }
    const auto [entry, is_new] = newest_.try_emplace(ip_address(*frame, packet, true),
                                                     Newest{SeqNum{*value}, context.now()});
    Newest& newest = entry->second;
    const bool is_older = SeqNum{*value} < newest.value && context.now() - newest.seen < within_;
    if (is_older && (checks_all_ || is_opening_syn(packet))) {
      context.drop(std::move(frame), "timestamp older than another of this address");
      return;
    }
    if (!is_older) newest = {SeqNum{*value}, context.now()};
    context.pass(std::move(frame));
  }

 private:
  struct Newest {
    SeqNum value;
    Time seen;
  };
  Duration within_;
  bool checks_all_;
  std::map<IpAddress, Newest> newest_;
};

Result<StagePair> make(Settings& settings) {
  const Duration within = settings.duration("within", std::chrono::seconds{60});  // TCP_PAWS_MSL
  const bool checks_all = settings.choice("what", "syn", {"syn", "all"}) == "all";
  const auto applies = [](const Frame&, const PacketView& packet) { return packet.is_tcp; };
  return make_rule_stage(settings, applies, ClockPerAddress{within, checks_all});
}

}  // namespace

extern const StageKind paws_drop;
const StageKind paws_drop{
    .name = "paws-drop",
    .level = Level::middlebox,
    .summary =
        "drops SYNs with an older timestamp than another packet of their address; keys: "
        "within (default 60s), what = syn (default) | all segments",
    .make = make};

}  // namespace slowpath::lab::stages
