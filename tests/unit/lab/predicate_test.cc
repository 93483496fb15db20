// SPDX-License-Identifier: Apache-2.0
// Each key of a predicate chooses what its name says, and together they choose what all of them do.
#include "lab/predicate.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using lab::FramePtr;
using lab::Predicate;
using lab::Settings;
using namespace std::chrono_literals;

class PredicateTest : public testing::Test {
 protected:
  Predicate read(std::map<std::string, std::string> keys) {
    Settings settings("stage 1 (test)", std::move(keys));
    auto predicate = Predicate::read(settings);
    const auto checked = settings.check();
    EXPECT_TRUE(checked) << checked.error().message();
    return predicate;
  }
  bool holds(Predicate& predicate, const FramePtr& frame) {
    return predicate.holds(*frame, lab::view(*frame), context_.now(), context_.random());
  }
  bool chooses(std::map<std::string, std::string> keys, const FramePtr& frame) {
    auto predicate = read(std::move(keys));
    return holds(predicate, frame);
  }
  /// The numbers, from 1, of the frames chosen among `frames` equal ones.
  std::vector<int> chosen(std::map<std::string, std::string> keys, int frames,
                          std::uint64_t seed = 1) {
    auto predicate = read(std::move(keys));
    lab::Random random(seed);
    const auto frame = tcp_frame(pool(), ack, 100);
    const auto packet = lab::view(*frame);
    std::vector<int> numbers;
    for (int i = 1; i <= frames; ++i) {
      if (predicate.holds(*frame, packet, context_.now(), random)) numbers.push_back(i);
    }
    return numbers;
  }
  lab::FramePool& pool() { return context_.pool(); }

  StageTestContext context_;
};

TEST_F(PredicateTest, WithoutKeysAllFramesAreChosenAndNoChanceIsUsed) {
  auto predicate = read({});
  EXPECT_TRUE(holds(predicate, tcp_frame(pool(), ack, 0)));
  EXPECT_TRUE(holds(predicate, udp_frame(pool(), 10)));
  auto other = lab::Random(1);
  EXPECT_EQ(context_.random().next(), other.next());
}

TEST_F(PredicateTest, EachKindOfFrameIsToldApart) {
  const Look v6{.ipv6 = true};
  std::map<std::string, FramePtr> frames;
  frames["data"] = tcp_frame(pool(), ack | psh, 100);
  frames["data6"] = tcp_frame(pool(), ack, 100, v6);
  frames["pure-ack"] = tcp_frame(pool(), ack, 0);
  frames["syn"] = syn_frame(pool());
  frames["synack"] = syn_frame(pool(), true);
  frames["fin"] = tcp_frame(pool(), fin | ack, 0);
  frames["rst"] = tcp_frame(pool(), rst | ack, 0);
  frames["gso"] = super_frame(pool(), 4000);
  frames["udp"] = udp_frame(pool(), 10);
  frames["icmp"] = echo_frame(pool(), 10);
  frames["icmp6"] = echo_frame(pool(), 10, v6);
  frames["first"] = fragment_frame(pool(), 0, true, 80);
  frames["later"] = fragment_frame(pool(), 88, false, 80);

  const auto chosen_by = [&](const char* only) {
    std::string names;
    for (const auto& [name, frame] : frames) {
      if (chooses({{"only", only}}, frame)) names += name + " ";
    }
    return names;
  };
  EXPECT_EQ(chosen_by("tcp"), "data data6 fin gso pure-ack rst syn synack ");
  EXPECT_EQ(chosen_by("data"), "data data6 gso ");
  EXPECT_EQ(chosen_by("data-not-gso"), "data data6 ");
  EXPECT_EQ(chosen_by("pure-ack"), "pure-ack ");
  EXPECT_EQ(chosen_by("syn"), "syn ");
  EXPECT_EQ(chosen_by("synack"), "synack ");
  EXPECT_EQ(chosen_by("fin"), "fin ");
  EXPECT_EQ(chosen_by("rst"), "rst ");
  EXPECT_EQ(chosen_by("gso"), "gso ");
  EXPECT_EQ(chosen_by("not-gso"),
            "data data6 fin first icmp icmp6 later pure-ack rst syn synack udp ");
  EXPECT_EQ(chosen_by("udp"), "first later udp ");
  EXPECT_EQ(chosen_by("icmp"), "icmp icmp6 ");
  EXPECT_EQ(chosen_by("fragment"), "first later ");
}

TEST_F(PredicateTest, PortIsThatOfEitherSide) {
  EXPECT_TRUE(chooses({{"port", "5001"}}, tcp_frame(pool(), ack, 1)));
  EXPECT_TRUE(chooses({{"port", "5001"}}, tcp_frame(pool(), ack, 1, {.backward = true})));
  EXPECT_TRUE(chooses({{"port", "40000"}}, udp_frame(pool(), 1)));
  EXPECT_FALSE(chooses({{"port", "5002"}}, tcp_frame(pool(), ack, 1)));
  EXPECT_FALSE(chooses({{"port", "5001"}}, echo_frame(pool(), 1)));
}

