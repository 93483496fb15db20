// SPDX-License-Identifier: Apache-2.0
#include "base/in_parallel.h"

#include <numeric>
#include <stdexcept>

#include <gtest/gtest.h>

namespace slowpath {
namespace {

TEST(in_parallel, does_each_once) {
  for (const std::size_t threads : {0U, 1U, 2U, 7U}) {
    for (const std::size_t count : {0U, 1U, 3U, 1000U}) {
      std::vector<int> done(count);
      in_parallel(count, threads, [&](std::size_t i) { ++done[i]; });
      EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), static_cast<int>(count));
      EXPECT_EQ(done, std::vector<int>(count, 1));
    }
  }
}

TEST(in_parallel, throws_what_a_call_threw) {
  for (const std::size_t threads : {1U, 4U}) {
    EXPECT_THROW(in_parallel(100, threads,
                             [](std::size_t i) {
                               if (i == 50) throw std::runtime_error("50");
                             }),
                 std::runtime_error);
  }
}

}  // namespace
}  // namespace slowpath
