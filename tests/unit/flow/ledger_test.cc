// SPDX-License-Identifier: Apache-2.0
// The ledger against a model that is slow and plain.
#include "flow/ledger.h"

#include <deque>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

Segment segment(std::int64_t begin, std::int64_t end) {
  Segment made;
  made.begin = begin;
  made.end = end;
  made.captured_len = static_cast<std::uint32_t>(end - begin);
  made.payload_at = static_cast<std::uint64_t>(begin) + 1000;
  return made;
}

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

Ranges ranges_of(std::span<Segment> segments) {
  Ranges ranges;
  for (const Segment& s : segments) ranges.emplace_back(s.begin, s.end);
  return ranges;
}

TEST(Ledger, SplitsKeepTheBytesWhereTheyAre) {
  Ledger ledger;
  ledger.push(segment(0, 100));
  ledger.split(30);
  ASSERT_EQ(ranges_of(ledger.all()), (Ranges{{0, 30}, {30, 100}}));
  EXPECT_EQ(ledger.all()[0].captured_len, 30u);
  EXPECT_EQ(ledger.all()[1].captured_len, 70u);
  EXPECT_EQ(ledger.all()[1].payload_at, 1030u);
}

TEST(Ledger, ASplitBehindTheSnapLengthLeavesNothingCaptured) {
  Ledger ledger;
  Segment cut = segment(0, 100);
  cut.captured_len = 20;
  ledger.push(cut);
  ledger.split(30);
  EXPECT_EQ(ledger.all()[0].captured_len, 20u);
  EXPECT_EQ(ledger.all()[1].captured_len, 0u);
}

TEST(Ledger, SplitsAtABoundaryOrOutsideDoNothing) {
  Ledger ledger;
  ledger.push(segment(10, 20));
  ledger.push(segment(20, 30));
  for (const std::int64_t at : {-5, 10, 20, 30, 99}) ledger.split(at);
  EXPECT_EQ(ranges_of(ledger.all()), (Ranges{{10, 20}, {20, 30}}));
}

TEST(Ledger, OverlappingTouchesNoNeighbours) {
  Ledger ledger;
  for (std::int64_t at = 0; at < 50; at += 10) ledger.push(segment(at, at + 10));
  EXPECT_EQ(ranges_of(ledger.overlapping(10, 20)), (Ranges{{10, 20}}));
  EXPECT_EQ(ranges_of(ledger.overlapping(19, 21)), (Ranges{{10, 20}, {20, 30}}));
  EXPECT_TRUE(ledger.overlapping(50, 60).empty());
  EXPECT_TRUE(ledger.overlapping(-9, 0).empty());
}

TEST(Ledger, RemembersTheNewestThatWerePopped) {
  Ledger ledger;
  for (std::int64_t at = 0; at < 1000; ++at) ledger.push(segment(at, at + 1));
  for (int i = 0; i < 1000; ++i) ledger.pop();
  EXPECT_TRUE(ledger.empty());
  std::int64_t oldest = 1000;
  for (const Segment& s : ledger.recent()) oldest = std::min(oldest, s.begin);
  EXPECT_EQ(ledger.recent().size(), Ledger::kRecent);
  EXPECT_EQ(oldest, 1000 - static_cast<std::int64_t>(Ledger::kRecent));
}

TEST(Ledger, NeverHoldsMoreThanItsLimit) {
  Ledger ledger;
  const auto limit = static_cast<std::int64_t>(Ledger::kMaxSegments);
  for (std::int64_t at = 0; at < limit + 10; ++at) ledger.push(segment(2 * at, 2 * at + 2));
  EXPECT_EQ(ledger.size(), Ledger::kMaxSegments);
  EXPECT_EQ(ledger.front().begin, 20);
  ledger.split(ledger.front().begin + 1);
  EXPECT_LE(ledger.size(), Ledger::kMaxSegments);
}

TEST(Ledger, DoesWhatThePlainModelDoes) {
  std::mt19937 random(7);
  Ledger ledger;
  std::deque<std::pair<std::int64_t, std::int64_t>> model;
  std::int64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::int64_t span =
        std::max<std::int64_t>(next - (model.empty() ? next : model.front().first), 1);
    const std::int64_t at = next - 5 - static_cast<std::int64_t>(random()) % (span + 10) + 5;
    switch (random() % 5) {
      case 0:
      case 1: {
        const std::int64_t end = next + 1 + random() % 20;
        ledger.push(segment(next, end));
        model.emplace_back(next, end);
        next = end;
        break;
      }
      case 2:
        if (model.empty()) break;
        ledger.pop();
        model.pop_front();
        break;
      case 3: {
        ledger.split(at);
        for (auto it = model.begin(); it != model.end(); ++it) {
          if (it->first >= at || it->second <= at) continue;
          const std::int64_t end = std::exchange(it->second, at);
          model.insert(it + 1, {at, end});
          break;
        }
        break;
      }
      default: {
        const std::int64_t to = at + random() % 60;
        Ranges expected;
        for (const auto& [begin, end] : model) {
          if (begin < to && end > at) expected.emplace_back(begin, end);
        }
        ASSERT_EQ(ranges_of(ledger.overlapping(at, to)), expected) << "step " << step;
      }
    }
    ASSERT_EQ(ledger.size(), model.size()) << "step " << step;
  }
  ASSERT_EQ(ranges_of(ledger.all()), Ranges(model.begin(), model.end()));
}

}  // namespace
}  // namespace slowpath::flow
