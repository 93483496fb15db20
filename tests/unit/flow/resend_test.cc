// SPDX-License-Identifier: Apache-2.0
// Why bytes were sent again, whether that was needed, and whether they were still the same bytes.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1460;
constexpr Duration kRtt = 20ms;

std::uint64_t resends(const DirectionFacts& d, ResendClass how) {
  return d.resends[static_cast<std::size_t>(how)].packets;
}

/// A sender's capture, 20 ms from its receiver, with some round trips behind it.
class Resend : public ::testing::Test {
 protected:
  Resend() {
    x.handshake(kRtt);
    for (int i = 0; i < 5; ++i) {
      x.after(1ms).to_server({.len = kSegment, .fill = 'a'});
      x.after(kRtt).to_client({});
    }
    base = 5 * kSegment;
  }
  /// Ten segments back to back.
  void flight(int count = 10) {
    for (int i = 0; i < count; ++i) x.after(10us).to_server({.len = kSegment, .fill = 'a'});
  }
  void go_back_over_ten() {
    flight();
    x.after(300ms).to_server({.from = at(0), .len = kSegment});
    for (int i = 1; i < 10; ++i) x.after(10us).to_server({.from = at(i), .len = kSegment});
  }
  [[nodiscard]] std::int64_t at(int segment) const {
    return base + segment * std::int64_t{kSegment};
  }
  DirectionFacts data() { return x.connection()[Direction::to_server]; }

  Exchange x;
  std::int64_t base = 0;
};

// Each says again how far it has everything, and that asks for nothing.
TEST_F(Resend, AReceiverThatSpeaksOfItsOwnAccordDoesNotStopTheTimer) {
  flight(1);
  for (const Duration timeout : {240ms, 480ms, 960ms}) {
    for (Duration t = 0ms; t < timeout; t += 40ms) {
      x.after(40ms).to_client({.len = kSegment, .ack = at(0)});
      x.to_server({});
    }
    x.to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  }
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::timeout), 3u);
  EXPECT_EQ(d.timeouts, 3u);
  EXPECT_NEAR(d.timeout_s, 1.68, 1e-9);
  EXPECT_NEAR(d.time[TimeOwner::timeout], 1.68, 1e-9);
  ASSERT_EQ(d.stalls.size(), 1u);
  EXPECT_EQ(d.stalls[0].unanswered_sends, 4u);
}

TEST_F(Resend, AReceiverThatReportsAHoleBesideItsOwnDataDoes) {
  flight();
  for (int i = 0; i < 6; ++i)
    x.after(40ms).to_client({.len = kSegment, .ack = at(0), .sack = {{at(1), at(2 + i)}}});
  x.to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(d.timeouts, 0u);
  EXPECT_EQ(resends(d, ResendClass::fast), 1u);
}

TEST_F(Resend, AfterSackIsFast) {
  flight();
  x.after(kRtt);
  for (int i = 1; i < 5; ++i) x.to_client({.ack = at(0), .sack = {{at(1), at(i + 1)}}});
  x.to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::fast), 1u);
  EXPECT_EQ(d.lost_packets, 1u);
  EXPECT_EQ(d.duplicate_acks, 4u);
  EXPECT_EQ(d.timeouts, 0u);
  EXPECT_EQ(d.spurious.packets, 0u);
  EXPECT_EQ(d.payload.differing_packets, 0u);
  EXPECT_EQ(d.payload.compared_bytes, kSegment);
}

// What SACK passed over and then was acknowledged as it was: late, and by how much.
TEST_F(Resend, IsNotNeededForWhatComesLate) {
  flight(4);
  x.after(kRtt).to_client({.ack = at(0), .sack = {{at(1), at(3)}}});
  x.after(2ms).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(d.vantage, Vantage::sender);
  EXPECT_TRUE(d.reorder.by_sack);
  EXPECT_EQ(d.reorder.packets, 1u);
  EXPECT_NEAR(d.reorder.max_late_s, 0.002, 1e-9);
  EXPECT_EQ(d.reorder.max_distance_segments, 3u);
  EXPECT_EQ(d.lost_packets, 0u);
}

