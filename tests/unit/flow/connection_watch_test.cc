// SPDX-License-Identifier: Apache-2.0
// What a connection shows beside its data: silences and what became of them, copies of SYNs
// compared, echoes and SACK blocks that nobody can have meant.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::size_t kUp = 0, kDown = 1;

TEST(Silences, DataThatNobodyAnswersAfterAMinute) {
  Exchange x;
  x.handshake(20ms);
  x.after(1ms).to_server({.len = 100});
  x.after(20ms).to_client({});
  x.after(60s).to_server({.len = 100});
  x.after(200ms).to_server({.from = 100, .len = 100});
  x.after(400ms).to_server({.from = 100, .len = 100});
  const auto quiets = x.connection().beside.quiets;
  ASSERT_EQ(quiets.size(), 1u);
  EXPECT_NEAR(quiets[0].seconds, 60, 0.01);
  EXPECT_FALSE(quiets[0].answered);
  EXPECT_EQ(quiets[0].sends, 3u);
  EXPECT_NEAR(quiets[0].unanswered_s, 0.6, 0.01);
  EXPECT_EQ(quiets[0].speaker, Direction::to_server);
  EXPECT_EQ(quiets[0].after.number(), 6u);
}

TEST(Silences, AnAnswerAndAResetAreToldApart) {
  Exchange x;
  x.handshake(20ms);
  x.after(1ms).to_server({.len = 100});
  x.after(20ms).to_client({});
  x.after(30s).to_server({.len = 100});
  x.after(20ms).to_client({});
  x.after(90s).to_server({.len = 100});
  x.after(5ms).to_client({.flags = wire::kRst, .ttl = 60});
  const auto quiets = x.connection().beside.quiets;
  ASSERT_EQ(quiets.size(), 2u);
  EXPECT_TRUE(quiets[0].answered);
  EXPECT_FALSE(quiets[0].reset);
  EXPECT_FALSE(quiets[1].answered);
  EXPECT_EQ(quiets[1].reset.number(), 9u);
  EXPECT_EQ(quiets[1].reset_ttl, 60);
}

TEST(Silences, ABareAckEndsNone) {
  Exchange x;
  x.handshake(20ms);
  x.after(60s).to_client({.window = 1000});
  EXPECT_TRUE(x.connection().beside.quiets.empty());
}

TEST(SynCopies, AreKeptOnlyWhenThereAreSeveral) {
  Exchange one;
  one.handshake(20ms);
  EXPECT_TRUE(one.connection().syn_copies.syns.empty());

  Exchange several;
  several.client_options.has_fast_open = true;
  several.syn();
  several.client_options.has_fast_open = false;
  several.after(1s).syn();
  several.after(20ms).syn_ack();
  const auto copies = several.connection().syn_copies;
  ASSERT_EQ(copies.syns.size(), 2u);
  EXPECT_TRUE(copies.syns[0].options.has_fast_open);
  EXPECT_FALSE(copies.syns[1].options.has_fast_open);
  EXPECT_TRUE(copies.altered.empty());
}

TEST(SynCopies, ABoxBetweenTwoTapsChangedTheMss) {
  Exchange x;
  x.syn();
  x.client_options.mss = 1350;
  x.after(20us).syn();
  x.after(20ms).syn_ack();
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c.handshake.syn_count, 1u);
  ASSERT_EQ(c.syn_copies.altered.size(), 1u);
  EXPECT_EQ(c.syn_copies.altered[0].first.options.mss, 1460);
  EXPECT_EQ(c.syn_copies.altered[0].second.options.mss, 1350);
  EXPECT_TRUE(c.syn_copies.altered[0].from_client);
}

TEST(SynCopies, ASynAckAfterTheClientsAck) {
  Exchange x;
  x.handshake(20ms);
  x.after(1s).syn_ack();
  const ConnectionFacts c = x.connection();
  ASSERT_EQ(c.syn_copies.syn_acks_after_ack.count, 1u);
  EXPECT_EQ(c.syn_copies.syn_acks_after_ack.first[0].number(), 4u);
}

TEST(SynCopies, ABareAckThatAnswersASyn) {
  Exchange x;
  x.syn();
  x.after(20ms).to_client({.from = 77000, .ack = 90000});
  EXPECT_EQ(x.connection().syn_copies.challenge_acks.count, 1u);
}

