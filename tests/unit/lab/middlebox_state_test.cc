// SPDX-License-Identifier: Apache-2.0
// Boxes with a memory: idle states, tables, translations, shifted sequence numbers.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/packet_edit.h"
#include "support/lab/stage_test_context.h"
#include "wire/packet.h"

namespace slowpath::test {
namespace {

using lab::FramePtr;
using lab::view;
using std::chrono::seconds;

Buffer bytes_of(const lab::Frame& frame) { return {frame.data, frame.data + frame.len}; }

/// "10.0.0.1:5001 > 10.0.0.2:40000", checksums judged.
std::string ends_of(const lab::Frame& frame) {
  EXPECT_TRUE(checksums_right(frame));
  const auto packet = view(frame);
  return to_string(Endpoint{lab::ip_address(frame, packet, true), packet.source_port}) + " > " +
         to_string(Endpoint{lab::ip_address(frame, packet, false), packet.destination_port});
}

/// A box between two ends, and whether what they send gets through.
struct Rig {
  StageTestContext context;
  lab::StagePair box;

  Rig(const char* kind, std::map<std::string, std::string> keys)
      : box(stages_of(kind, std::move(keys))) {}

  /// The frame as passed on; null if it was dropped.
  FramePtr send(FramePtr frame, bool backward = false) {
    context.give(backward ? *box.backward : *box.forward, std::move(frame));
    auto passed = context.take_passed();
    EXPECT_LE(passed.size(), 1U);
    return passed.empty() ? nullptr : std::move(passed.front());
  }
  bool tcp(Flags flags, std::size_t len = 0, Look look = {}) {
    const bool backward = look.backward;
    return send(tcp_frame(context.pool(), flags, len, look), backward) != nullptr;
  }
  void wait(Duration time) { context.advance(*box.forward, time); }
};

TEST(IdleDrop, ForgetsWhatIsIdleBothWays) {
  Rig rig("idle-drop", {{"after", "10s"}});
  EXPECT_TRUE(rig.tcp(syn));
  rig.wait(seconds{9});
  EXPECT_TRUE(rig.tcp(ack, 100, {.backward = true}));  // either direction keeps it
  rig.wait(seconds{9});
  EXPECT_TRUE(rig.tcp(ack, 100));
  rig.wait(seconds{11});
  EXPECT_FALSE(rig.tcp(ack, 100));
  EXPECT_FALSE(rig.tcp(ack, 100, {.backward = true}));
  EXPECT_FALSE(rig.tcp(ack, 100));  // it does not come back by retransmitting
  EXPECT_TRUE(rig.tcp(ack, 100, {.source_port = 5002}));
  EXPECT_TRUE(rig.tcp(syn));
  EXPECT_TRUE(rig.tcp(ack, 100, {.backward = true}));
  EXPECT_TRUE(rig.context.answered.empty());
}

TEST(IdleDrop, ResetsIfAskedTo) {
  Rig rig("idle-drop", {{"after", "10s"}, {"mode", "rst"}});
  EXPECT_TRUE(rig.tcp(syn));
  rig.wait(seconds{11});
  EXPECT_FALSE(rig.tcp(ack, 100, {.ack = 4321}));
  ASSERT_EQ(rig.context.answered.size(), 1U);
  const auto& reset = *rig.context.answered[0];
  EXPECT_EQ(ends_of(reset), "10.0.0.2:40000 > 10.0.0.1:5001");
  EXPECT_EQ(view(reset).tcp_flags, wire::kRst);
  EXPECT_EQ(view(reset).sequence, 4321U);
  EXPECT_FALSE(rig.tcp(rst));  // a reset is not answered by one
  EXPECT_EQ(rig.context.answered.size(), 1U);
}

TEST(IdleDrop, LetsOtherPortsBe) {
  Rig rig("idle-drop", {{"after", "10s"}, {"port", "5002"}});
  EXPECT_TRUE(rig.tcp(syn));
  rig.wait(seconds{11});
  EXPECT_TRUE(rig.tcp(ack, 100));
}

TEST(TimewaitDrop, DropsSynsOfAFourTupleJustClosed) {
  for (const Flags end : {fin | ack, rst}) {
    Rig rig("timewait-drop", {{"time", "60s"}});
    EXPECT_TRUE(rig.tcp(syn));
    EXPECT_TRUE(rig.tcp(syn));  // a retransmission
    EXPECT_TRUE(rig.tcp(end));
    rig.wait(seconds{59});
    EXPECT_FALSE(rig.tcp(syn));
    EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 5002}));
    rig.wait(seconds{1});
    EXPECT_TRUE(rig.tcp(syn));
    EXPECT_TRUE(rig.tcp(syn));
  }
}

