// SPDX-License-Identifier: Apache-2.0
#include "base/in_turn.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath {
namespace {

TEST(in_turn, uses_what_was_made_in_order) {
  for (const std::size_t threads : {0U, 1U, 2U, 7U}) {
    for (const std::size_t count : {0U, 1U, 3U, 200U}) {
      std::vector<std::size_t> used;
      in_turn(
          count, threads,
          [](std::size_t i) {
            // Who begins later is often ready sooner.
            if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
            return i * 10;
          },
          [&](std::size_t i, std::size_t made) {
            EXPECT_EQ(made, i * 10);
            used.push_back(i);
          });
      std::vector<std::size_t> all(count);
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(used, all);
    }
  }
}

TEST(in_turn, holds_no_more_than_there_are_threads) {
  std::atomic<int> held = 0, most = 0;
  in_turn(
      300, 3,
      [&](std::size_t i) {
        const int now = ++held;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        return i;
      },
      [&](std::size_t, std::size_t) { --held; });
  EXPECT_EQ(held, 0);
  EXPECT_LE(most, 3);
}

TEST(in_turn, throws_what_a_call_threw_and_leaves_what_comes_after) {
  for (const std::size_t threads : {1U, 4U}) {
    for (const bool in_make : {true, false}) {
      std::vector<std::size_t> used;
      const auto fail_at_50 = [](bool here, std::size_t i) {
        if (here && i == 50) throw std::runtime_error("50");
      };
      EXPECT_THROW(in_turn(
                       100, threads,
                       [&](std::size_t i) {
                         fail_at_50(in_make, i);
                         return i;
                       },
                       [&](std::size_t i, std::size_t) {
                         fail_at_50(!in_make, i);
                         used.push_back(i);
                       }),
                   std::runtime_error);
      for (std::size_t i = 0; i < used.size(); ++i) EXPECT_EQ(used[i], i);
      EXPECT_LE(used.size(), 50U);
    }
  }
}

}  // namespace
}  // namespace slowpath