// Later by more than the sender waits: both copies come, which a duplicate report proves.
TEST_F(Resend, OfWhatComesLateIsLatenessAndNoLoss) {
  flight(6);
  x.after(kRtt);
  for (int i = 1; i < 5; ++i) x.to_client({.ack = at(0), .sack = {{at(1), at(i + 1)}}});
  x.to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  x.after(15ms).to_client({});
  x.after(5ms).to_client({.sack = {{at(0), at(1)}}});
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.by_dsack, 1u);
  EXPECT_EQ(d.reorder.taken_for_lost, 1u);
  EXPECT_EQ(d.reorder.packets, 0u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_EQ(d.loss_episodes, 0u) << "the flight lost nothing";
  ASSERT_EQ(d.reorder.frames.count, 1u);
}

// A sender that ignores SACK sends again what had been reported: in order, and for nothing.
TEST_F(Resend, OfWhatSackHadReportedIsNoLateness) {
  flight(6);
  x.after(kRtt);
  for (int i = 1; i < 5; ++i) x.to_client({.ack = at(0), .sack = {{at(1), at(i + 1)}}});
  for (int i = 0; i < 4; ++i) x.after(10us).to_server({.from = at(i), .len = kSegment});
  x.after(kRtt).to_client({});
  for (int i = 1; i < 4; ++i) x.after(10us).to_client({.sack = {{at(i), at(i + 1)}}});
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.by_dsack, 3u);
  EXPECT_EQ(d.lost_packets, 1u);
  EXPECT_EQ(d.reorder.late(), 0u);
}

// Every packet is doubled on the way, and so is the resend of a lost one: D-SACK tells of all.
TEST_F(Resend, OnAPathThatDoublesPacketsIsNoLateness) {
  for (int i = 0; i < 3; ++i) {
    const std::int64_t from = base;
    x.after(10us).to_server({.len = 5 * kSegment});
    base += 5 * std::int64_t{kSegment};
    x.after(kRtt).to_client({.ack = from, .sack = {{from + kSegment, base}}});
    for (int k = 1; k < 5; ++k)
      x.after(10us).to_client(
          {.ack = from,
           .sack = {{from + k * kSegment, from + (k + 1) * kSegment}, {from + kSegment, base}}});
    x.to_server({.from = from, .len = kSegment});
    x.after(kRtt).to_client({.ack = base});
    x.after(10us).to_client({.ack = base, .sack = {{from, from + kSegment}}});
  }
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.by_dsack, 3u);
  EXPECT_EQ(d.dsacks, 15u);
  EXPECT_EQ(d.reorder.late(), 0u);
}

// Nothing behind it had been reported: that it was needless says nothing about the order.
TEST_F(Resend, OfATimerIsNoLateness) {
  flight(2);
  x.after(300ms).to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  x.after(1ms).to_client({});
  x.after(kRtt).to_client({.sack = {{at(0), at(1)}}});
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.packets, 1u);
  EXPECT_EQ(d.reorder.late(), 0u);
}

