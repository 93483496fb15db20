// SPDX-License-Identifier: Apache-2.0
// Sizes on the wire, against figures known in the field; fragments and distances against the Azure
// TCP tuning guide, with its slips put right (1500 + 520, kilometres).
#include <cstdint>

#include <gtest/gtest.h>

#include "detect/arithmetic/distance.h"
#include "detect/arithmetic/fragments.h"
#include "detect/arithmetic/packet_size.h"

namespace slowpath::arithmetic {
namespace {

constexpr auto kV4 = IpVersion::v4;
constexpr auto kV6 = IpVersion::v6;

TEST(PacketSize, mssAndPing) {
  EXPECT_EQ(mss_bytes(1500, kV4), 1460U);
  EXPECT_EQ(mss_bytes(1500, kV6), 1440U);
  EXPECT_EQ(mss_bytes(9000, kV4), 8960U);
  EXPECT_EQ(mss_bytes(30, kV4), 0U);
  EXPECT_EQ(segment_payload_bytes(1500, kV4, true), 1448U);
  EXPECT_EQ(segment_payload_bytes(9000, kV4, true), 8948U);
  EXPECT_EQ(ping_payload_bytes(1500, kV4), 1472U);
  EXPECT_EQ(ping_payload_bytes(9000, kV4), 8972U);
  EXPECT_EQ(ping_payload_bytes(1500, kV6), 1452U);
}

TEST(PacketSize, efficiencyByMtu) {
  EXPECT_NEAR(efficiency(576, kV4, false), 0.8730, 5e-5);
  EXPECT_NEAR(efficiency(1400, kV4, false), 0.9458, 5e-5);
  EXPECT_NEAR(efficiency(1500, kV4, false), 0.9493, 5e-5);
  EXPECT_NEAR(efficiency(1500, kV4, true), 0.9415, 5e-5);
  EXPECT_NEAR(efficiency(9000, kV4, false), 0.9914, 5e-5);
  EXPECT_NEAR(efficiency(9000, kV4, true), 0.9900, 5e-5);
}

TEST(PacketSize, timeOnTheWire) {
  EXPECT_EQ(wire_bytes(1500), 1538U);
  EXPECT_EQ(wire_bytes(9000), 9038U);
  EXPECT_EQ(wire_bytes(40), 84U) << "padded to the least frame";
  EXPECT_NEAR(serialisation_s(1538, 1e9), 12.30e-6, 5e-9);
  EXPECT_NEAR(serialisation_s(1538, 1e10), 1.23e-6, 5e-9);
  EXPECT_NEAR(serialisation_s(9038, 1e9), 72.3e-6, 5e-8);
  EXPECT_NEAR(serialisation_s(9038, 1e10), 7.23e-6, 5e-9);
  EXPECT_NEAR(packets_per_second(1500, 1e10), 812744, 0.5);
  EXPECT_NEAR(packets_per_second(9000, 1e10), 138305, 0.5);
  EXPECT_NEAR(packets_per_second(46, 1e9), 1488095, 0.5);
}

std::uint32_t mtu_within(const char* name, std::uint32_t link_mtu = 1500) {
  const Tunnel* tunnel = find_tunnel(name);
  return tunnel == nullptr ? 0 : tunnel_mtu(link_mtu, *tunnel);
}

TEST(Tunnel, roomWithin1500) {
  EXPECT_EQ(mtu_within("pppoe"), 1492U);
  EXPECT_EQ(mtu_within("gre"), 1476U);
  EXPECT_EQ(mtu_within("ipip"), 1480U);
  EXPECT_EQ(mtu_within("vxlan"), 1450U);
  EXPECT_EQ(mtu_within("geneve"), 1450U);
  EXPECT_EQ(mtu_within("wireguard"), 1440U);
  EXPECT_EQ(mtu_within("wireguard-v6"), 1420U);
  EXPECT_EQ(mtu_within("gtpu"), 1464U);
  EXPECT_EQ(find_tunnel("carrier-pigeon"), nullptr);
  EXPECT_EQ(mtu_within("vxlan", 40), 0U);
}

TEST(Tunnel, espPadsToItsBlock) {
  EXPECT_EQ(mtu_within("ipsec"), 1438U);
  EXPECT_EQ(mtu_within("ipsec-natt"), 1422U);
  EXPECT_EQ(mtu_within("ipsec-gcm"), 1446U);
  // One byte less of room costs a whole block.
  EXPECT_EQ(mtu_within("ipsec", 1499), 1422U);
}

TEST(Tunnel, largestPacketFillsTheLinkAndTheNextDoesNotFit) {
  for (const Tunnel& tunnel : kTunnels) {
    for (std::uint32_t link_mtu = 1400; link_mtu < 1520; ++link_mtu) {
      const std::uint32_t most = tunnel_mtu(link_mtu, tunnel);
      EXPECT_LE(tunnelled_bytes(most, tunnel), link_mtu) << tunnel.name;
      EXPECT_GT(tunnelled_bytes(most + 1, tunnel), link_mtu) << tunnel.name;
    }
  }
}

TEST(Fragments, eachHasItsOwnHeader) {
  const auto fragments = fragments_of(2000, 1500, kV4);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(fragments[0].packet_bytes, 1500U);
  EXPECT_EQ(fragments[1].packet_bytes, 520U);
  EXPECT_EQ(fragments[1].offset_bytes, 1480U);
}

TEST(Fragments, oneWhereItFits) {
  const auto fragments = fragments_of(1500, 1500, kV4);
  ASSERT_EQ(fragments.size(), 1U);
  EXPECT_EQ(fragments[0].packet_bytes, 1500U);
  EXPECT_EQ(fragments_of(1501, 1500, kV4).size(), 2U);
}

TEST(Fragments, ipv6HasAFragmentHeader) {
  const auto fragments = fragments_of(2000, 1500, kV6);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(fragments[0].packet_bytes, 1496U);
  EXPECT_EQ(fragments[1].packet_bytes, 560U);
}

TEST(Fragments, coverThePayloadOnce) {
  for (const std::uint32_t mtu : {68U, 576U, 1400U, 1500U, 9000U}) {
    for (const std::uint32_t size : {21U, 1501U, 9001U, max_packet_bytes(kV4)}) {
      std::uint32_t next = 0;
      for (const Fragment& fragment : fragments_of(size, mtu, kV4)) {
        EXPECT_EQ(fragment.offset_bytes, next);
        EXPECT_EQ(fragment.offset_bytes % 8, 0U);
        EXPECT_LE(fragment.packet_bytes, mtu);
        next += fragment.payload_bytes;
      }
      EXPECT_EQ(next, size - 20) << size << " at " << mtu;
    }
  }
}

TEST(Distance, roundTripOfThreeRoutes) {
  EXPECT_NEAR(rtt_floor_s(4148), 0.042, 0.0006);
  EXPECT_NEAR(rtt_floor_s(5585), 0.056, 0.0006);
  EXPECT_NEAR(rtt_floor_s(15993), 0.160, 0.0006);
  EXPECT_NEAR(farthest_km(rtt_floor_s(4148)), 4148, 1e-9);
}

}  // namespace
}  // namespace slowpath::arithmetic
