// SPDX-License-Identifier: Apache-2.0
// vm-egress-cap: a constant sum of inconstant transfers to several peers, and a faster way in.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

constexpr double kSum = 125'000;  // bytes in each tenth of a second: 10 Mbit/s

void fill(DirectionFacts& data, bool first) {
  data.timeline.start = data.first_data;
  data.timeline.bin_s = 0.1;
  data.timeline.bins.assign(100, {});
  for (std::size_t i = 0; i < 100; ++i) {
    const double own = 0.5 + 0.3 * (i / 10 % 2 == 0 ? 1 : -1);
    data.timeline.bins[i].acked_bytes = static_cast<std::uint64_t>(kSum * (first ? own : 1 - own));
  }
  data.last_data = data.first_data + from_seconds(10);
  data.transfer_s = 10;
  data.rtt.loaded_s = 3 * data.rtt.total.min_s;
}

// Two downloads from one server to two clients share 10 Mbit/s; an upload to it makes 50 Mbit/s.
Case capped() {
  Case facts = healthy_case({.bytes = 6'000'000, .seconds = 10});
  add_connection(facts, {.bytes = 6'000'000, .seconds = 10});
  ConnectionFacts& upload = add_connection(facts, {.bytes = 60'000'000, .seconds = 10});
  facts.connections[1].server.address = facts.connections[0].server.address;
  facts.connections[1].client.address.bytes[3] ^= 0x40;
  fill(download_of(facts, 0), true);
  fill(download_of(facts, 1), false);
  ConnectionFacts& in = facts.connections[2];
  std::swap(in.client, in.server);
  in.client.address = facts.connections[1].client.address;
  in.client.address.bytes[3] ^= 0x20;
  (void)upload;
  in.server.address = facts.connections[0].server.address;
  std::swap(in.directions[0], in.directions[1]);
  in[Direction::to_server].goodput_bps = 50e6;
  return facts;
}

TEST(VmEgressCap, AConstantSumToSeveralPeersIsASuspect) {
  const auto found = run("vm-egress-cap", capped());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].connections.size(), 2U);
  EXPECT_NEAR(found[0].evidence.at(0).values[0].second, 10e6, 1e5);
  EXPECT_NE(found[0].next_capture.find("allowance_exceeded"), std::string::npos);
}

TEST(VmEgressCap, ALimitBothWaysIsNone) {
  Case facts = capped();
  facts.connections[2][Direction::to_server].goodput_bps = 10e6;
  EXPECT_TRUE(run("vm-egress-cap", facts).empty());
  EXPECT_FALSE(silences_of("vm-egress-cap", facts).empty());
}

TEST(VmEgressCap, OnePeerMayBeItsPath) {
  Case facts = capped();
  facts.connections[1].client.address = facts.connections[0].client.address;
  EXPECT_TRUE(run("vm-egress-cap", facts).empty());
}

TEST(VmEgressCap, TransfersThatAreConstantEachAreLimitedEach) {
  Case facts = capped();
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    for (TimelineBin& bin : download_of(facts, i).timeline.bins.kept()) bin.acked_bytes = 60'000;
  }
  EXPECT_TRUE(run("vm-egress-cap", facts).empty());
}

TEST(VmEgressCap, WithoutTimelinesNothingIsSaid) {
  Case facts = capped();
  download_of(facts, 0).timeline = {};
  EXPECT_TRUE(run("vm-egress-cap", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing
