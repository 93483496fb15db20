// SPDX-License-Identifier: Apache-2.0
// duplex-mismatch: losses that keep to the times in which both ways carry data.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

constexpr std::uint64_t kSegment = 1448;

// Ten seconds of download; in every second half second the client sends as well, and one segment in
// twenty-five is lost then. `alone_too`: as many are lost in the other half.
Case half_duplex(bool alone_too = false) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  ConnectionFacts& connection = facts.connections[0];
  DirectionFacts& down = connection[Direction::to_client];
  DirectionFacts& up = connection[Direction::to_server];
  up.segment_size = kSegment;
  up.bytes = up.bytes_seen = 2'000'000;
  down.timeline.start = up.timeline.start = down.first_data;
  down.timeline.bin_s = up.timeline.bin_s = 0.1;
  down.timeline.bins.assign(100, {});
  up.timeline.bins.assign(100, {});
  for (std::size_t bin = 0; bin < 100; ++bin) {
    down.timeline.bins[bin].sent_bytes = 50 * kSegment;
    const bool both = bin / 5 % 2 == 1;
    if (both) up.timeline.bins[bin].sent_bytes = 10 * kSegment;
    if (!both && !alone_too) continue;
    for (int i = 0; i < 2; ++i) {
      LossEvent loss;
      loss.waited_s = 0.02;
      loss.time = down.first_data + from_seconds(0.1 * static_cast<double>(bin) + 0.06);
      loss.offset = (50 * bin + 20 + bin * bin % 7) * kSegment;
      loss.rtt_before_s = 0.020;
      loss.original = loss.resend = FrameRef{0, 100 + bin};
      loss.episode = static_cast<std::uint32_t>(bin);
      down.losses.push_back(loss);
      ++down.lost_packets;
    }
    ++down.loss_episodes;
  }
  down.rtt.quantiles_s.fill(0.020);  // no queue
  charge(down, TimeOwner::loss_recovery, 4);
  return facts;
}

TEST(DuplexMismatch, LossesOnlyWhileBothWaysCarryDataAreASuspect) {
  const auto found = run("duplex-mismatch", half_duplex());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("Duplex"), std::string::npos);
  EXPECT_NEAR(found[0].evidence.at(0).values[0].second, 0.04, 0.001);
}

TEST(DuplexMismatch, LossesAtAllTimesAreNone) {
  EXPECT_TRUE(run("duplex-mismatch", half_duplex(true)).empty());
  EXPECT_FALSE(silences_of("duplex-mismatch", half_duplex(true)).empty());
}

TEST(DuplexMismatch, AQueueThatBothShareIsNone) {
  Case facts = half_duplex();
  download_of(facts).rtt.loaded_s = 0.080;
  EXPECT_TRUE(run("duplex-mismatch", facts).empty());
}

TEST(DuplexMismatch, OneWayAloneShowsNothing) {
  Case facts = half_duplex();
  for (TimelineBin& bin : facts.connections[0][Direction::to_server].timeline.bins.kept())
    bin.sent_bytes = 0;
  EXPECT_TRUE(run("duplex-mismatch", facts).empty());
}

TEST(DuplexMismatch, WithoutTimelinesNothingIsSaid) {
  Case facts = half_duplex();
  download_of(facts).timeline = {};
  EXPECT_TRUE(run("duplex-mismatch", facts).empty());
}

TEST(DuplexMismatch, AFewLossesAreTooFew) {
  Case facts = half_duplex();
  download_of(facts).lost_packets = 9;
  EXPECT_TRUE(run("duplex-mismatch", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing
