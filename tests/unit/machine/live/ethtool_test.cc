// SPDX-License-Identifier: Apache-2.0
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/netlink.h>

#include <array>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/live/ethtool_ioctl.h"
#include "machine/live/ethtool_netlink.h"
#include "unit/machine/live/messages.h"

namespace slowpath::machine {
namespace {

using netlink::Attributes;
using netlink::Request;
using testing::add;
using testing::each_damage;
using ::testing::ElementsAre;
using testing::payload_of;

Request reply_about(std::uint32_t index) {
  Request request{21, NLM_F_MULTI};
  const std::size_t header = request.begin_nest(1);
  request.attribute_u32(ETHTOOL_A_HEADER_DEV_INDEX, index);
  request.attribute_text(ETHTOOL_A_HEADER_DEV_NAME, "eth0");
  request.end_nest(header);
  return request;
}

struct Bit {
  const char* name;
  bool value;
};
// As ethnl_put_bitset32 writes it: a list of set bits, or with values where there is a mask.
void add_bitset(Request& request, unsigned type, bool is_list, std::vector<Bit> bits) {
  const std::size_t set = request.begin_nest(type);
  if (is_list) request.attribute(ETHTOOL_A_BITSET_NOMASK, {});
  const std::size_t nest = request.begin_nest(ETHTOOL_A_BITSET_BITS);
  for (std::uint32_t i = 0; i < bits.size(); ++i) {
    const std::size_t bit = request.begin_nest(ETHTOOL_A_BITSET_BITS_BIT);
    request.attribute_u32(ETHTOOL_A_BITSET_BIT_INDEX, i);
    request.attribute_text(ETHTOOL_A_BITSET_BIT_NAME, bits[i].name);
    if (bits[i].value) request.attribute(ETHTOOL_A_BITSET_BIT_VALUE, {});
    request.end_nest(bit);
  }
  request.end_nest(nest);
  request.end_nest(set);
}

Request features_reply() {
  Request reply = reply_about(4);
  add_bitset(reply, ETHTOOL_A_FEATURES_HW, false,
             {{"tx-tcp-segmentation", true},
              {"rx-gro", true},
              {"rx-lro", false},
              {"netns-local", true},
              {"rx-hashing", true}});
  add_bitset(reply, ETHTOOL_A_FEATURES_WANTED, true, {{"rx-gro", false}, {"rx-hashing", false}});
  add_bitset(reply, ETHTOOL_A_FEATURES_ACTIVE, true, {{"rx-gro", false}, {"netns-local", false}});
  add_bitset(reply, ETHTOOL_A_FEATURES_NOCHANGE, true, {{"netns-local", false}});
  return reply;
}

InterfaceFacts applied(EthtoolTopic topic, Request& reply) {
  const auto payload = payload_of(reply);
  EXPECT_EQ(reply_interface(Attributes{payload}), 4U);
  InterfaceFacts facts;
  apply_ethtool_reply(topic, Attributes{payload}, facts);
  each_damage(payload, [&](Bytes damaged) {
    InterfaceFacts any;
    apply_ethtool_reply(topic, Attributes{damaged}, any);
    (void)reply_interface(Attributes{damaged});
  });
  return facts;
}

TEST(EthtoolNetlink, FeaturesWithFixedAndRequested) {
  Request reply = features_reply();
  const InterfaceFacts facts = applied(EthtoolTopic::features, reply);
  ASSERT_EQ(facts.features.size(), 5U);
  const auto& tso = facts.features.at("tx-tcp-segmentation");
  EXPECT_FALSE(tso.on);
  EXPECT_FALSE(tso.fixed);
  EXPECT_EQ(tso.requested, false);
  const auto& gro = facts.features.at("rx-gro");
  EXPECT_TRUE(gro.on);
  EXPECT_FALSE(gro.fixed);
  const auto& lro = facts.features.at("rx-lro");
  EXPECT_FALSE(lro.on);
  EXPECT_TRUE(lro.fixed);  // the driver cannot
  EXPECT_EQ(lro.requested, std::nullopt);
  const auto& local = facts.features.at("netns-local");
  EXPECT_TRUE(local.on);
  EXPECT_TRUE(local.fixed);  // nobody may
  const auto& hashing = facts.features.at("rx-hashing");
  EXPECT_FALSE(hashing.on);
  EXPECT_EQ(hashing.requested, true);  // wanted, and something else forbids it
}

TEST(EthtoolNetlink, RingsChannelsCoalescing) {
  Request rings = reply_about(4);
  rings.attribute_u32(ETHTOOL_A_RINGS_RX, 512).attribute_u32(ETHTOOL_A_RINGS_RX_MAX, 4096);
  rings.attribute_u32(ETHTOOL_A_RINGS_TX, 256);
  const RingFacts ring = applied(EthtoolTopic::rings, rings).rings;
  EXPECT_EQ(ring.rx, 512U);
  EXPECT_EQ(ring.rx_max, 4096U);
  EXPECT_EQ(ring.tx, 256U);
  EXPECT_EQ(ring.tx_max, std::nullopt);
  Request channels = reply_about(4);
  channels.attribute_u32(ETHTOOL_A_CHANNELS_COMBINED_COUNT, 1);
  channels.attribute_u32(ETHTOOL_A_CHANNELS_COMBINED_MAX, 8);
  const ChannelFacts channel = applied(EthtoolTopic::channels, channels).channels;
  EXPECT_EQ(channel.combined, 1U);
  EXPECT_EQ(channel.combined_max, 8U);
  EXPECT_EQ(channel.rx, std::nullopt);
  Request coalesce = reply_about(4);
  coalesce.attribute_u32(ETHTOOL_A_COALESCE_RX_USECS, 30);
  coalesce.attribute_u32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES, 64);
  add(coalesce, ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, std::uint8_t{1});
  const CoalesceFacts times = applied(EthtoolTopic::coalesce, coalesce).coalesce;
  EXPECT_EQ(times.rx_us, 30U);
  EXPECT_EQ(times.tx_frames, 64U);
  EXPECT_EQ(times.adaptive_rx, true);
  EXPECT_EQ(times.adaptive_tx, std::nullopt);
}

TEST(EthtoolNetlink, SpeedDuplexAndPause) {
  Request link = reply_about(4);
  link.attribute_u32(ETHTOOL_A_LINKMODES_SPEED, 100);
  add(link, ETHTOOL_A_LINKMODES_DUPLEX, std::uint8_t{DUPLEX_HALF});
  add(link, ETHTOOL_A_LINKMODES_AUTONEG, std::uint8_t{0});
  const InterfaceFacts facts = applied(EthtoolTopic::link, link);
  EXPECT_EQ(facts.speed_bps, 100'000'000);
  EXPECT_EQ(facts.duplex, "half");
  EXPECT_EQ(facts.properties.at("autoneg"), "off");
  Request unknown = reply_about(4);
  unknown.attribute_u32(ETHTOOL_A_LINKMODES_SPEED, 0xffffffff);
  add(unknown, ETHTOOL_A_LINKMODES_DUPLEX, std::uint8_t{0xff});
  const InterfaceFacts none = applied(EthtoolTopic::link, unknown);
  EXPECT_EQ(none.speed_bps, std::nullopt);
  EXPECT_EQ(none.duplex, "");
  Request pause = reply_about(4);
  add(pause, ETHTOOL_A_PAUSE_RX, std::uint8_t{1});
  EXPECT_EQ(applied(EthtoolTopic::pause, pause).properties.at("pause.rx"), "on");
}

TEST(EthtoolNetlink, RssTableAndHash) {
  Request reply = reply_about(4);
  reply.attribute_u32(3, 1);  // toeplitz
  add(reply, 4, std::array<std::uint32_t, 4>{0, 1, 0, 1});
  const RssFacts rss = applied(EthtoolTopic::rss, reply).rss;
  EXPECT_EQ(rss.hash, "toeplitz");
  EXPECT_THAT(rss.indirection, ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(rss_hash_name(2), "xor");
  EXPECT_EQ(rss_hash_name(0), "");
}

std::vector<std::byte> string_set(std::initializer_list<const char*> names) {
  std::vector<std::byte> bytes;
  for (const char* name : names) {
    std::array<char, ETH_GSTRING_LEN> field{};
    std::strncpy(field.data(), name, field.size());  // a full field has no zero at its end
    const auto view = std::as_bytes(std::span{field});
    bytes.insert(bytes.end(), view.begin(), view.end());
  }
  return bytes;
}

TEST(EthtoolIoctl, StringSets) {
  const auto bytes = string_set({"rx_packets", " tx0_kicks", "a-name-of-all-the-32-letters-xyz"});
  EXPECT_THAT(parse_string_set(bytes),
              ElementsAre("rx_packets", "tx0_kicks", "a-name-of-all-the-32-letters-xyz"));
  EXPECT_EQ(parse_string_set(Bytes{bytes}.first(40)).size(), 1U);  // half a name is none
}

TEST(EthtoolIoctl, StatisticsKeepWhatRtnetlinkSaid) {
  InterfaceFacts facts;
  facts.statistics["rx_packets"] = 7;
  apply_driver_statistics({"rx_packets", "rx_missed", "", "rx_missed"},
                          std::array<std::uint64_t, 5>{1, 2, 3, 4, 5}, facts);
  EXPECT_THAT(facts.statistics,
              ElementsAre(::testing::Pair("rx_missed", 2), ::testing::Pair("rx_packets", 7)));
  apply_driver_statistics({"a", "b"}, std::array<std::uint64_t, 1>{9}, facts);
  EXPECT_EQ(facts.statistics.at("a"), 9U);
  EXPECT_FALSE(facts.statistics.contains("b"));
}

TEST(EthtoolIoctl, FeatureBlocks) {
  std::vector<std::string> names(33, "");
  names[0] = "tx-tcp-segmentation";
  names[1] = "rx-lro";
  names[32] = "rx-gro";
  // available, requested, active, never changed
  const std::array<ethtool_get_features_block, 2> blocks{{{1, 1, 0, 0}, {1, 1, 1, 1}}};
  InterfaceFacts facts;
  apply_feature_blocks(names, std::as_bytes(std::span{blocks}), facts);
  ASSERT_EQ(facts.features.size(), 3U);
  EXPECT_FALSE(facts.features.at("tx-tcp-segmentation").on);
  EXPECT_EQ(facts.features.at("tx-tcp-segmentation").requested, true);
  EXPECT_TRUE(facts.features.at("rx-lro").fixed);
  EXPECT_TRUE(facts.features.at("rx-gro").on);
  EXPECT_TRUE(facts.features.at("rx-gro").fixed);
  InterfaceFacts cut;
  apply_feature_blocks(names, std::as_bytes(std::span{blocks}).first(17), cut);
  EXPECT_EQ(cut.features.size(), 2U);  // the second block is not whole
}

TEST(EthtoolIoctl, HashFields) {
  EXPECT_EQ(hash_field_letters(RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3), "sdfn");
  EXPECT_EQ(hash_field_letters(RXH_IP_SRC | RXH_IP_DST), "sd");
  EXPECT_EQ(hash_field_letters(0), "");
}

}  // namespace
}  // namespace slowpath::machine