// One segment of a large send is lost, and only that one is sent again.
TEST_F(Resend, OfAPartOfASuperFrameIsALossOfThatPart) {
  x.after(10us).to_server({.len = 2 * kSegment, .fill = 'a'});
  x.after(10us).to_server({.len = 2 * kSegment, .fill = 'a'});
  x.after(kRtt).to_client({.ack = at(0), .sack = {{at(1), at(4)}}});
  x.to_server({.from = at(0), .len = kSegment, .fill = 'a'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  ASSERT_EQ(d.losses.size(), 1u);
  EXPECT_EQ(d.losses[0].offset, static_cast<std::uint64_t>(at(0)));
  EXPECT_EQ(d.losses[0].len, kSegment);
  EXPECT_EQ(d.superframes.lost_whole, 0u);
}

// The last of one large send and the first of the next: neighbours.
TEST_F(Resend, OfPartsOfTwoSuperFramesKeepsTheirPlaces) {
  x.after(10us).to_server({.len = 4 * kSegment, .fill = 'a'});
  x.after(10us).to_server({.len = 4 * kSegment, .fill = 'a'});
  x.after(kRtt).to_client({.ack = at(3), .sack = {{at(5), at(8)}}});
  x.to_server({.from = at(3), .len = kSegment, .fill = 'a'});
  x.after(10us).to_server({.from = at(4), .len = kSegment, .fill = 'a'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  ASSERT_EQ(d.losses.size(), 2u);
  EXPECT_EQ(d.losses[0].offset, static_cast<std::uint64_t>(at(3)));
  EXPECT_EQ(d.losses[0].len, kSegment);
  EXPECT_EQ(d.losses[1].offset, static_cast<std::uint64_t>(at(4)));
  EXPECT_EQ(d.losses[1].len, kSegment);
}

TEST_F(Resend, AfterASilenceIsATimeoutAndTheRestGoesBack) {
  flight();
  x.after(300ms).to_server({.from = at(0), .len = kSegment});
  x.after(kRtt).to_client({.ack = at(1)});
  x.after(10us).to_server({.from = at(1), .len = kSegment});
  x.after(10us).to_server({.from = at(2), .len = kSegment});
  x.after(kRtt).to_client({.ack = at(10)});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::timeout), 1u);
  EXPECT_EQ(resends(d, ResendClass::go_back), 2u);
  EXPECT_EQ(d.timeouts, 1u);
  EXPECT_NEAR(d.timeout_s, 0.3, 0.001);
  EXPECT_NEAR(d.time[TimeOwner::timeout], 0.3, 0.001);
}

// The first of ten is lost. After the timeout all are sent again, and the receiver, which has nine,
// answers the first resend with an ACK of all and each of the others with the same ACK.
TEST_F(Resend, ThatGoesBackOverWhatArrivedIsNoLoss) {
  go_back_over_ten();
  x.after(kRtt).to_client({.ack = at(10)});
  for (int i = 0; i < 9; ++i) x.after(10us).to_client({.ack = at(10)});
  const DirectionFacts d = data();
  EXPECT_EQ(d.lost_packets, 1U);
  EXPECT_EQ(d.losses.size(), 1U);
  EXPECT_EQ(d.spurious.packets, 0U);
}

TEST_F(Resend, ThatGoesBackIsNeededUnlessEachIsAnswered) {
  go_back_over_ten();
  x.after(kRtt).to_client({.ack = at(10)});
  for (int i = 0; i < 8; ++i) x.after(10us).to_client({.ack = at(10)});
  EXPECT_EQ(data().lost_packets, 10U);
}

// Two that are acknowledged together were both needed, whatever is lost behind them.
TEST_F(Resend, ThatGoesBackOverLossesIsNeeded) {
  go_back_over_ten();
  for (int i = 2; i <= 10; i += 2) x.after(i == 2 ? kRtt : 10us).to_client({.ack = at(i)});
  flight();
  for (int i = 0; i < 9; ++i) x.after(i == 0 ? kRtt : 10us).to_client({.ack = at(10)});
  EXPECT_EQ(data().lost_packets, 10U);
}

TEST_F(Resend, OfTheTailAfterTwoRoundTripsIsAProbe) {
  flight();
  x.after(kRtt).to_client({.ack = at(9)});
  x.after(2 * kRtt).to_server({.from = at(9), .len = kSegment});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::tail_probe), 1u);
  EXPECT_EQ(d.timeouts, 0u);
}

TEST_F(Resend, OfOneByteBeforeTheNextIsAKeepAlive) {
  x.after(30s).to_server({.from = at(0) - 1, .len = 1});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::keep_alive), 1u);
  EXPECT_EQ(d.resent_packets, 0u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_EQ(d.timeouts, 0u);
}

