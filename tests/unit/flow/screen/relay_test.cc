// SPDX-License-Identifier: Apache-2.0
// Slots handed from one thread to others: all of them, in order, to each, and what a worker throws.
#include "flow/screen/relay.h"

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

constexpr std::size_t kSlots = 8;

TEST(Relay, EveryWorkerSeesEverySlotInOrder) {
  for (const std::size_t workers : {0U, 1U, 3U}) {
    std::array<int, kSlots> slots{};
    std::vector<std::vector<int>> seen(std::max<std::size_t>(workers, 1));
    flow::Relay relay(workers, workers == 0 ? 1 : kSlots,
                      [&](std::size_t slot, std::size_t worker) {
                        // One that is slow now and then has the others, and the caller, wait.
                        if (worker == 1 && slots[slot] % 1000 == 0) {
                          std::this_thread::sleep_for(std::chrono::milliseconds(1));
                        }
                        seen[worker].push_back(slots[slot]);
                      });
    constexpr int kMany = 5000;
    for (int i = 0; i < kMany; ++i) {
      slots[relay.free_slot()] = i;
      relay.hand_over();
    }
    relay.drain();
    for (const std::vector<int>& of_one : seen) {
      ASSERT_EQ(of_one.size(), static_cast<std::size_t>(kMany)) << workers;
      for (int i = 0; i < kMany; ++i) ASSERT_EQ(of_one[static_cast<std::size_t>(i)], i);
    }
  }
}

TEST(Relay, ASlotIsNotFilledWhileItIsWorkedOn) {
  std::array<std::atomic<int>, 2> in_work{};
  flow::Relay relay(2, 2, [&](std::size_t slot, std::size_t) {
    std::this_thread::yield();
    --in_work[slot];
  });
  for (int i = 0; i < 300; ++i) {
    const std::size_t slot = relay.free_slot();
    ASSERT_EQ(in_work[slot].load(), 0);
    in_work[slot] = 2;
    relay.hand_over();
  }
}

TEST(Relay, WhatAWorkerThrowsIsThrownByDrain) {
  std::atomic<int> worked = 0;
  flow::Relay relay(1, kSlots, [&](std::size_t, std::size_t) {
    if (++worked == 3) throw std::runtime_error("third");
  });
  for (int i = 0; i < 100; ++i) {
    (void)relay.free_slot();
    relay.hand_over();
  }
  EXPECT_THROW(relay.drain(), std::runtime_error);
  EXPECT_EQ(worked.load(), 3);
}

}  // namespace
}  // namespace slowpath::test
