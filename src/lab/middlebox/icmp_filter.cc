// SPDX-License-Identifier: Apache-2.0
// A firewall that takes ICMP for an attack: errors vanish (RFC 2979 says why they must not). It
// stands on the way that the errors take, so it concerns those of real routers; a mtu-drop that is
// not to be heard has icmp = none.
#include <cstdint>
#include <utility>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

/// Neighbour discovery (RFC 4861) is ICMPv6: without it there is no link at all.
bool is_neighbour_discovery(std::uint8_t type) { return type >= 133 && type <= 137; }

/// Destination unreachable, "fragmentation needed" with it, and packet too big.
bool is_unreachable(std::uint8_t version, std::uint8_t type) {
  return version == 4 ? type == 3 : type == 1 || type == 2;
}

Result<StagePair> make(Settings& settings) {
  const bool all = settings.choice("types", "unreachable", {"unreachable", "all"}) == "all";
  const auto applies = [all](const Frame& frame, const PacketView& packet) {
    const std::uint8_t protocol = packet.ip_version == 4 ? kIcmp4 : kIcmp6;
    if (packet.ip_version == 0 || packet.protocol != protocol || packet.fragment_offset != 0) {
      return false;
    }
    if (frame.len <= packet.l4_offset) return false;
    const std::uint8_t type = load_u8(frame.data + packet.l4_offset);
    if (protocol == kIcmp6 && is_neighbour_discovery(type)) return false;
    return all || is_unreachable(packet.ip_version, type);
  };
  const auto act = [](FramePtr frame, const PacketView&, StageContext& context) {
    context.drop(std::move(frame), "ICMP filtered");
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind icmp_filter;
const StageKind icmp_filter{
    .name = "icmp-filter",
    .level = Level::middlebox,
    .summary = "drops ICMP; keys: types = unreachable (and packet too big; default) | all",
    .make = make};

}  // namespace slowpath::lab::stages
