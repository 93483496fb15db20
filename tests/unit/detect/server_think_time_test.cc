// SPDX-License-Identifier: Apache-2.0
// server-think-time: late answers that rule the wait fire; rare ones and notifications do not.
#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Case with_answers(std::uint64_t count, double seconds, double longest_s, double whole_s = 10) {
  Case facts = healthy_case({.bytes = 200'000, .seconds = whole_s});
  DirectionFacts& data = download_of(facts);
  data.answers.count = count;
  data.answers.seconds = seconds;
  data.answers.longest_s = longest_s;
  data.answers.awaited = count;
  data.answers.awaited_s = seconds;
  data.answers.longest_before = FrameRef{0, 12};
  data.answers.longest_after = FrameRef{0, 13};
  data.answers.ends = frames(count, 13);
  charge(data, TimeOwner::application, seconds);
  return facts;
}

TEST(ServerThinkTime, SlowAnswersAreAFault) {
  const auto found = run("server-think-time", with_answers(6, 6, 1.5));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 6);
  EXPECT_EQ(found[0].evidence[1].frames.size(), 2U);
}

TEST(ServerThinkTime, FiveRoundTripsAreNeeded) {
  const Case facts = with_answers(6, 1, 0.19);
  EXPECT_TRUE(run("server-think-time", facts).empty());
  EXPECT_EQ(silences_of("server-think-time", facts).size(), 1U);
}

TEST(ServerThinkTime, SlowNowAndThenIsANote) {
  const auto found = run("server-think-time", with_answers(2, 2, 1.5));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(ServerThinkTime, ManyAnswersThatAreEachShortAreANoteWhereTheyAreMostOfTheTime) {
  const auto found = run("server-think-time", with_answers(30, 6, 0.19));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
  EXPECT_TRUE(run("server-think-time", with_answers(30, 4, 0.19)).empty());
  EXPECT_TRUE(run("server-think-time", with_answers(9, 6, 0.19)).empty());
}

// Of the 6 s that losses left, 2 were waited for answers.
TEST(ServerThinkTime, WhatLossesTookIsLeftOut) {
  Case facts = with_answers(8, 2, 0.26);
  EXPECT_EQ(run("server-think-time", facts)[0].severity, Severity::note);
  DirectionFacts& data = download_of(facts);
  charge(data, TimeOwner::loss_recovery, 4);
  data.lost_packets = data.resent_packets = 20;
  const auto found = run("server-think-time", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::fault);
  EXPECT_DOUBLE_EQ(found[0].seconds_lost, 2);
  // One late answer is none of its habits.
  data.answers.count = data.answers.awaited = 4;
  EXPECT_EQ(run("server-think-time", facts)[0].severity, Severity::note);
}

// A tunnel's keep-alives, messages that are pushed: nobody goes on when they come.
TEST(ServerThinkTime, AnswersThatNobodyReactsToAreASuspect) {
  Case facts = with_answers(6, 6, 1.5);
  download_of(facts).answers.awaited = 1;
  download_of(facts).answers.awaited_s = 0.4;
  const auto found = run("server-think-time", facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::suspect);
}

TEST(ServerThinkTime, LongPollingIsNot) {
  EXPECT_TRUE(run("server-think-time", with_answers(2, 60, 30, 70)).empty());
}

TEST(ServerThinkTime, WithoutAClientSaysNothing) {
  Case facts = with_answers(6, 6, 1.5);
  facts.connections[0].client_known = false;
  EXPECT_TRUE(run("server-think-time", facts).empty());
}

}  // namespace
}  // namespace slowpath::testing
