// SPDX-License-Identifier: Apache-2.0
// A timeline keeps only bins in which something happened, and reads like one that keeps all.
#include "facts/timeline.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "facts/frame_ref.h"

namespace slowpath::test {
namespace {

TEST(TimelineBins, ReadLikeAListOfAll) {
  TimelineBins bins;
  std::vector<std::uint64_t> all;
  std::uint32_t seed = 1;
  for (int i = 0; i < 300; ++i) {
    seed = seed * 1664525U + 1013904223U;
    const std::size_t number = (seed >> 16) % 500;
    bins[number].sent_bytes += number + 1;
    if (all.size() <= number) all.resize(number + 1);
    all[number] += number + 1;
  }
  ASSERT_EQ(bins.size(), all.size());
  EXPECT_LT(bins.kept().size(), all.size());
  std::size_t at = 0;
  for (const TimelineBin& bin : std::as_const(bins)) EXPECT_EQ(bin.sent_bytes, all[at++]);
  EXPECT_EQ(at, all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(std::as_const(bins)[i].sent_bytes, all[i]) << i;
    const std::size_t next = bins.first_kept_from(i);
    EXPECT_TRUE(next == bins.kept().size() || bins.numbers()[next] >= i) << i;
    EXPECT_TRUE(next == 0 || bins.numbers()[next - 1] < i) << i;
  }
}

TEST(TimelineBins, EmptyOnesTakeNoMemory) {
  TimelineBins bins;
  bins[511].losses = 1;
  EXPECT_EQ(bins.size(), 512U);
  EXPECT_EQ(bins.kept().size(), 1U);
  bins.shrink_to_fit();
  EXPECT_LE(bins.memory_bytes(), 2 * sizeof(TimelineBin));
  bins.resize(100);
  EXPECT_EQ(bins.size(), 100U);
  EXPECT_TRUE(bins.kept().empty());
  EXPECT_EQ(std::as_const(bins)[99].losses, 0U);
}

TEST(FewFrames, AreCopiedWhole) {
  Exemplars some;
  for (std::uint64_t i = 1; i < 10; ++i) note(some, FrameRef(0, i));
  Exemplars copy = some;
  copy.first[0] = FrameRef(0, 99);
  EXPECT_EQ(std::as_const(some).first[0], FrameRef(0, 1));
  EXPECT_EQ(std::as_const(some).first[5], FrameRef(0, 6));
  EXPECT_EQ(some.kept(), Exemplars::kKept);
  EXPECT_EQ(std::as_const(copy).first[0], FrameRef(0, 99));
  copy = Exemplars{};
  EXPECT_EQ(copy.kept(), 0U);
  EXPECT_FALSE(std::as_const(copy).first[0]);
  EXPECT_EQ(copy.first.end() - copy.first.begin(), 6);
}

}  // namespace
}  // namespace slowpath::test
