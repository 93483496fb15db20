// SPDX-License-Identifier: Apache-2.0
// PassageLog: cells by the time of sending, from the first loss on, in bounded memory.
#include "flow/passage_log.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr Time at_ms(std::int64_t ms) { return time_from_ns(ms * 1'000'000); }

TEST(PassageLog, NothingIsKeptBeforeTheFirstLoss) {
  PassageLog log;
  log.passed(at_ms(1), 1448);
  log.lost(at_ms(5), 1448, 10'000);
  log.passed(at_ms(4), 1448);
  log.passed(at_ms(7), 2896);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  ASSERT_EQ(facts.cells.size(), 2U);
  EXPECT_EQ(facts.cells[0].at, at_ms(5));
  EXPECT_EQ(facts.cells[0].lost_bytes, 1448U);
  EXPECT_EQ(facts.cells[1].passed_bytes, 2896U);
  EXPECT_EQ(facts.bytes_before, 10'000U);
}

TEST(PassageLog, FatesBecomeKnownLateAndAreSortedIn) {
  PassageLog log;
  log.lost(at_ms(0), 1448, 0);
  log.passed(at_ms(9), 100);
  log.passed(at_ms(3), 200);
  log.passed(at_ms(3), 300);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  ASSERT_EQ(facts.cells.size(), 3U);
  EXPECT_EQ(facts.cells[1].at, at_ms(3));
  EXPECT_EQ(facts.cells[1].passed_bytes, 500U);
}

TEST(PassageLog, WhatArrivedAfterAllIsNoLoss) {
  PassageLog log;
  log.lost(at_ms(0), 1448, 0);
  log.arrived_after_all(at_ms(0), 1448);
  log.arrived_after_all(at_ms(0), 1448);
  EXPECT_EQ(log.take(PassageFacts::kFewestLosses).cells[0].lost_bytes, 0U);
}

TEST(PassageLog, CellsGrowWhenThereAreTooMany) {
  PassageLog log;
  log.lost(at_ms(0), 1, 0);
  const std::int64_t sends = 3 * static_cast<std::int64_t>(PassageFacts::kMaxCells);
  for (std::int64_t i = 1; i <= sends; ++i) log.passed(at_ms(i), 10);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  EXPECT_LE(facts.cells.size(), PassageFacts::kMaxCells);
  EXPECT_GT(facts.cell_s, 0.001);
  std::uint64_t passed = 0;
  for (const PassageCell& cell : facts.cells) passed += cell.passed_bytes;
  EXPECT_EQ(passed, static_cast<std::uint64_t>(sends) * 10);
}

// A super-frame of three segments is lost but for its first; the second is sent again twice.
TEST(PassageLog, PiecesOfASuperframeAreRepairedAtTheirOwnTimes) {
  PassageLog log;
  const Time sent = at_ms(0);
  log.resent(1000, 2000, sent, at_ms(10), 0);
  log.resent(2000, 3000, sent, at_ms(12), 0);
  log.resent(1000, 2000, sent, at_ms(30), 0);
  log.arrived(0, 3000, sent, false);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  ASSERT_EQ(facts.cells.size(), 4U);
  EXPECT_EQ(facts.cells[0].passed_bytes, 1000U);
  EXPECT_EQ(facts.cells[0].lost_bytes, 2000U);
  EXPECT_EQ(facts.cells[1].passed_bytes, 0U);
  EXPECT_EQ(facts.cells[1].lost_bytes, 1000U);
  EXPECT_EQ(facts.cells[2].passed_bytes, 1000U);
  EXPECT_EQ(facts.cells[2].lost_bytes, 0U);
  EXPECT_EQ(facts.cells[3].passed_bytes, 1000U);
}

TEST(PassageLog, AResendMayCoverPartsOfEarlierOnes) {
  PassageLog log;
  const Time sent = at_ms(0);
  log.resent(0, 1000, sent, at_ms(10), 0);
  log.resent(1000, 2000, sent, at_ms(20), 0);
  log.resent(500, 1500, sent, at_ms(40), 0);
  log.arrived(0, 2000, sent, false);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  ASSERT_EQ(facts.cells.size(), 4U);
  for (const std::size_t half : {1U, 2U}) {
    EXPECT_EQ(facts.cells[half].lost_bytes, 500U);
    EXPECT_EQ(facts.cells[half].passed_bytes, 500U);
  }
  EXPECT_EQ(facts.cells[3].passed_bytes, 1000U);
}

TEST(PassageLog, ANeedlessResendGivesTheFirstCopyBack) {
  PassageLog log;
  log.lost(at_ms(0), 1448, 0);
  log.resent(1448, 2896, at_ms(1), at_ms(10), 0);
  log.arrived(1448, 2896, at_ms(1), true);
  const PassageFacts facts = log.take(PassageFacts::kFewestLosses);
  ASSERT_EQ(facts.cells.size(), 3U);
  EXPECT_EQ(facts.cells[1].lost_bytes, 0U);
  EXPECT_EQ(facts.cells[1].passed_bytes, 1448U);
  EXPECT_EQ(facts.cells[2].passed_bytes, 1448U);
}

TEST(PassageLog, AFewLossesAreNotKept) {
  PassageLog log;
  log.lost(at_ms(0), 1448, 0);
  EXPECT_TRUE(log.take(PassageFacts::kFewestLosses - 1).cells.empty());
}

}  // namespace
}  // namespace slowpath::flow
