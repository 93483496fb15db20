// SPDX-License-Identifier: Apache-2.0
// sender-cpu-limited: uneven gaps that no link explains are a suspicion without a price. A link's
// serialisation comes first: the 4.5 Gbit/s of story S1, jumbo frames each 7 to 10 us, are 10GbE.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_gaps(double median_s, double median_bytes, std::uint32_t segment_size) {
  Case facts = healthy_case({.bytes = 500'000'000, .seconds = 10, .rtt_s = 0.0005});
  DirectionFacts& data = download_of(facts);
  data.segment_size = segment_size;
  data.spacing = {.gaps = 200'000,
                  .p10_s = median_s * 0.8,
                  .median_s = median_s,
                  .p90_s = median_s * 2,
                  .median_bytes = median_bytes};
  data.flight_max_bytes = 60'000;
  data.window.max_bytes = 2'800'000;
  charge(data, TimeOwner::pacing_or_cpu, 6);
  return facts;
}

TEST(SenderCpuLimited, GapsThatNoLinkExplainsAreASuspicion) {
  // 1500 bytes each 25 us: half a gigabit a second.
  const auto found = run("sender-cpu-limited", with_gaps(25e-6, 1448, 1448));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_EQ(found[0].seconds_lost, 0);
  EXPECT_NE(found[0].next_capture.find("mpstat"), std::string::npos);
}

// 450 packets, 12 us apart, in half a second: nearly all of it went by in a few pauses.
TEST(SenderCpuLimited, AFewLongPausesBetweenFastBurstsAreNoRhythm) {
  Case facts = with_gaps(12.2e-6, 21'420, 1448);
  download_of(facts).spacing.gaps = 450;
  EXPECT_TRUE(run("sender-cpu-limited", facts).empty());
  EXPECT_EQ(silences_of("sender-cpu-limited", facts).size(), 1U);
}

TEST(SenderCpuLimited, JumboFramesEachEightMicrosecondsAreTenGigabitEthernet) {
  const Case facts = with_gaps(8.0e-6, 8948, 8948);
  EXPECT_TRUE(run("sender-cpu-limited", facts).empty());
  const auto silences = silences_of("sender-cpu-limited", facts);
  ASSERT_EQ(silences.size(), 1U);
  EXPECT_NE(silences[0].why.find("7.2"), std::string::npos) << silences[0].why;
}

TEST(SenderCpuLimited, EvenGapsArePacing) {
  Case facts = with_gaps(25e-6, 1448, 1448);
  download_of(facts).spacing.p90_s = 28e-6;
  EXPECT_TRUE(run("sender-cpu-limited", facts).empty());
}

TEST(SenderCpuLimited, AwayFromTheSenderGapsAreThePaths) {
  Case facts = with_gaps(25e-6, 1448, 1448);
  download_of(facts).vantage = Vantage::receiver;
  EXPECT_TRUE(run("sender-cpu-limited", facts).empty());
}

TEST(SenderCpuLimited, AFewGapsSayNothing) {
  Case facts = with_gaps(25e-6, 1448, 1448);
  download_of(facts).spacing.gaps = 199;
  EXPECT_TRUE(run("sender-cpu-limited", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing
