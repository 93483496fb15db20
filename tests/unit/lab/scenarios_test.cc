// SPDX-License-Identifier: Apache-2.0
// Every scenario that the program carries: it can be read, with any draw of its parameters, and
// says enough to be judged.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "lab/scenario.h"

namespace slowpath::lab {
namespace {

Scenario read(const ScenarioText& text) {
  auto scenario = read_scenario(text.name, text.toml);
  EXPECT_TRUE(scenario) << scenario.error().message();
  return scenario.value_or(Scenario{});
}

TEST(scenarios, are_carried_in_the_program) { EXPECT_GE(all_scenario_texts().size(), 8U); }

TEST(scenarios, are_read_and_have_names_and_titles_of_their_own) {
  std::set<std::string> names, titles;
  for (const auto& text : all_scenario_texts()) {
    const auto scenario = read(text);
    EXPECT_TRUE(names.insert(scenario.name).second);
    EXPECT_TRUE(titles.insert(scenario.title).second) << scenario.title;
    EXPECT_FALSE(scenario.about.empty()) << scenario.name;
    for (const auto c : scenario.name) {
      EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') << scenario.name;
    }
  }
}

TEST(scenarios, can_be_read_whatever_is_drawn) {
  for (const auto& text : all_scenario_texts()) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      Random random{seed};
      const auto scenario = read_scenario(text.name, text.toml, {}, &random);
      ASSERT_TRUE(scenario) << "seed " << seed << ": " << scenario.error().message();
    }
  }
}

TEST(scenarios, what_is_broken_shows_and_is_to_be_found_and_cured) {
  for (const auto& text : all_scenario_texts()) {
    const auto scenario = read(text);
    if (scenario.faults.empty()) continue;
    // A fault that nobody could find at any point, or a story without its cure, teaches nothing.
    const bool can_be_found = std::ranges::any_of(scenario.expected, [&](const auto& expected) {
      return std::ranges::any_of(scenario.faults, [&](const auto& fault) {
        return std::ranges::find(expected.accepted, fault) != expected.accepted.end();
      });
    });
    EXPECT_TRUE(can_be_found) << scenario.name;
    EXPECT_TRUE(scenario.story.empty() || !scenario.fixes.empty()) << scenario.name;
    for (const auto& never : scenario.never) {
      EXPECT_EQ(std::ranges::count(scenario.allowed, never), 0) << scenario.name;
      for (const auto& expected : scenario.expected) {
        EXPECT_EQ(std::ranges::count(expected.accepted, never), 0) << scenario.name << never;
      }
    }
  }
}

TEST(scenarios, fixes_that_set_parameters_can_be_read_with_them) {
  for (const auto& text : all_scenario_texts()) {
    for (const auto& fix : read(text).fixes) {
      const auto fixed = read_scenario(text.name, text.toml, fix.set);
      EXPECT_TRUE(fixed) << fixed.error().message();
    }
  }
}

TEST(scenarios, the_five_stories_are_there) {
  std::map<std::string, int> stories;
  for (const auto& text : all_scenario_texts()) ++stories[read(text).story];
  for (const auto* story : {"S0", "S1", "S2", "S3", "S4"}) EXPECT_GE(stories[story], 1) << story;
  EXPECT_EQ(stories["S1"], 2);
  EXPECT_EQ(stories["S3"], 2);
}

TEST(scenarios, at_least_ten_have_several_faults_and_each_of_them_shows_somewhere) {
  std::ifstream file(SLOWPATH_SOURCE_DIR "/docs/lab.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  int several = 0;
  for (const auto& text : all_scenario_texts()) {
    const auto scenario = read(text);
    EXPECT_EQ(scenario.family == kSeveral, scenario.faults.size() > 1) << scenario.name;
    several += scenario.faults.size() > 1 ? 1 : 0;
    const auto& points = scenario.broken.capture.points;
    for (const auto& unseen : scenario.unseen) {
      EXPECT_NE(page.find("| " + scenario.name + " | " + unseen.point + " | `" + unseen.fault),
                std::string::npos)
          << "docs/lab.md does not say that " << scenario.name << " hides " << unseen.fault;
      EXPECT_NE(page.find(unseen.why), std::string::npos) << unseen.why;
    }
    for (const auto& point : points) {
      const auto hidden = std::ranges::count_if(scenario.unseen, [&](const auto& unseen) {
        return unseen.point == point && unseen.shows_as.empty();
      });
      EXPECT_LE(hidden, std::ssize(scenario.faults)) << scenario.name << " at " << point;
    }
  }
  EXPECT_GE(several, 10);
}

}  // namespace
}  // namespace slowpath::lab