TEST(ConntrackLimit, KeepsKnownConnectionsAndRefusesNewOnes) {
  Rig rig("conntrack-limit", {{"limit", "2"}, {"timeout", "30s"}});
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 1}));
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 2}));
  EXPECT_FALSE(rig.tcp(syn, 0, {.source_port = 3}));
  EXPECT_EQ(rig.context.dropped.at(0).why, "connection table full");
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 2}));
  EXPECT_TRUE(rig.tcp(ack, 100, {.source_port = 1}));

  EXPECT_TRUE(rig.tcp(fin | ack, 0, {.source_port = 1}));
  rig.wait(seconds{31});
  EXPECT_FALSE(rig.tcp(syn, 0, {.source_port = 3}));  // half closed is not over
  EXPECT_TRUE(rig.tcp(fin | ack, 0, {.source_port = 1, .backward = true}));
  rig.wait(seconds{29});
  EXPECT_FALSE(rig.tcp(syn, 0, {.source_port = 3}));
  rig.wait(seconds{1});
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 3}));
}

TEST(ConntrackLimit, AResetEndsAConnection) {
  Rig rig("conntrack-limit", {{"limit", "1"}, {"timeout", "0s"}});
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 1}));
  EXPECT_FALSE(rig.tcp(syn, 0, {.source_port = 2}));
  EXPECT_TRUE(rig.tcp(rst, 0, {.source_port = 1, .backward = true}));
  EXPECT_TRUE(rig.tcp(syn, 0, {.source_port = 2}));
}

FramePtr acknowledging(StageTestContext& context, std::uint32_t left, std::uint32_t right) {
  auto built = packet();
  built.ethernet()
      .ipv4("10.0.0.2", "10.0.0.1")
      .tcp(ack, seq(50), ack_number(left - 1000), sack({{left, right}, {right + 100, right + 200}}))
      .payload(0);
  return frame_of(context.pool(), built);
}

std::vector<std::uint32_t> edges_of(const lab::Frame& frame) {
  const Bytes value = lab::tcp_option_value(frame, view(frame), lab::kOptionSack);
  std::vector<std::uint32_t> edges;
  for (std::size_t at = 0; at + 4 <= value.size(); at += 4) {
    edges.push_back(load_be32(value.data() + at));
  }
  return edges;
}

TEST(SequenceShift, ShiftsThereAndBack) {
  Rig rig("sequence-shift", {{"offset", "3000000000"}});
  const auto sent = rig.send(tcp_frame(rig.context.pool(), ack, 777, {.seq = 2000000000}));
  EXPECT_TRUE(checksums_right(*sent));
  EXPECT_EQ(view(*sent).sequence, 705032704U);  // modulo 2^32
  EXPECT_EQ(view(*sent).acknowledgment, 2000U);
  const auto back = rig.send(acknowledging(rig.context, 705033704, 705034704), true);
  EXPECT_TRUE(checksums_right(*back));
  EXPECT_EQ(view(*back).acknowledgment, 2000000000U);
  EXPECT_EQ(view(*back).sequence, 50U);
  EXPECT_THAT(edges_of(*back),
              testing::ElementsAre(2000001000U, 2000002000U, 2000002100U, 2000002200U));
}

TEST(SequenceShift, ForgetsSackEdgesAsBrokenFirewallsDo) {
  Rig rig("sequence-shift", {{"offset", "1000000"}, {"sack", "false"}});
  const auto back = rig.send(acknowledging(rig.context, 5000000, 5001000), true);
  EXPECT_TRUE(checksums_right(*back));
  EXPECT_EQ(view(*back).acknowledgment, 3999000U);
  EXPECT_THAT(edges_of(*back), testing::ElementsAre(5000000U, 5001000U, 5001100U, 5001200U));
}

TEST(SequenceShift, SumsBlocksAtAnOddOffsetRight) {
  Rig rig("sequence-shift", {{"offset", "123456789"}});
  Buffer edges(8, std::byte{0x77});
  auto built = packet();
  built.ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(ack, nop(), option(5, edges)).payload(33);
  EXPECT_TRUE(checksums_right(*rig.send(frame_of(rig.context.pool(), built), true)));
}