TEST_F(Resend, AgainstAClosedWindowIsAWindowProbe) {
  x.to_client({.window = 0});
  x.after(300ms).to_server({.from = at(0) - 1, .len = 0});
  x.after(kRtt).to_client({.window = 0});
  x.after(600ms).to_server({.from = at(0) - 1, .len = 0});
  x.after(kRtt).to_client({});
  x.to_server({.len = kSegment});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(resends(d, ResendClass::zero_window_probe), 2u);
  EXPECT_EQ(d.timeouts, 0u);
  EXPECT_EQ(d.window.zero_episodes, 1u);
  EXPECT_NEAR(d.window.zero_s, 0.94, 0.01);
  EXPECT_NEAR(d.time[TimeOwner::zero_window], 0.94, 0.01);
  EXPECT_EQ(d.window.zero.count, 2u);
}

TEST_F(Resend, ProvedNeedlessByDsack) {
  flight();
  x.after(300ms).to_server({.from = at(0), .len = kSegment});
  x.after(kRtt).to_client({.ack = at(10)});
  x.after(1ms).to_client({.ack = at(10), .sack = {{at(0), at(1)}}});
  const DirectionFacts d = data();
  EXPECT_EQ(d.dsacks, 1u);
  EXPECT_EQ(d.spurious.packets, 1u);
  EXPECT_EQ(d.spurious.by_dsack, 1u);
  EXPECT_EQ(d.spurious.timeouts, 1u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_TRUE(d.losses.empty());
}

// A large frame that was lost whole, of which one piece is sent twice and arrives twice: DSACK
// tells of the two pieces, not of the frame.
TEST_F(Resend, OfAPieceThatArrivesTwiceDoesNotProveTheLargeFrame) {
  x.after(1ms).to_server({.len = 4 * kSegment});
  x.after(300ms).to_server({.from = at(0), .len = kSegment});
  x.after(300ms).to_server({.from = at(0), .len = kSegment});
  x.after(kRtt).to_client({.ack = at(1), .sack = {{at(0), at(1)}}});
  x.to_server({.from = at(1), .len = 3 * kSegment});
  for (int i = 1; i < 4; ++i) {
    x.after(300ms).to_server({.from = at(i), .len = kSegment});
    x.after(kRtt).to_client({.ack = at(i + 1)});
  }
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.packets, 1u);
  EXPECT_EQ(d.superframes.delivered, 0u);
  EXPECT_LE(d.largest_delivered_ip_len, kSegment + 40);
}

TEST_F(Resend, ProvedNeedlessByAnAckThatCameTooSoon) {
  flight();
  x.after(300ms).to_server({.from = at(0), .len = kSegment});
  x.after(1ms).to_client({.ack = at(10)});
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.by_acked_before, 1u);
  EXPECT_EQ(d.lost_packets, 0u);
}

