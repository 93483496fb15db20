// SPDX-License-Identifier: Apache-2.0
#include "machine/live/ethtool_netlink.h"

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace slowpath::machine {
namespace {

using netlink::Attributes;

// Linux 6.2; the headers of Debian 12 end before it.
constexpr std::uint8_t kRssGet = 38;
constexpr unsigned kRssHashFunction = 3, kRssIndirection = 4;

struct Query {
  EthtoolTopic topic;
  std::uint8_t command;
  std::uint32_t flags;
};
constexpr Query kDumps[] = {
    // Verbose bit sets carry the names of the features.
    {EthtoolTopic::features, ETHTOOL_MSG_FEATURES_GET, 0},
    {EthtoolTopic::rings, ETHTOOL_MSG_RINGS_GET, 0},
    {EthtoolTopic::channels, ETHTOOL_MSG_CHANNELS_GET, 0},
    {EthtoolTopic::coalesce, ETHTOOL_MSG_COALESCE_GET, 0},
    {EthtoolTopic::link, ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_FLAG_COMPACT_BITSETS},
    {EthtoolTopic::pause, ETHTOOL_MSG_PAUSE_GET, 0},
};

// The kernel's mark for a speed nobody knows (SPEED_UNKNOWN), in Mbit/s.
constexpr std::uint32_t kSpeedUnknown = 0xffffffff;

// Calls with the name of each bit of a verbose bit set and whether it is set. A set without a mask
// lists set bits only.
template <typename Take>
void each_bit(const Attributes& bitset, const Take& take) {
  const bool is_list = bitset.find(ETHTOOL_A_BITSET_NOMASK).has_value();
  for (const auto& bit : bitset.nested(ETHTOOL_A_BITSET_BITS)) {
    if (bit.type != ETHTOOL_A_BITSET_BITS_BIT) continue;
    const Attributes told{bit.payload};
    const std::string name = told.text(ETHTOOL_A_BITSET_BIT_NAME);
    const bool is_set = is_list || told.find(ETHTOOL_A_BITSET_BIT_VALUE).has_value();
    if (!name.empty()) take(name, is_set);
  }
}

std::set<std::string> set_bits(const Attributes& bitset) {
  std::set<std::string> names;
  each_bit(bitset, [&](const std::string& name, bool is_set) {
    if (is_set) names.insert(name);
  });
  return names;
}

// The set HW lists every feature and whether the driver lets it be changed; NOCHANGE are those that
// nobody can. As `ethtool -k` has it, both mean [fixed].
void apply_features(const Attributes& reply, InterfaceFacts& facts) {
  const auto active = set_bits(reply.nested(ETHTOOL_A_FEATURES_ACTIVE));
  const auto wanted = set_bits(reply.nested(ETHTOOL_A_FEATURES_WANTED));
  const auto fixed = set_bits(reply.nested(ETHTOOL_A_FEATURES_NOCHANGE));
  each_bit(reply.nested(ETHTOOL_A_FEATURES_HW), [&](const std::string& name, bool changeable) {
    FeatureState state;
    state.on = active.contains(name);
    state.fixed = !changeable || fixed.contains(name);
    if (!state.fixed) state.requested = wanted.contains(name);
    facts.features[name] = state;
  });
}

void apply_rings(const Attributes& reply, RingFacts& rings) {
  rings = {.rx = reply.u32(ETHTOOL_A_RINGS_RX),
           .tx = reply.u32(ETHTOOL_A_RINGS_TX),
           .rx_max = reply.u32(ETHTOOL_A_RINGS_RX_MAX),
           .tx_max = reply.u32(ETHTOOL_A_RINGS_TX_MAX)};
}

void apply_channels(const Attributes& reply, ChannelFacts& channels) {
  channels = {.rx = reply.u32(ETHTOOL_A_CHANNELS_RX_COUNT),
              .tx = reply.u32(ETHTOOL_A_CHANNELS_TX_COUNT),
              .combined = reply.u32(ETHTOOL_A_CHANNELS_COMBINED_COUNT),
              .rx_max = reply.u32(ETHTOOL_A_CHANNELS_RX_MAX),
              .tx_max = reply.u32(ETHTOOL_A_CHANNELS_TX_MAX),
              .combined_max = reply.u32(ETHTOOL_A_CHANNELS_COMBINED_MAX)};
}

std::optional<bool> flag(std::optional<std::uint8_t> value) {
  if (!value) return std::nullopt;
  return *value != 0;
}

void apply_coalesce(const Attributes& reply, CoalesceFacts& coalesce) {
  coalesce.rx_us = reply.u32(ETHTOOL_A_COALESCE_RX_USECS);
  coalesce.rx_frames = reply.u32(ETHTOOL_A_COALESCE_RX_MAX_FRAMES);
  coalesce.tx_us = reply.u32(ETHTOOL_A_COALESCE_TX_USECS);
  coalesce.tx_frames = reply.u32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES);
  coalesce.adaptive_rx = flag(reply.u8(ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX));
  coalesce.adaptive_tx = flag(reply.u8(ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX));
}

void apply_link(const Attributes& reply, InterfaceFacts& facts) {
  const auto speed = reply.u32(ETHTOOL_A_LINKMODES_SPEED);
  if (speed && *speed != kSpeedUnknown && *speed != 0) {
    facts.speed_bps = std::int64_t{*speed} * 1'000'000;
  }
  const auto duplex = reply.u8(ETHTOOL_A_LINKMODES_DUPLEX);
  if (duplex == DUPLEX_FULL) facts.duplex = "full";
  if (duplex == DUPLEX_HALF) facts.duplex = "half";
  if (const auto autoneg = flag(reply.u8(ETHTOOL_A_LINKMODES_AUTONEG))) {
    facts.properties["autoneg"] = *autoneg ? "on" : "off";
  }
}

void apply_pause(const Attributes& reply, InterfaceFacts& facts) {
  const std::pair<unsigned, const char*> kinds[] = {{ETHTOOL_A_PAUSE_AUTONEG, "pause.autoneg"},
                                                    {ETHTOOL_A_PAUSE_RX, "pause.rx"},
                                                    {ETHTOOL_A_PAUSE_TX, "pause.tx"}};
  for (const auto& [type, property] : kinds) {
    if (const auto on = flag(reply.u8(type))) facts.properties[property] = *on ? "on" : "off";
  }
}

void apply_rss(const Attributes& reply, RssFacts& rss) {
  rss.hash = rss_hash_name(reply.u32(kRssHashFunction).value_or(0));
  Bytes table = reply.find(kRssIndirection).value_or(Bytes{});
  rss.indirection.clear();
  for (; table.size() >= 4; table = table.subspan(4)) {
    rss.indirection.push_back(load_le32(table.data()));
  }
}

struct Family {
  netlink::Socket socket;
  std::uint16_t id = 0;
};

std::optional<Family> find_family() {
  auto socket = netlink::Socket::open(NETLINK_GENERIC);
  if (!socket) return std::nullopt;
  netlink::Request request{GENL_ID_CTRL, 0};
  request.body(genlmsghdr{.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0});
  request.attribute_text(CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
  std::optional<std::uint16_t> id;
  const int error = socket->ask(request, [&](const netlink::Message& message) {
    id = netlink::attributes_after(message.payload, sizeof(genlmsghdr)).u16(CTRL_ATTR_FAMILY_ID);
  });
  if (error != 0 || !id) return std::nullopt;
  return Family{*std::move(socket), *id};
}

// Of all interfaces where `index` is 0. Refusals are left to the ioctl, which says why.
void ask(Family& family, const Query& query, std::uint32_t index, MachineFacts& machine,
         EthtoolTold& told) {
  netlink::Request request{family.id,
                           static_cast<std::uint16_t>(index == 0 ? unsigned{NLM_F_DUMP} : 0U)};
  request.body(genlmsghdr{.cmd = query.command, .version = ETHTOOL_GENL_VERSION, .reserved = 0});
  const std::size_t header = request.begin_nest(1);  // ETHTOOL_A_*_HEADER is 1 everywhere
  if (index != 0) request.attribute_u32(ETHTOOL_A_HEADER_DEV_INDEX, index);
  if (query.flags != 0) request.attribute_u32(ETHTOOL_A_HEADER_FLAGS, query.flags);
  request.end_nest(header);
  (void)family.socket.ask(request, [&](const netlink::Message& message) {
    const Attributes reply = netlink::attributes_after(message.payload, sizeof(genlmsghdr));
    const std::uint32_t about = reply_interface(reply);
    const auto place = std::ranges::find(machine.interfaces, about, &InterfaceFacts::index);
    if (about == 0 || place == machine.interfaces.end()) return;
    apply_ethtool_reply(query.topic, reply, *place);
    told[about].insert(query.topic);
  });
}

}  // namespace

const char* to_string(EthtoolTopic topic) {
  switch (topic) {
    case EthtoolTopic::features:
      return "features";
    case EthtoolTopic::rings:
      return "rings";
    case EthtoolTopic::channels:
      return "channels";
    case EthtoolTopic::coalesce:
      return "coalescing";
    case EthtoolTopic::link:
      return "speed and duplex";
    case EthtoolTopic::pause:
      return "pause frames";
    case EthtoolTopic::rss:
      return "RSS";
  }
  return "";
}

std::uint32_t reply_interface(const Attributes& reply) {
  return reply.nested(1).u32(ETHTOOL_A_HEADER_DEV_INDEX).value_or(0);
}

std::string rss_hash_name(std::uint32_t bits) {
  if ((bits & 1U) != 0) return "toeplitz";
  if ((bits & 2U) != 0) return "xor";
  if ((bits & 4U) != 0) return "crc32";
  return {};
}

void apply_ethtool_reply(EthtoolTopic topic, const Attributes& reply, InterfaceFacts& facts) {
  switch (topic) {
    case EthtoolTopic::features:
      return apply_features(reply, facts);
    case EthtoolTopic::rings:
      return apply_rings(reply, facts.rings);
    case EthtoolTopic::channels:
      return apply_channels(reply, facts.channels);
    case EthtoolTopic::coalesce:
      return apply_coalesce(reply, facts.coalesce);
    case EthtoolTopic::link:
      return apply_link(reply, facts);
    case EthtoolTopic::pause:
      return apply_pause(reply, facts);
    case EthtoolTopic::rss:
      return apply_rss(reply, facts.rss);
  }
}

EthtoolTold read_ethtool_netlink(MachineFacts& machine) {
  EthtoolTold told;
  auto family = find_family();
  if (!family) return told;
  for (const Query& query : kDumps) ask(*family, query, 0, machine, told);
  // RSS can be listed only since Linux 6.13: one interface after the other.
  for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
    ask(*family, {EthtoolTopic::rss, kRssGet, 0}, machine.interfaces[i].index, machine, told);
  }
  return told;
}

}  // namespace slowpath::machine
