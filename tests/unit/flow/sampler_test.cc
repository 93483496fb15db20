// SPDX-License-Identifier: Apache-2.0
// Quantiles of a series: several at once are those that are asked for one by one, however long it
// is, and memory stays bounded.
#include "flow/sampler.h"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

flow::Sampler sampler_of(std::size_t count, std::uint32_t seed) {
  flow::Sampler sampler;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    sampler.add((seed >> 16) % 97);  // with many that are equal
  }
  return sampler;
}

TEST(Sampler, SeveralQuantilesAtOnceAreThoseAskedOneByOne) {
  constexpr std::array kShares = {0.0, 0.1, 0.5, 0.5, 0.9, 0.95, 1.0};
  for (const std::size_t count : {0U, 1U, 2U, 3U, 10U, 16U, 17U, 100U, 511U, 512U, 513U, 5000U}) {
    const flow::Sampler sampler = sampler_of(count, static_cast<std::uint32_t>(count));
    const auto at_once = sampler.quantiles(kShares);
    for (std::size_t i = 0; i < kShares.size(); ++i) {
      EXPECT_EQ(at_once[i], sampler.quantile(kShares[i])) << count << " " << kShares[i];
      EXPECT_EQ(at_once[i], flow::Sampler::quantile_of(sampler.sorted(), kShares[i]));
    }
  }
}

TEST(Sampler, KeepsEveryNthInBoundedMemory) {
  flow::Sampler sampler;
  for (int i = 0; i < 100'000; ++i) {
    sampler.add(i);
    ASSERT_LE(sampler.memory_bytes(), flow::Sampler::kKept * sizeof(float));
  }
  EXPECT_EQ(sampler.seen(), 100'000U);
  EXPECT_EQ(sampler.largest(), 99'999);
  const std::vector<float>& kept = sampler.kept();
  ASSERT_GT(kept.size(), flow::Sampler::kKept / 4);
  for (std::size_t i = 1; i < kept.size(); ++i) EXPECT_EQ(kept[i] - kept[i - 1], kept[1]);
}

}  // namespace
}  // namespace slowpath::test
