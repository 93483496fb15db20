// SPDX-License-Identifier: Apache-2.0
// fit_token_bucket: finds the rate of a bucket that dropped, and no bucket in losses by chance.
#include "detect/arithmetic/token_bucket.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::arithmetic {
namespace {

constexpr double kPacket = 1448;

// Bursts about every 100 ms that grow and shrink unevenly and are halved after a loss, through a
// bucket.
std::vector<Passage> policed(double rate, double depth) {
  std::mt19937 random(3);
  std::vector<Passage> passages;
  double round_s = 0;
  double tokens = depth, last_s = 0;
  int window = 10;
  for (int round = 0; round < 400; ++round) {
    bool lost = false;
    round_s += 0.05 + 0.0001 * static_cast<double>(random() % 1000);
    for (int i = 0; i < window; ++i) {
      const double at_s = round_s + 0.0005 * i;
      tokens = std::min(depth, tokens + rate * (at_s - last_s));
      last_s = at_s;
      const bool passes = tokens >= kPacket;
      if (passes) tokens -= kPacket;
      lost = lost || !passes;
      passages.push_back({at_s, passes ? kPacket : 0, passes ? 0 : kPacket});
    }
    window = lost ? std::max(2, window / 2) : window + static_cast<int>(random() % 8) - 2;
    window = std::clamp(window, 2, 90);
  }
  return passages;
}

// Windows of a sender that halves after each loss; one packet in fifty is lost.
std::vector<Passage> noisy() {
  std::mt19937 random(7);
  std::vector<Passage> passages;
  int window = 10;
  for (int round = 0; round < 400; ++round) {
    bool lost = false;
    for (int i = 0; i < window; ++i) {
      const bool dropped = random() % 50 == 0;
      lost = lost || dropped;
      passages.push_back({0.1 * round + 0.0005 * i, dropped ? 0 : kPacket, dropped ? kPacket : 0});
    }
    window = lost ? std::max(2, window / 2) : window + 2;
  }
  return passages;
}

TEST(TokenBucket, FindsTheRateOfADeepBucket) {
  const auto fit = fit_token_bucket(policed(250e3, 60e3), 0);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->rate_bytes_per_s, 250e3, 25e3);
  EXPECT_LT(fit->lost_with_tokens, 0.03);
  EXPECT_LT(fit->passed_without, 0.03);
  EXPECT_GT(fit->least_queue_s, 0.01);
}

TEST(TokenBucket, KeepsTheBooksOfAShallowOne) {
  const auto fit = fit_token_bucket(policed(1e6, 10e3), 0);
  ASSERT_TRUE(fit);
  EXPECT_LT(fit->lost_with_tokens + fit->passed_without, 0.05);
  EXPECT_LT(fit->burst_bytes, 20e3);
}

// Bursts that leave at once overflow whatever holds fewer packets, however fast it is emptied: the
// books do not tell a slow bucket from a fast queue.
TEST(TokenBucket, SaysHowShortAQueueOfTheseBooksMayBe) {
  std::vector<Passage> passages;
  int window = 8;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < window; ++i) {
      const bool passes = i < 11;
      passages.push_back({0.036 * round + 1e-6 * i, passes ? kPacket : 0, passes ? 0 : kPacket});
    }
    window = window > 11 ? 8 : window + 1;
  }
  const auto fit = fit_token_bucket(passages, 0);
  ASSERT_TRUE(fit);
  EXPECT_LT(fit->lost_with_tokens + fit->passed_without, 0.05);
  EXPECT_LT(fit->least_queue_s, 0.002);
}

// Where a link is seen to be that fast, its queue may be what kept the books; a slower bucket that
// drains for many round trips is none of a fast link.
TEST(TokenBucket, AsksAboutTheQueueOfALinkThatIsSeen) {
  std::vector<Passage> passages;
  int window = 4;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < window; ++i) {
      const bool passes = i < 11;
      passages.push_back({0.066 * round + 1e-5 * i, passes ? kPacket : 0, passes ? 0 : kPacket});
    }
    window = window > 11 ? 4 : window + 1;
  }
  const auto alone = fit_token_bucket(passages, 0.0002);
  const auto beside = fit_token_bucket(passages, 0.0002, 10e6);
  ASSERT_TRUE(alone && beside);
  EXPECT_LE(beside->least_queue_s, 0.0017);
  EXPECT_LE(beside->least_queue_s, alone->least_queue_s);
  EXPECT_EQ(beside->rate_bytes_per_s, alone->rate_bytes_per_s);
  const auto slow = fit_token_bucket(policed(250e3, 60e3), 0, 10e6);
  ASSERT_TRUE(slow);
  EXPECT_GT(slow->least_queue_s, 0.01);
}

TEST(TokenBucket, FindsNoneInLossesByChance) {
  const auto fit = fit_token_bucket(noisy(), 0);
  ASSERT_TRUE(fit);
  EXPECT_GT(std::max(fit->lost_with_tokens, fit->passed_without), 0.06);
}

// Where a flight has one time for all of it, its losses are asked after what passed: then a bucket
// that each flight empties seems to have chosen them. What passed, asked likewise, tells.
TEST(TokenBucket, OfFlightsWithOneTimeAsksWhatPassedAsItAsksLosses) {
  std::mt19937 random(11);
  std::vector<Passage> passages;
  int window = 10;
  for (int round = 0; round < 900; ++round) {
    int lost = 0;
    for (int i = 0; i < window; ++i) lost += random() % 200 == 0;
    passages.push_back({0.009 * round, kPacket * (window - lost), kPacket * lost});
    window = lost > 0 ? std::max(2, window / 2) : window + 1;
  }
  const auto fit = fit_token_bucket(passages, 0.0001);
  ASSERT_TRUE(fit);
  EXPECT_LT(fit->lost_with_tokens, 0.3 * (1 - fit->passed_near_empty));
  EXPECT_GT(fit->lost_with_tokens, 0.3 * (1 - fit->left_near_empty));
}

TEST(TokenBucket, NeedsALossAndTime) {
  EXPECT_FALSE(fit_token_bucket({}, 0));
  const std::vector<Passage> whole{{0, kPacket, 0}, {1, kPacket, 0}};
  EXPECT_FALSE(fit_token_bucket(whole, 0));
  const std::vector<Passage> at_once{{0, kPacket, kPacket}, {0, kPacket, kPacket}};
  EXPECT_FALSE(fit_token_bucket(at_once, 0));
}

}  // namespace
}  // namespace slowpath::arithmetic
