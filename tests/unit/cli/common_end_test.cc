// SPDX-License-Identifier: Apache-2.0
// Threads that read the same input end at the same place, whenever one of them is told to.
#include "cli/common_end.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include "base/in_parallel.h"

namespace slowpath::test {
namespace {

TEST(CommonEnd, WhoIsBehindComesUpToWhoIsAhead) {
  cli::CommonEnd end;
  for (std::uint64_t round = 1; round <= 5; ++round) EXPECT_TRUE(end.goes_on(round, false));
  EXPECT_FALSE(end.goes_on(6, true));
  EXPECT_FALSE(end.goes_on(6, false));
  for (std::uint64_t round = 1; round <= 5; ++round) EXPECT_TRUE(end.goes_on(round, true));
  EXPECT_FALSE(end.goes_on(6, true));
}

TEST(CommonEnd, WhoIsToldFirstLetsNothingNewBegin) {
  cli::CommonEnd end;
  EXPECT_TRUE(end.goes_on(1, false));
  EXPECT_TRUE(end.goes_on(1, true));
  EXPECT_FALSE(end.goes_on(2, true));
  EXPECT_FALSE(end.goes_on(2, false));
}

TEST(CommonEnd, AllEndAlikeOnAnyThreads) {
  cli::CommonEnd end;
  std::atomic<bool> is_to_end = false;
  std::vector<std::uint64_t> rounds(4);
  in_parallel(rounds.size(), rounds.size(), [&](std::size_t i) {
    while (end.goes_on(rounds[i] + 1, is_to_end)) {
      if (++rounds[i] == 1000 + i) is_to_end = true;
    }
  });
  EXPECT_GE(rounds[0], 1000U);
  for (const std::uint64_t count : rounds) EXPECT_EQ(count, rounds[0]);
}

}  // namespace
}  // namespace slowpath::test
