// SPDX-License-Identifier: Apache-2.0
// What is chosen for the full analysis: the worst of each kind between every two hosts, the
// largest, what was asked for; and how the rest is counted.
#include "flow/screen/choice.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace slowpath::test {
namespace {

/// Frames with the times that were asked for, screened at the end.
class Script {
 public:
  void add(double at_s, BuiltFrame frame) {
    built_.push_back(std::move(frame));
    times_.push_back(time_from_ns(static_cast<std::int64_t>(at_s * 1e9)));
  }
  /// A connection of `segments` that ends in order; with `silence_s` in the middle, before a
  /// resend.
  void transfer(std::uint16_t port, double at_s, std::uint32_t segments, double silence_s,
                const char* client = "10.0.0.1") {
    const auto up = [&](Flags flags, std::uint32_t acked) {
      add(at_s += 0.001, packet()
                             .ethernet()
                             .ipv4(client, "10.0.9.9")
                             .tcp(flags, ports(port, 80), seq(flags.bits == syn.bits ? 0 : 1),
                                  ack_number(acked), mss(1460), window_scale(7), sack_permitted())
                             .build());
    };
    const auto down = [&](Flags flags, std::uint32_t from, std::size_t len) {
      add(at_s += 0.001, packet()
                             .ethernet()
                             .ipv4("10.0.9.9", client)
                             .tcp(flags, ports(80, port), seq(from), ack_number(1), mss(1460),
                                  window_scale(7), sack_permitted())
                             .payload(len)
                             .build());
    };
    up(syn, 0);
    down(syn | ack, 0, 0);
    up(ack, 1);
    for (std::uint32_t i = 0; i < segments; ++i) {
      down(psh | ack, 1 + i * 1000, 1000);
      if (silence_s > 0 && i == segments / 2) {
        at_s += silence_s;
        down(psh | ack, 1 + i * 1000, 1000);
      }
      up(ack, 1 + (i + 1) * 1000);
    }
  }
  std::unique_ptr<flow::Screener> screen() {
    auto screener = std::make_unique<flow::Screener>(flow::ScreenOptions{});
    std::vector<wire::Frame> frames;
    for (std::size_t i = 0; i < built_.size(); ++i) {
      frames.push_back(built_[i].frame());
      frames.back().time = times_[i];
      frames.back().number = i + 1;
    }
    screener->add(frames);
    return screener;
  }

 private:
  std::vector<BuiltFrame> built_;
  std::vector<Time> times_;
};

std::set<std::uint32_t> ids_of(const flow::Choice& choice) {
  return {choice.ids.begin(), choice.ids.end()};
}

TEST(Choice, WhatCostTimeIsTakenAndWhatIsSoundIsNot) {
  Script script;
  for (std::uint16_t i = 0; i < 10; ++i) {
    script.transfer(static_cast<std::uint16_t>(4000 + i), i, 20, i == 3 || i == 7 ? 0.5 : 0);
  }
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, {.largest = 0});
  EXPECT_EQ(ids_of(choice), (std::set<std::uint32_t>{3, 7}));
  EXPECT_EQ(choice.ends.size(), 2U);
  EXPECT_EQ(choice.facts.connections, 10U);
  EXPECT_EQ(choice.facts.connections_analysed, 2U);
  EXPECT_EQ(choice.facts[LightSign::silence].connections, 2U);
  EXPECT_EQ(choice.facts[LightSign::silence].grave, 2U);
  EXPECT_EQ(choice.facts.grave_left, 0U);
}

TEST(Choice, OfManyTheWorstBetweenEveryTwoHosts) {
  Script script;
  for (std::uint16_t i = 0; i < 20; ++i) {
    script.transfer(static_cast<std::uint16_t>(4000 + i), i, 20, 0.3 + 0.01 * i);
    script.transfer(static_cast<std::uint16_t>(4000 + i), i + 0.5, 20, 0.3 - 0.01 * i, "10.0.0.2");
  }
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, {.connections = 2, .largest = 0});
  // Numbered in the order of their first packets: the clients alternate.
  EXPECT_EQ(ids_of(choice), (std::set<std::uint32_t>{1, 38}));
  EXPECT_EQ(choice.facts.grave_left, 38U);
  EXPECT_EQ(choice.facts[LightSign::silence].grave_left, 38U);
}

TEST(Choice, TheLargestAreTakenAlthoughTheyAreSound) {
  Script script;
  for (std::uint16_t i = 0; i < 5; ++i) {
    script.transfer(static_cast<std::uint16_t>(4000 + i), i, i == 2 ? 30 : 10, 0);
  }
  const auto screener = script.screen();
  EXPECT_EQ(ids_of(flow::choose(*screener, {.largest = 1})), (std::set<std::uint32_t>{2}));
}

TEST(Choice, TheWorstIsTakenWhateverItCosts) {
  Script script;
  script.transfer(4000, 0, 200, 0.5);
  script.transfer(4001, 1, 50, 0.3);
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, {.packets = 20, .largest = 0});
  EXPECT_EQ(ids_of(choice), (std::set<std::uint32_t>{0}));
  EXPECT_EQ(choice.facts.grave_left, 1U);
}

TEST(Choice, WhatIsNotGraveIsASample) {
  Script script;
  for (std::uint16_t i = 0; i < 8; ++i) {
    script.transfer(static_cast<std::uint16_t>(4000 + i), i, i < 4 ? 40 : 20, i < 4 ? 0 : 0.5);
  }
  // Each of the sound ones has 83 packets, each of the others 44.
  const flow::ChoiceBudget budget{.packets = 1000, .least_sample_packets = 200};
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, budget);
  EXPECT_EQ(choice.facts.connections_analysed, 5U);  // of the largest one: two are above a half
  EXPECT_EQ(choice.facts.grave_left, 0U);
  const auto again = script.screen();
  EXPECT_EQ(flow::choose(*again, {.packets = 1000, .least_sample_packets = 1000})
                .facts.connections_analysed,
            8U);
}

