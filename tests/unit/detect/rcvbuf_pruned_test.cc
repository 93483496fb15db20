// SPDX-License-Identifier: Apache-2.0
// rcvbuf-pruned: SACKed bytes that are lost again are a suspicion, never more from a capture alone;
// a single ACK, or SACK blocks that cannot be true, are none.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_reneging(std::uint64_t count) {
  Case facts = healthy_case();
  DirectionFacts& data = download_of(facts);
  data.reneged.count = count;
  data.reneged.bytes = count * 14'480;
  data.reneged.frames = frames(count);
  data.lost_packets = 2 * count;
  charge(data, TimeOwner::timeout, 1);
  return facts;
}

TEST(RcvbufPruned, ReportedAndLostAgainIsASuspicion) {
  const auto found = run("rcvbuf-pruned", with_reneging(5));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
  EXPECT_NE(found[0].next_capture.find("OfoPruned"), std::string::npos);
}

TEST(RcvbufPruned, OneAckMayBeDamaged) {
  EXPECT_TRUE(run("rcvbuf-pruned", with_reneging(1)).empty());
  EXPECT_EQ(silences_of("rcvbuf-pruned", with_reneging(1)).size(), 1U);
}

TEST(RcvbufPruned, BlocksThatCannotBeTrueProveNothing) {
  Case facts = with_reneging(5);
  download_of(facts).sack_edges.impossible = 3;
  EXPECT_TRUE(run("rcvbuf-pruned", facts).empty());
}

TEST(RcvbufPruned, WithoutACostItIsANote) {
  Case facts = with_reneging(5);
  DirectionFacts& data = download_of(facts);
  data.time[TimeOwner::congestion_window] += data.time[TimeOwner::timeout];
  data.time[TimeOwner::timeout] = 0;
  const auto found = run("rcvbuf-pruned", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

}  // namespace
}  // namespace slowpath::testing