TEST_F(Resend, OfWhatWasAcknowledgedIsNeedless) {
  flight();
  x.after(kRtt).to_client({});
  x.after(300ms).to_server({.from = at(3), .len = kSegment, .fill = 'a'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(d.spurious.by_acked_before, 1u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_EQ(d.payload.differing_packets, 0u);
}

TEST_F(Resend, WithOtherBytesIsSaidSo) {
  flight();
  x.after(kRtt).to_client({.ack = at(0), .sack = {{at(1), at(10)}}});
  x.to_server({.from = at(0), .len = kSegment, .fill = 'b'});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(d.payload.differing_packets, 1u);
  ASSERT_EQ(d.payload.differences.size(), 1u);
  EXPECT_EQ(d.payload.differences[0].differing, kSegment);
  EXPECT_EQ(d.payload.differences[0].offset, static_cast<std::uint64_t>(at(0)));
}

// The hole begins in the middle of the packet that fills it: its bytes are those in the middle,
// too.
TEST_F(Resend, ThatFillsAHoleBehindItsFirstByteIsComparedByteForByte) {
  const auto counted = [&](std::int64_t from, std::uint32_t len) {
    Buffer bytes(len);
    for (std::uint32_t i = 0; i < len; ++i) bytes[i] = static_cast<std::byte>((from + i) % 251);
    const auto position = [](std::uint32_t isn, std::int64_t to) {
      return isn + 1 + static_cast<std::uint32_t>(to);
    };
    x.add(packet()
              .ethernet()
              .ipv4("10.0.0.1", "10.0.0.2")
              .tcp(ack, ports(40000, 80), seq(position(x.client_isn, from)),
                   ack_number(position(x.server_isn, 0)))
              .payload(std::move(bytes))
              .build());
  };
  counted(at(0), 1000);
  counted(at(0) + 2000, 1000);  // 1000 to 2000 is missing
  x.after(300ms);
  counted(at(0), 2000);  // half seen, half hole
  x.after(300ms);
  counted(at(0) + 1000, 1000);  // the hole's bytes again, the same
  x.after(kRtt).to_client({.ack = at(0) + 3000});
  const DirectionFacts d = data();
  EXPECT_EQ(d.payload.differing_packets, 0u);
  EXPECT_EQ(d.payload.compared_bytes, 2000u);
}

TEST_F(Resend, ALossDoesNotMakeLaterResendsQuadratic) {
  // One loss at the head of a long flight: every ACK carries a block that is one segment longer.
  constexpr int kFlight = 20'000;
  flight(kFlight);
  x.after(kRtt);
  for (int i = 1; i < kFlight; ++i) {
    x.after(1us).to_client({.ack = at(0), .sack = {{at(1), at(i + 1)}}});
  }
  x.to_server({.from = at(0), .len = kSegment});
  x.after(kRtt).to_client({});
  const DirectionFacts d = data();
  EXPECT_EQ(d.lost_packets, 1u);
  EXPECT_EQ(d.acked_bytes, (kFlight + 5) * std::uint64_t{kSegment});
  EXPECT_EQ(d.sack_blocks, static_cast<std::uint64_t>(kFlight - 1));
}

/// A receiver's capture: holes are seen, and what fills them came late or was sent again.
class Hole : public ::testing::Test {
 protected:
  Hole() {
    x.handshake(100us, kRtt);
    for (int i = 0; i < 20; ++i) {
      x.after(kRtt).to_server({.len = kSegment, .ip_id = id()});
      x.after(10us).to_client({});
    }
    base = 20 * kSegment;
  }
  std::uint16_t id() { return ++next_id; }
  /// So close upon each other that their IDs tell.
  void count_ids_up() {
    for (int i = 0; i < 12; ++i) {
      x.after(10us).to_server({.len = kSegment, .ip_id = id()});
      x.after(10us).to_client({});
    }
    base += 12 * std::int64_t{kSegment};
  }
  [[nodiscard]] std::int64_t at(int segment) const {
    return base + segment * std::int64_t{kSegment};
  }
  Exchange x;
  std::int64_t base = 0;
  std::uint16_t next_id = 100;
};

TEST_F(Hole, FilledAtOnceWasReordering) {
  x.after(kRtt).to_server({.from = at(1), .len = kSegment, .ip_id = 7002});
  x.after(10us).to_client({.ack = at(0), .sack = {{at(1), at(2)}}});
  x.after(500us).to_server({.from = at(0), .len = kSegment, .ip_id = 7001});
  x.after(10us).to_client({.ack = at(2)});
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.vantage, Vantage::receiver);
  EXPECT_EQ(d.reorder.packets, 1u);
  EXPECT_NEAR(d.reorder.max_late_s, 0.0005, 0.0001);
  EXPECT_EQ(d.reorder.max_distance_segments, 2u);
  EXPECT_EQ(d.lost_packets, 0u);
  EXPECT_EQ(d.resent_packets, 0u);
}

// No SACK and no duplicate ACK tells why it comes (they may be cut off), but its IP ID is newer
// than what came before it: sent again all the same, alone or together with what had come.
TEST_F(Hole, FilledByANewerIdWasLostEvenWithoutAReport) {
  count_ids_up();
  x.after(100us).to_server({.from = at(1), .len = kSegment, .ip_id = id()});
  for (int i = 2; i < 6; ++i)
    x.after(10us).to_server({.from = at(i), .len = kSegment, .ip_id = id()});
  x.after(kRtt).to_server({.from = at(6), .len = kSegment, .ip_id = id()});
  x.after(10us).to_server({.from = at(0), .len = kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(7)});
  x.after(10us).to_server({.from = at(8), .len = kSegment, .ip_id = id()});
  x.after(kRtt).to_server({.from = at(7), .len = 2 * kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(9)});
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.reorder.packets, 0u);
  EXPECT_GE(d.lost_packets, 2u);
}

// Jitter larger than the round trip: IP IDs count on, whatever order they come in, and tell late
// from resent.
TEST_F(Hole, FilledLateByAnOlderIdWasReorderingHoweverLate) {
  constexpr int kFlights = 30;
  const auto send = [&](int segment) {
    x.to_server({.from = at(segment),
                 .len = kSegment,
                 .ip_id = static_cast<std::uint16_t>(next_id + segment + 1)});
  };
  for (int flight = 0; flight < kFlights; ++flight) {
    const int first = 4 * flight;
    for (const int behind : {3, 2, 1}) {
      send(first + behind);
      x.after(10us).to_client({.ack = at(first), .sack = {{at(first + behind), at(first + 4)}}});
    }
    x.after(2 * kRtt);
    send(first);
    x.after(10us).to_client({.ack = at(first + 4)});
    x.after(100us);
  }
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_LE(d.lost_packets, 3u);  // until the IDs were seen to count on
  EXPECT_GE(d.reorder.packets, std::uint64_t{3 * (kFlights - 3)});
}

TEST_F(Hole, FilledARoundTripLaterWasALossBeforeTheTap) {
  x.after(kRtt).to_server({.from = at(1), .len = kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(0), .sack = {{at(1), at(2)}}});
  x.after(kRtt + 1ms).to_server({.from = at(0), .len = kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(2)});
  const ConnectionFacts c = x.connection();
  const DirectionFacts& d = c[Direction::to_server];
  EXPECT_EQ(d.reorder.packets, 0u);
  EXPECT_EQ(d.lost_before_capture, 1u);
  EXPECT_EQ(d.lost_packets, 1u);
}

// Before the tap, a timeout shows by IP IDs that are missing: unless their packets were
// acknowledged, and it is the capture that missed them.
TEST_F(Hole, IdsThatAreMissingAreResendsBeforeTheTap) {
  count_ids_up();
  next_id += 10;
  x.after(500ms).to_server({.from = at(0), .len = kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(1)});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].lost_before_capture, 1u);
}

