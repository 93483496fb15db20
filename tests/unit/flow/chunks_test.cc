// SPDX-License-Identifier: Apache-2.0
// Answers to requests, and which of them lost something.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1460;
constexpr Duration kRtt = 20ms;

class Chunks : public ::testing::Test {
 protected:
  Chunks() { x.handshake(kRtt); }
  /// A request, and an answer of which the first segments are sent twice.
  void exchange(int segments, int lost) {
    x.after(1ms).to_server({.len = 100});
    x.after(kRtt);
    const std::int64_t begin = sent;
    for (int i = 0; i < segments; ++i) x.after(10us).to_client({.len = kSegment});
    sent += segments * std::int64_t{kSegment};
    for (int i = 0; i < lost; ++i) {
      x.after(300ms).to_client({.from = begin + i * std::int64_t{kSegment}, .len = kSegment});
    }
    x.after(kRtt).to_server({});
  }
  Exchange x;
  std::int64_t sent = 0;
};

TEST_F(Chunks, AreCountedWithTheirLosses) {
  exchange(20, 0);
  exchange(20, 1);
  exchange(20, 15);
  exchange(20, 0);
  const ConnectionFacts facts = x.connection();
  const ChunkFacts& answers = facts[Direction::to_client].chunks;
  EXPECT_EQ(answers.count, 4u);
  EXPECT_EQ(answers.lossy, 2u);
  EXPECT_EQ(answers.lossy_enough, 1u);
  const ChunkFacts& requests = facts[Direction::to_server].chunks;
  EXPECT_EQ(requests.count, 4u);
  EXPECT_EQ(requests.lossy, 0u);
}

TEST_F(Chunks, OneLongSendIsOne) {
  for (int i = 0; i < 5; ++i) {
    x.after(1ms).to_server({.len = kSegment});
    x.after(kRtt).to_client({});
  }
  const ConnectionFacts facts = x.connection();
  EXPECT_EQ(facts[Direction::to_server].chunks.count, 1u);
  EXPECT_EQ(facts[Direction::to_client].chunks.count, 0u);
}

}  // namespace
}  // namespace slowpath::test
