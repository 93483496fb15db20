// SPDX-License-Identifier: Apache-2.0
// A router that fragments IPv4 packets for a narrower link, as it may where DF is not set; some
// tunnel gateways clear DF first. Over parallel queues one fragment may overtake another.
#include <cstdint>
#include <utility>

#include <fmt/core.h>

#include "lab/ip4_fragments.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;

void clear_dont_fragment(Frame& frame, const PacketView& packet) {
  std::byte* field = frame.data + packet.ip_offset + 6;
  store_be16(field, static_cast<std::uint16_t>(load_be16(field) & ~kDontFragment));
  finish_ip_header(frame, packet);
}

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"mtu"}); !given) return std::unexpected(given.error());
  const auto mtu = static_cast<std::uint32_t>(settings.number("mtu", 1500, 68, 65535));
  const bool clears = settings.flag("clear_df");
  const double overtakes = settings.share("overtake");
  const auto applies = [mtu, clears](const Frame&, const PacketView& packet) {
    return packet.ip_version == 4 && packet.ip_len > mtu && (clears || !packet.dont_fragment);
  };
  const auto act = [mtu, overtakes](FramePtr frame, const PacketView& packet,
                                    StageContext& context) {
    if (packet.dont_fragment) clear_dont_fragment(*frame, packet);
    auto fragments = cut_ip4_fragments(context.pool(), *frame, packet, mtu);
    if (fragments.empty()) {
      context.drop(std::move(frame), "too large, and has no room for fragments");
      return;
    }
    context.touched(*frame, "fragmented", fmt::format("into {}", fragments.size()));
    if (overtakes > 0 && fragments.size() > 1 && context.random().chance(overtakes)) {
      std::swap(fragments[0], fragments[1]);
      context.touched(*frame, "fragments out of order", "the second before the first");
    }
    for (auto& fragment : fragments) context.pass(std::move(fragment));
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind fragment;
const StageKind fragment{
    .name = "fragment",
    .level = Level::middlebox,
    .summary =
        "fragments IPv4 packets without DF above mtu; keys: mtu, clear_df (fragments those "
        "with DF too)",
    .make = make};

}  // namespace slowpath::lab::stages