TEST_F(Hole, IdsOfWhatTheCaptureMissedAreNoResendsBeforeTheTap) {
  count_ids_up();
  next_id += 10;
  x.after(kRtt).to_client({.ack = at(10)});
  x.after(500ms).to_server({.from = at(10), .len = kSegment, .ip_id = id()});
  x.after(10us).to_client({.ack = at(11)});
  const ConnectionFacts c = x.connection();
  EXPECT_EQ(c[Direction::to_server].lost_before_capture, 0u);
  EXPECT_EQ(c[Direction::to_server].unseen_acked_bytes, 10 * std::uint64_t{kSegment});
}

// The ACK of a resend ends inside the super-frame behind the hole: its bytes had waited there.
TEST(RoundTrip, AnAckThatFillsAHoleTellsNone) {
  Exchange x;
  x.handshake(10ms);
  for (int i = 0; i < 10; ++i) {
    x.after(1ms).to_server({.len = 1460});
    x.after(10ms).to_client({});
  }
  const std::int64_t lost = 10 * 1460;
  x.after(1ms).to_server({.len = 1460});
  x.to_server({.len = 4 * 1460});
  x.after(10ms).to_client({.ack = lost, .sack = {{900'000, 901'460}}});
  x.after(1ms).to_client({.ack = lost, .sack = {{900'000, 902'920}}});
  x.after(300ms).to_server({.from = lost, .len = 1460});
  x.after(10ms).to_client({.ack = lost + 2 * 1460});
  x.after(1ms).to_client({.ack = lost + 5 * 1460});
  const ConnectionFacts c = x.connection();
  EXPECT_NEAR(c[Direction::to_server].rtt.total.max_s, 0.010, 0.002);
}

}  // namespace
}  // namespace slowpath::test
