// SPDX-License-Identifier: Apache-2.0
// Finished connections: kept by id whatever order they ended in, and the lighter ones go first.
#include "flow/finished_facts.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

ConnectionFacts facts_with(std::uint32_t id, std::uint64_t bytes) {
  ConnectionFacts facts;
  facts.id = id;
  facts.directions[0].bytes = bytes;
  return facts;
}

std::vector<std::uint32_t> ids_of(const std::vector<ConnectionFacts>& list) {
  std::vector<std::uint32_t> ids;
  for (const ConnectionFacts& facts : list) ids.push_back(facts.id);
  return ids;
}

TEST(FinishedFacts, AreGivenById) {
  flow::FinishedFacts finished(1 << 30);
  for (const std::uint32_t id : {7U, 2U, 9U}) finished.keep(facts_with(id, id));
  finished.expect_rest(4);
  for (const std::uint32_t id : {0U, 1U, 8U, 10U}) finished.keep(facts_with(id, id));
  const std::vector<ConnectionFacts> kept = finished.take();
  EXPECT_EQ(ids_of(kept), (std::vector<std::uint32_t>{0, 1, 2, 7, 8, 9, 10}));
  for (const ConnectionFacts& facts : kept) EXPECT_EQ(facts.directions[0].bytes, facts.id);
}

TEST(FinishedFacts, TheLightestGoWhenTheBudgetIsReached) {
  constexpr std::size_t kRoom = 100;
  for (const bool early : {true, false}) {
    flow::FinishedFacts finished(kRoom * sizeof(ConnectionFacts));
    if (!early) finished.expect_rest(1000);
    // Every tenth is heavy; the light ones are equal, and of equals the earlier stay.
    for (std::uint32_t id = 0; id < 101; ++id) {
      finished.keep(facts_with(id, id % 10 == 0 ? 1000 : 5));
    }
    if (early) finished.expect_rest(0);
    const auto ids = ids_of(finished.take());
    EXPECT_EQ(ids.size(), 75U) << early;
    EXPECT_TRUE(std::ranges::is_sorted(ids));
    for (std::uint32_t id = 0; id < 101; ++id) {
      // 11 heavy ones, and 64 of the others: those below 72.
      EXPECT_EQ(std::ranges::count(ids, id), id % 10 == 0 || id < 72 ? 1 : 0) << id;
    }
  }
}

}  // namespace
}  // namespace slowpath::test