TEST(SequenceShift, LeavesWhatAcknowledgesNothing) {
  Rig rig("sequence-shift", {{"offset", "1000000"}});
  const Look back{.backward = true};
  const auto before = syn_frame(rig.context.pool(), false, back);
  const auto after = rig.send(syn_frame(rig.context.pool(), false, back), true);
  EXPECT_EQ(bytes_of(*after), bytes_of(*before));
}

TEST(Dnat, TranslatesThereAndBack) {
  Rig rig("dnat", {{"from", "10.0.0.2:40000"}, {"to", "10.0.0.77:9000"}});
  const auto there = rig.send(tcp_frame(rig.context.pool(), syn, 0));
  EXPECT_EQ(ends_of(*there), "10.0.0.1:5001 > 10.0.0.77:9000");
  auto built = packet();
  built.ethernet().ipv4("10.0.0.77", "10.0.0.1").tcp(syn | ack, ports(9000, 5001)).payload(0);
  const auto back = rig.send(frame_of(rig.context.pool(), built), true);
  EXPECT_EQ(ends_of(*back), "10.0.0.2:40000 > 10.0.0.1:5001");
  EXPECT_EQ(rig.context.touches.size(), 2U);
}

TEST(Dnat, TranslatesThePortAloneOverBothVersionsAndUdp) {
  Rig rig("dnat", {{"from", ":40000"}, {"to", ":9000"}});
  EXPECT_EQ(ends_of(*rig.send(tcp_frame(rig.context.pool(), ack, 99, {.ipv6 = true}))),
            "[fd00::1]:5001 > [fd00::2]:9000");
  EXPECT_EQ(ends_of(*rig.send(udp_frame(rig.context.pool(), 99))), "10.0.0.1:5001 > 10.0.0.2:9000");
}

TEST(Dnat, TranslatesIpv6Addresses) {
  Rig rig("dnat", {{"from", "[fd00::2]:40000"}, {"to", "fd00::77"}});
  EXPECT_EQ(ends_of(*rig.send(tcp_frame(rig.context.pool(), ack, 99, {.ipv6 = true}))),
            "[fd00::1]:5001 > [fd00::77]:40000");
  // Not the same version: not meant.
  EXPECT_EQ(ends_of(*rig.send(tcp_frame(rig.context.pool(), ack, 99))),
            "10.0.0.1:5001 > 10.0.0.2:40000");
}

TEST(Dnat, KeepsAPartialChecksumPartial) {
  Rig rig("dnat", {{"from", ":40000"}, {"to", "10.0.0.77:9000"}});
  const auto there = rig.send(tcp_frame(rig.context.pool(), ack, 99, {.partial_checksum = true}));
  EXPECT_TRUE(there->vnet.needs_checksum());
  EXPECT_TRUE(checksums_right(*there));
}

TEST(Dnat, LeavesAnswersOfOthers) {
  Rig rig("dnat", {{"from", ":40000"}, {"to", ":9000"}});
  const auto before = tcp_frame(rig.context.pool(), ack, 10, {.backward = true});
  const auto after = rig.send(tcp_frame(rig.context.pool(), ack, 10, {.backward = true}), true);
  EXPECT_EQ(bytes_of(*after), bytes_of(*before));
}

/// RFC 826; addresses are the last byte of 10.0.0.x.
FramePtr arp(StageTestContext& context, std::uint8_t operation, std::uint8_t sender,
             std::uint8_t target) {
  const auto b = [](int value) { return static_cast<std::byte>(value); };
  auto frame = context.pool().make(42);
  const Buffer body{b(8), b(6), b(0), b(1), b(8), b(0), b(6), b(4), b(0), b(operation)};
  std::fill_n(frame->data, frame->len, std::byte{2});
  std::copy(body.begin(), body.end(), frame->data + 12);
  lab::store_be32(frame->data + 28, 0x0a000000U + sender);
  lab::store_be32(frame->data + 38, 0x0a000000U + target);
  return frame;
}

TEST(Dnat, HasTheHostAnswerArpForTheGateway) {
  Rig rig("dnat", {{"from", "10.0.0.9:80"}, {"to", "10.0.0.2:8080"}});
  auto question = rig.send(arp(rig.context, 1, 1, 9));
  EXPECT_EQ(bytes_of(*question), bytes_of(*arp(rig.context, 1, 1, 2)));
  auto answer = rig.send(arp(rig.context, 2, 2, 1), true);
  EXPECT_EQ(bytes_of(*answer), bytes_of(*arp(rig.context, 2, 9, 1)));
  auto other = rig.send(arp(rig.context, 1, 1, 7));
  EXPECT_EQ(bytes_of(*other), bytes_of(*arp(rig.context, 1, 1, 7)));
}