TEST(Choice, OnlyWhatWasAskedFor) {
  Script script;
  for (std::uint16_t i = 0; i < 5; ++i) {
    script.transfer(static_cast<std::uint16_t>(4000 + i), i, 10, 0.5);
  }
  const auto screener = script.screen();
  EXPECT_EQ(ids_of(flow::choose_wanted(*screener, {.id = 4, .ends = {}})),
            (std::set<std::uint32_t>{4}));
}

TEST(Choice, OneAskedForByItsEnds) {
  Script script;
  script.transfer(4000, 0, 10, 0);
  script.transfer(4001, 1, 10, 0);
  const auto screener = script.screen();
  bool unused = false;
  const wire::EndsKey key =
      wire::key_of({address("10.0.9.9"), 80}, {address("10.0.0.1"), 4001}, unused);
  EXPECT_EQ(ids_of(flow::choose_wanted(*screener, {.id = {}, .ends = key})),
            (std::set<std::uint32_t>{1}));
  const wire::EndsKey other =
      wire::key_of({address("10.0.9.9"), 80}, {address("10.0.0.1"), 4999}, unused);
  const auto again = script.screen();
  EXPECT_TRUE(flow::choose_wanted(*again, {.id = {}, .ends = other}).ids.empty());
}

TEST(Choice, EveryUseOfAFourTupleGoesTogether) {
  Script script;
  script.transfer(4000, 0, 10, 0);
  script.transfer(4001, 1, 10, 0);
  script.add(
      2,
      packet().ethernet().ipv4("10.0.0.1", "10.0.9.9").tcp(syn, ports(4000, 80), seq(777)).build());
  script.add(
      3,
      packet().ethernet().ipv4("10.0.0.1", "10.0.9.9").tcp(syn, ports(4000, 80), seq(777)).build());
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, {.largest = 0});
  EXPECT_EQ(ids_of(choice), (std::set<std::uint32_t>{0, 2}));
}

TEST(Choice, AFourTupleThatIsUsedMoreOftenThanMayBeTakenIsLeftAndSaid) {
  Script script;
  script.transfer(4000, 0, 10, 0.5);
  for (std::uint32_t i = 0; i < 40; ++i) {
    // Each SYN once more after a second: nobody answers.
    for (const double again_s : {0.0, 1.0}) {
      script.add(10 + 2 * i + again_s, packet()
                                           .ethernet()
                                           .ipv4("10.0.0.1", "10.0.9.9")
                                           .tcp(syn, ports(4001, 80), seq(1000 * i))
                                           .build());
    }
  }
  const auto screener = script.screen();
  const flow::Choice choice = flow::choose(*screener, {.connections = 20, .largest = 0});
  EXPECT_EQ(ids_of(choice), (std::set<std::uint32_t>{0}));
  EXPECT_EQ(choice.facts.connections, 41U);
  EXPECT_EQ(choice.facts.grave_left, 40U);
  // Asked for by name it is looked at all the same.
  const auto again = script.screen();
  EXPECT_EQ(flow::choose_wanted(*again, {.id = 40, .ends = {}}).ids.size(), 40U);
}

TEST(Choice, AllUsesOfAFourTupleCostNotOnlyTheEarlier) {
  constexpr std::uint32_t kUses = 10;
  Script script;
  script.transfer(4000, 0, 10, 0.5);
  // SYNs that nobody answers, from port after port, and so again.
  for (std::uint32_t i = 0; i < kUses; ++i) {
    for (std::uint16_t port = 5000; port < 5020; ++port) {
      for (const double again_s : {0.0, 1.0}) {
        script.add(10 + 20 * i + 0.1 * (port - 5000) + again_s,
                   packet()
                       .ethernet()
                       .ipv4("10.0.0.1", "10.0.9.9")
                       .tcp(syn, ports(port, 80), seq(1'000'000 * (i + 1)))
                       .build());
      }
    }
  }
  const auto screener = script.screen();
  const flow::Choice few = flow::choose(*screener, {.connections = 45, .largest = 0});
  EXPECT_EQ(few.facts.connections, 1 + 20 * kUses);
  EXPECT_EQ(few.facts.connections_analysed, 1 + 4 * kUses);
  const auto again = script.screen();
  const flow::Choice short_of_packets = flow::choose(*again, {.packets = 90, .largest = 0});
  EXPECT_LE(short_of_packets.facts.packets_analysed, 90U);
  EXPECT_EQ(short_of_packets.facts.connections_analysed % kUses, 1U);
}

TEST(ChosenEnds, HoldsWhatWasAddedAndNothingElse) {
  flow::ChosenEnds ends;
  std::vector<wire::EndsKey> keys;
  bool unused = false;
  for (std::uint16_t port = 1; port < 3000; ++port) {
    keys.push_back(wire::key_of({address("10.0.0.1"), port}, {address("10.0.0.2"), 80}, unused));
  }
  for (std::size_t i = 0; i < keys.size(); i += 2) ends.add(keys[i], wire::hash_of(keys[i]));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(ends.contains(keys[i], wire::hash_of(keys[i])), i % 2 == 0) << i;
  }
}

}  // namespace
}  // namespace slowpath::test