TEST_F(PredicateTest, SizesAreOfTheIpPacketAndInclusive) {
  // 20 bytes of IP, 32 of TCP with timestamps.
  const auto frame = tcp_frame(pool(), ack, 100);
  EXPECT_TRUE(chooses({{"min_size", "152"}, {"max_size", "152"}}, frame));
  EXPECT_FALSE(chooses({{"min_size", "153"}}, frame));
  EXPECT_FALSE(chooses({{"max_size", "151"}}, frame));
  EXPECT_TRUE(chooses({{"min_payload", "100"}}, frame));
  EXPECT_FALSE(chooses({{"min_payload", "101"}}, frame));
}

TEST_F(PredicateTest, NumbersCountTheFramesThatFit) {
  EXPECT_EQ(chosen({{"nth", "3"}}, 10), (std::vector{3}));
  EXPECT_EQ(chosen({{"nth", "3"}, {"count", "2"}}, 10), (std::vector{3, 4}));
  EXPECT_EQ(chosen({{"count", "2"}}, 10), (std::vector{1, 2}));
  EXPECT_EQ(chosen({{"every", "4"}}, 10), (std::vector{4, 8}));
  EXPECT_EQ(chosen({{"every", "4"}, {"nth", "1"}}, 10), (std::vector{1, 5, 9}));
  EXPECT_EQ(chosen({{"every", "4"}, {"count", "1"}}, 10), (std::vector{4}));

  auto second_syn = read({{"only", "syn"}, {"nth", "2"}});
  EXPECT_FALSE(holds(second_syn, syn_frame(pool())));
  EXPECT_FALSE(holds(second_syn, tcp_frame(pool(), ack, 0)));
  EXPECT_TRUE(holds(second_syn, syn_frame(pool())));
}

TEST_F(PredicateTest, TimesRunFromTheFirstFrameSeen) {
  auto predicate = read({{"from", "10ms"}, {"until", "20ms"}, {"only", "data"}});
  const auto begin = context_.now();
  EXPECT_FALSE(holds(predicate, tcp_frame(pool(), ack, 0)));
  context_.set_now(begin + 10ms - 1ns);
  EXPECT_FALSE(holds(predicate, tcp_frame(pool(), ack, 9)));
  context_.set_now(begin + 10ms);
  EXPECT_TRUE(holds(predicate, tcp_frame(pool(), ack, 9)));
  context_.set_now(begin + 20ms);
  EXPECT_FALSE(holds(predicate, tcp_frame(pool(), ack, 9)));
}

TEST_F(PredicateTest, AfterBytesCountsPayloadThatHasPassed) {
  EXPECT_EQ(chosen({{"after_bytes", "300"}, {"count", "2"}}, 10), (std::vector{4, 5}));
  EXPECT_EQ(chosen({{"after_bytes", "301"}, {"count", "1"}}, 10), (std::vector{5}));
}

TEST_F(PredicateTest, ProbabilityChoosesItsShareAndTheSameWithTheSameSeed) {
  const auto once = chosen({{"probability", "25%"}}, 4000);
  EXPECT_NEAR(static_cast<double>(once.size()), 1000, 120);
  EXPECT_EQ(chosen({{"probability", "25%"}}, 4000), once);
  EXPECT_NE(chosen({{"probability", "25%"}}, 4000, 2), once);
  EXPECT_TRUE(chosen({{"probability", "0"}}, 100).empty());
}

TEST_F(PredicateTest, WhatIsNotIpOrCutShortHasNoSizeAndNoKind) {
  for (const std::uint32_t len : {0U, 1U, 13U, 14U, 20U, 33U, 40U}) {
    auto whole = tcp_frame(pool(), ack, 100);
    whole->len = len;
    EXPECT_TRUE(chooses({}, whole));
    EXPECT_FALSE(chooses({{"only", "tcp"}}, whole)) << len;
    EXPECT_FALSE(chooses({{"port", "5001"}}, whole)) << len;
    EXPECT_FALSE(chooses({{"min_payload", "1"}}, whole)) << len;
  }
  auto arp = tcp_frame(pool(), ack, 100);
  arp->data[12] = std::byte{0x08};
  arp->data[13] = std::byte{0x06};
  EXPECT_TRUE(chooses({{"only", "not-gso"}}, arp));
  EXPECT_FALSE(chooses({{"max_size", "9000"}}, arp));
}

TEST_F(PredicateTest, WrongValuesAreComplainedAbout) {
  for (const auto& [key, value] : std::map<std::string, std::string>{{"only", "all"},
                                                                     {"port", "70000"},
                                                                     {"nth", "0"},
                                                                     {"every", "x"},
                                                                     {"count", "-1"},
                                                                     {"probability", "2"},
                                                                     {"until", "5"}}) {
    Settings settings("stage 1 (test)", {{key, value}});
    (void)Predicate::read(settings);
    const auto checked = settings.check();
    ASSERT_FALSE(checked) << key;
    EXPECT_NE(checked.error().message().find(key), std::string::npos) << checked.error().message();
  }
}

}  // namespace
}  // namespace slowpath::test