TEST(Stamps, EchoesThatNobodySent) {
  for (const std::uint32_t shift : {0u, 500'000u}) {
    Exchange x;
    x.client_options = x.server_options = syn_options(7, true);
    x.client_options.ts_value = 1'000'000;
    x.server_options.ts_value = 2'000'000;
    x.handshake(20ms);
    for (std::uint32_t i = 0; i < 5; ++i) {
      x.after(1ms).to_server({.len = 100, .ts_value = 1'000'040 + i, .ts_echo = 2'000'000});
      x.after(20ms).to_client({.ts_value = 2'000'040 + i, .ts_echo = 1'000'040 + i + shift});
    }
    const auto marks = x.connection().beside.marks;
    EXPECT_EQ(marks[kDown].foreign_echo.count, shift == 0 ? 0u : 5u);
    EXPECT_EQ(marks[kUp].foreign_echo.count, 0u);
    EXPECT_EQ(marks[kUp].stamped, 5u);
    // The client's ACK of the SYN-ACK has none here.
    EXPECT_EQ(marks[kUp].unstamped.count, 1u);
  }
}

TEST(Stamps, OneDamagedStampMakesNotAllThatFollowOld) {
  for (const bool again : {false, true}) {
    Exchange x;
    x.client_options = x.server_options = syn_options(7, true);
    x.client_options.ts_value = 1'000'000;
    x.server_options.ts_value = 2'000'000;
    x.handshake(20ms);
    for (std::uint32_t i = 0; i < 20; ++i) {
      const std::uint32_t shift = i == 5 || (again && i == 6) ? 1U << 24 : 0;
      x.after(1ms).to_server({.len = 100, .ts_value = 1'000'040 + i + shift, .ts_echo = 2'000'000});
    }
    const auto marks = x.connection().beside.marks;
    EXPECT_EQ(marks[kUp].stamp_back.count, again ? 13u : 0u);
    EXPECT_EQ(marks[kUp].stamped, 20u);
  }
}

TEST(SackEdges, BlocksFarFromTheStreamAreImpossibleAndMarkNothing) {
  Exchange x;
  x.handshake(20ms);
  for (int i = 0; i < 10; ++i) x.after(12us).to_server({.len = 1460});
  x.after(20ms).to_client({.ack = 1460, .sack = {{502'920, 504'380}}});
  x.after(12us).to_client({.ack = 1460, .sack = {{502'920, 505'840}}});
  const DirectionFacts data = x.connection()[Direction::to_server];
  EXPECT_EQ(data.sack_edges.impossible, 2u);
  EXPECT_EQ(data.sack_edges.offset_min, 501'460);
  EXPECT_EQ(data.sack_edges.offset_max, 501'460);
  EXPECT_EQ(data.dsacks, 0u);
}

// A box shifts the stream by 200 segments and not the blocks: those of what the receiver lacks
// least name what was sent a moment ago.
TEST(SackEdges, BlocksBesideImpossibleOnesAreNoRoundTrips) {
  for (const bool shifted : {false, true}) {
    Exchange x;
    x.handshake(20ms);
    for (int i = 0; i < 10; ++i) x.after(12us).to_server({.len = 1460});
    x.after(20ms).to_client({.ack = 1460});
    for (std::uint32_t i = 0; i < 3; ++i) {
      const std::uint32_t end = shifted ? 504'380 + 1460 * i : 4380 + 1460 * i;
      x.after(12us).to_client({.ack = 1460, .sack = {{end - 1460, end}}});
    }
    for (int i = 0; i < 5; ++i) x.after(12us).to_server({.len = 1460});
    x.after(1ms).to_client({.ack = 1460, .sack = {{20'440, 21'900}}});
    const RttSet rtt = x.connection()[Direction::to_server].rtt;
    EXPECT_NEAR(rtt.receiver_leg.min_s, shifted ? 0.020 : 0.001, 0.0002);
  }
}

TEST(SackEdges, BlocksOfDataThatTheCaptureMissedAreNot) {
  Exchange x;
  x.handshake(20ms);
  x.after(12us).to_server({.len = 1460});
  x.after(20ms).to_client({.ack = 1460, .sack = {{2920, 4380}}});  // within the window
  x.after(12us).to_client({.ack = 4380, .sack = {{0, 1460}}});     // a duplicate (RFC 2883)
  EXPECT_EQ(x.connection()[Direction::to_server].sack_edges.impossible, 0u);
}

}  // namespace
}  // namespace slowpath::test
