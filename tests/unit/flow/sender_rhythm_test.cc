// SPDX-License-Identifier: Apache-2.0
#include "flow/sender_rhythm.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

/// Writes of `segments` full segments, the last one pushed, with `short_end` behind them.
void write(SenderRhythm& rhythm, int segments, bool short_end) {
  for (int i = 0; i < segments; ++i) rhythm.sent(!short_end && i == segments - 1, false);
  if (short_end) rhythm.sent(true, true);
}

TEST(SenderRhythm, AShortPushedEndIsTheEndOfWhatThereWas) {
  SenderRhythm rhythm;
  rhythm.sent(true, true);
  EXPECT_TRUE(rhythm.drained());
  rhythm.sent(true, false);
  EXPECT_FALSE(rhythm.drained());
}

TEST(SenderRhythm, AShortEndWithoutPushIsAPieceOfMore) {
  SenderRhythm rhythm;
  rhythm.sent(true, false);
  rhythm.sent(false, true);
  EXPECT_FALSE(rhythm.drained());
}

TEST(SenderRhythm, WhereNobodyPushesAShortEndIsEnough) {
  SenderRhythm rhythm;
  rhythm.sent(false, true);
  EXPECT_TRUE(rhythm.drained());
}

TEST(SenderRhythm, ShortEndsNowAndThenTellOfTheOtherPauses) {
  SenderRhythm rhythm;
  for (int i = 0; i < 12; ++i) {
    write(rhythm, 11, i % 3 == 0);
    rhythm.burst(false, true);
  }
  rhythm.sent(false, false);
  EXPECT_TRUE(rhythm.runs_dry());
  EXPECT_TRUE(rhythm.nearly_all_own());
}

TEST(SenderRhythm, PausesThatFollowPushAreBetweenWrites) {
  SenderRhythm rhythm;
  for (int i = 0; i < 12; ++i) {
    write(rhythm, 10, false);
    rhythm.burst(false, true);
  }
  EXPECT_TRUE(rhythm.runs_dry());
}

TEST(SenderRhythm, PushOnEveryFrameTellsNothing) {
  SenderRhythm rhythm;
  for (int i = 0; i < 100; ++i) {
    rhythm.sent(true, false);
    rhythm.burst(false, true);
  }
  EXPECT_FALSE(rhythm.runs_dry());
}

TEST(SenderRhythm, PacedSegmentsOfLongWritesAreNotDry) {
  SenderRhythm rhythm;
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 45; ++j) {
      rhythm.sent(j == 44, false);
      rhythm.burst(false, true);
    }
  }
  EXPECT_FALSE(rhythm.runs_dry());
}

TEST(SenderRhythm, BurstsAtAcksAreNotItsOwn) {
  SenderRhythm rhythm;
  for (int i = 0; i < 10; ++i) rhythm.burst(true, true);
  rhythm.burst(false, true);
  EXPECT_FALSE(rhythm.mostly_own());
  EXPECT_FALSE(rhythm.nearly_all_own());
}

TEST(SenderRhythm, AShortSegmentThatNagleHeldBackIsNoBurst) {
  SenderRhythm rhythm;
  for (int i = 0; i < 10; ++i) {
    rhythm.burst(false, true);
    rhythm.burst(true, false);
  }
  EXPECT_TRUE(rhythm.nearly_all_own());
}

TEST(SenderRhythm, ItForgetsWhatIsLongPast) {
  SenderRhythm rhythm;
  for (int i = 0; i < 2000; ++i) rhythm.burst(true, true);
  for (int i = 0; i < 300; ++i) rhythm.burst(false, true);
  EXPECT_TRUE(rhythm.mostly_own());
}

}  // namespace
}  // namespace slowpath::flow