TEST(Snat, HasTheHostAnswerArpForTheGateway) {
  Rig rig("snat", {{"address", "10.0.0.9"}, {"low", "1"}, {"high", "2"}});
  EXPECT_TRUE(rig.tcp(syn));
  EXPECT_EQ(bytes_of(*rig.send(arp(rig.context, 1, 2, 9), true)),
            bytes_of(*arp(rig.context, 1, 2, 1)));
  EXPECT_EQ(bytes_of(*rig.send(arp(rig.context, 2, 1, 2))), bytes_of(*arp(rig.context, 2, 9, 2)));
  // What was not asked through the box is not answered for it.
  EXPECT_EQ(bytes_of(*rig.send(arp(rig.context, 2, 1, 2))), bytes_of(*arp(rig.context, 2, 1, 2)));
}

TEST(Dnat, SaysWhatItCannotRead) {
  EXPECT_THAT(complaint_of("dnat", {{"from", ":1"}}), testing::HasSubstr("to is missing"));
  for (const char* text : {"", ":", ":0", ":70000", "10.0.0:1", "10.0.0.2:", "[fd00::2", "]:1"}) {
    EXPECT_THAT(complaint_of("dnat", {{"from", text}, {"to", ":1"}}),
                testing::HasSubstr("such as 10.0.0.2:80"))
        << text;
  }
}

TEST(Snat, LendsPortsAndDropsWhereNoneIsLeft) {
  Rig rig("snat",
          {{"address", "10.0.0.99"}, {"low", "40000"}, {"high", "40001"}, {"timeout", "30s"}});
  const auto open = [&](std::uint16_t port, std::uint16_t to = 80) {
    const auto frame = rig.send(
        syn_frame(rig.context.pool(), false, {.source_port = port, .destination_port = to}));
    return frame ? ends_of(*frame) : std::string{};
  };
  EXPECT_EQ(open(40001), "10.0.0.99:40001 > 10.0.0.2:80");  // its own choice, if free
  EXPECT_EQ(open(1001), "10.0.0.99:40000 > 10.0.0.2:80");
  EXPECT_EQ(open(1001), "10.0.0.99:40000 > 10.0.0.2:80");  // a retransmission
  EXPECT_EQ(open(1002), "");
  EXPECT_EQ(rig.context.dropped.at(0).why, "no port of 40000 to 40001 left for 10.0.0.2:80");
  EXPECT_EQ(open(1002, 81), "10.0.0.99:40000 > 10.0.0.2:81");  // another destination

  auto answer = packet();
  answer.ethernet().ipv4("10.0.0.2", "10.0.0.99").tcp(rst, ports(80, 40000)).payload(0);
  const auto back = rig.send(frame_of(rig.context.pool(), answer), true);
  EXPECT_EQ(ends_of(*back), "10.0.0.2:80 > 10.0.0.1:1001");
  rig.wait(seconds{29});
  EXPECT_EQ(open(1002), "");
  rig.wait(seconds{1});
  EXPECT_EQ(open(1002), "10.0.0.99:40000 > 10.0.0.2:80");
}

TEST(Snat, KeepsTheAddressIfNoneIsGivenAndTakesUdp) {
  Rig rig("snat", {{"low", "40000"}, {"high", "40000"}});
  EXPECT_EQ(ends_of(*rig.send(udp_frame(rig.context.pool(), 33))),
            "10.0.0.1:40000 > 10.0.0.2:40000");
  EXPECT_EQ(ends_of(*rig.send(syn_frame(rig.context.pool(), false, {.ipv6 = true}))),
            "[fd00::1]:40000 > [fd00::2]:40000");
}

TEST(Snat, LetsNoConnectionPassThatItDoesNotKnow) {
  Rig rig("snat", {{"low", "40000"}, {"high", "40001"}});
  EXPECT_FALSE(rig.tcp(ack, 100));
  EXPECT_EQ(rig.context.dropped.at(0).why, "no translation of this connection");
  EXPECT_TRUE(rig.tcp(ack, 100, {.backward = true}));  // not its address: none of its business
  EXPECT_THAT(complaint_of("snat", {{"low", "5"}, {"high", "4"}}),
              testing::HasSubstr("5 to 65535"));
}

}  // namespace
}  // namespace slowpath::test
