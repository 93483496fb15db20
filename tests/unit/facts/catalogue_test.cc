// SPDX-License-Identifier: Apache-2.0
// The catalogue holds together: every id named exists, nothing goes in circles, every change has
// its undo; and where the reference is at hand, both say the same.
#include "facts/catalogue.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "facts/non_faults.h"
#include "support/shared.h"

namespace slowpath {
namespace {

/// What stands between pairs of backquotes.
std::vector<std::string_view> quoted(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const auto open = text.find('`');
    if (open == std::string_view::npos) return words;
    const auto close = text.find('`', open + 1);
    EXPECT_NE(close, std::string_view::npos) << "unpaired backquote in: " << text;
    if (close == std::string_view::npos) return words;
    words.push_back(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
}

bool is_known(std::string_view id) {
  return find_fault(id) != nullptr || find_non_fault(id) != nullptr;
}

std::vector<std::string_view> texts_of(const Fault& fault) {
  std::vector<std::string_view> texts{
      fault.name,   fault.at_sender,     fault.at_receiver,      fault.at_midpath, fault.at_host,
      fault.active, fault.told_apart_by, fault.minimum_evidence, fault.references};
  for (const RemedyStep& step : fault.remedies) {
    texts.insert(texts.end(), {step.action, step.undo, step.source});
  }
  return texts;
}

TEST(catalogue, holds_81_faults_each_once) {
  std::set<std::string_view> ids;
  for (const Fault& fault : all_faults()) ids.insert(fault.id);
  EXPECT_EQ(all_faults().size(), 81U);
  EXPECT_EQ(ids.size(), 81U);
}

TEST(catalogue, families_follow_each_other) {
  EXPECT_TRUE(std::ranges::is_sorted(all_faults(), {}, &Fault::family));
}

TEST(catalogue, finds_each_fault_and_no_other) {
  for (const Fault& fault : all_faults()) EXPECT_EQ(find_fault(fault.id), &fault);
  EXPECT_EQ(find_fault("lso-not-segmente"), nullptr);
  EXPECT_EQ(find_fault(""), nullptr);
  EXPECT_EQ(find_fault("nf-tlp"), nullptr);
}

TEST(catalogue, every_general_fault_exists) {
  for (const Fault& fault : all_faults()) {
    if (fault.specialises.empty()) continue;
    EXPECT_NE(find_fault(fault.specialises), nullptr) << fault.id << " -> " << fault.specialises;
  }
}

TEST(catalogue, specialisation_has_no_cycle) {
  for (const Fault& fault : all_faults()) {
    const Fault* general = &fault;
    std::size_t steps = 0;
    while (general != nullptr && !general->specialises.empty()) {
      general = find_fault(general->specialises);
      ASSERT_LT(++steps, all_faults().size()) << fault.id << " goes in circles";
    }
  }
}

TEST(catalogue, specialisation_is_transitive_and_not_reflexive) {
  EXPECT_TRUE(is_specialisation_of("icmp-filtered", "pmtud-blackhole"));
  EXPECT_TRUE(is_specialisation_of("icmp-filtered", "rto-dominated"));
  EXPECT_FALSE(is_specialisation_of("rto-dominated", "icmp-filtered"));
  EXPECT_FALSE(is_specialisation_of("icmp-filtered", "icmp-filtered"));
  EXPECT_FALSE(is_specialisation_of("icmp-filtered", "jumbo-mismatch"));
  EXPECT_FALSE(is_specialisation_of("no-such-fault", "rto-dominated"));
  EXPECT_FALSE(is_specialisation_of("rto-dominated", ""));
}

TEST(catalogue, look_alikes_exist_and_are_others) {
  for (const Fault& fault : all_faults()) {
    for (const std::string_view id : quoted(fault.told_apart_by)) {
      EXPECT_TRUE(is_known(id)) << fault.id << " names " << id;
      EXPECT_NE(id, fault.id);
    }
  }
}

TEST(catalogue, ids_in_signatures_exist) {
  for (const Fault& fault : all_faults()) {
    for (const std::string_view text : {fault.at_sender, fault.at_receiver, fault.at_midpath,
                                        fault.at_host, fault.active, fault.minimum_evidence}) {
      for (const std::string_view id : quoted(text)) {
        EXPECT_TRUE(is_known(id)) << fault.id << " names " << id;
      }
    }
  }
}

TEST(catalogue, no_required_text_is_missing) {
  for (const Fault& fault : all_faults()) {
    EXPECT_FALSE(fault.name.empty()) << fault.id;
    EXPECT_FALSE(fault.told_apart_by.empty()) << fault.id;
    EXPECT_FALSE(fault.minimum_evidence.empty()) << fault.id;
    EXPECT_FALSE(fault.references.empty()) << fault.id;
    EXPECT_FALSE(fault.at_sender.empty() && fault.at_receiver.empty() && fault.at_host.empty())
        << fault.id;
  }
}

TEST(catalogue, sentences_end_with_a_full_stop) {
  for (const Fault& fault : all_faults()) {
    for (const std::string_view text :
         {fault.at_sender, fault.at_receiver, fault.at_midpath, fault.at_host, fault.active,
          fault.told_apart_by, fault.minimum_evidence}) {
      EXPECT_TRUE(text.empty() || text.ends_with('.')) << fault.id << ": " << text;
    }
  }
}

TEST(catalogue, texts_do_not_name_the_stories) {
  for (const Fault& fault : all_faults()) {
    for (const std::string_view text : texts_of(fault)) {
      EXPECT_THAT(
          std::string{text},
          ::testing::Not(::testing::ContainsRegex("(^|[^A-Za-z0-9])S[0-4]([^A-Za-z0-9]|$)")))
          << fault.id;
    }
  }
}

TEST(catalogue, every_fault_has_a_step_for_linux_or_any_system) {
  for (const Fault& fault : all_faults()) {
    EXPECT_TRUE(std::ranges::any_of(fault.remedies, [](const RemedyStep& step) {
      return step.platform == Platform::linux || step.platform == Platform::any;
    })) << fault.id;
  }
}

TEST(catalogue, every_step_has_action_undo_and_source) {
  for (const Fault& fault : all_faults()) {
    for (const RemedyStep& step : fault.remedies) {
      EXPECT_FALSE(step.action.empty()) << fault.id;
      EXPECT_FALSE(step.undo.empty()) << fault.id << ": " << step.action;
      EXPECT_FALSE(step.source.empty()) << fault.id << ": " << step.action;
    }
  }
}

/// The words of a text without the punctuation at their end.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char letter : std::string{text} + ' ') {
    if (letter != ' ') {
      word += letter;
    } else if (!word.empty()) {
      while (word.ends_with(',') || word.ends_with(';') || word.ends_with(':')) word.pop_back();
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

TEST(catalogue, offload_steps_turn_one_switch_and_undo_turns_it_back) {
  int seen = 0;
  for (const Fault& fault : all_faults()) {
    for (const RemedyStep& step : fault.remedies) {
      if (!step.action.starts_with("ethtool -K ")) continue;
      ++seen;
      const auto action = words_of(step.action);
      const auto undo = words_of(step.undo);
      ASSERT_GE(action.size(), 5U) << step.action;
      ASSERT_GE(undo.size(), 5U) << step.undo;
      EXPECT_EQ(action[2], undo[2]) << "another device: " << step.undo;
      EXPECT_EQ(action[3], undo[3]) << "another switch: " << step.undo;
      EXPECT_EQ(undo[4], action[4] == "on" ? "off" : "on") << step.action;
      EXPECT_LE(std::ranges::count(action, "off") + std::ranges::count(action, "on"), 2)
          << step.action;
      EXPECT_TRUE(action.size() < 7 || (action[6] != "on" && action[6] != "off"))
          << "two switches in one step: " << step.action;
    }
  }
  EXPECT_GT(seen, 10);
}

TEST(catalogue, sysctl_steps_set_one_value_and_undo_sets_the_noted_one) {
  int seen = 0;
  for (const Fault& fault : all_faults()) {
    for (const RemedyStep& step : fault.remedies) {
      if (!step.action.starts_with("sysctl -w ")) continue;
      ++seen;
      const std::string key = words_of(step.action)[2];
      const std::string name = key.substr(0, key.find('='));
      EXPECT_TRUE(step.undo.starts_with("sysctl -w " + name + "=")) << step.undo;
      if (!step.undo.contains("OLD")) continue;  // the value before is known: the opposite
      EXPECT_TRUE(step.undo.contains("`sysctl " + name + "`")) << step.undo;
    }
  }
  EXPECT_GT(seen, 30);
}

TEST(catalogue, steps_that_write_do_not_claim_to_change_nothing) {
  constexpr std::string_view kWriting[] = {
      "sysctl -w ",   "ethtool -K ",        "ethtool -L ",       "ethtool -G ",
      "iptables -I ", "iptables -A ",       "tc qdisc replace ", "ip route replace ",
      "ip link set ", "netsh int tcp set ", "ipadm set-prop ",   "dladm set-linkprop ",
      "ndd -set "};
  for (const Fault& fault : all_faults()) {
    for (const RemedyStep& step : fault.remedies) {
      for (const std::string_view command : kWriting) {
        EXPECT_FALSE(step.action.starts_with(command) && step.undo == kNothingToUndo)
            << fault.id << ": " << step.action;
      }
    }
  }
}

TEST(catalogue, steps_that_tell_to_change_have_an_undo) {
  constexpr std::string_view kOrders[] = {
      "Set ",     "Remove ", "Let ", "Raise ", "Lower ", "Give the ", "Switch ", "Install ",
      "Replace ", "Keep ",   "Use ", "Add ",   "Put ",   "Take ",     "Upgrade "};
  for (const Fault& fault : all_faults()) {
    for (const RemedyStep& step : fault.remedies) {
      for (const std::string_view order : kOrders) {
        EXPECT_FALSE(step.action.starts_with(order) && step.undo == kNothingToUndo)
            << fault.id << ": " << step.action;
      }
    }
  }
}

TEST(catalogue, agrees_with_the_reference) {
  const auto file = testing::shared_dir() / "reference" / "faults.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << " beside the repository";
  std::ifstream stream{file};
  const auto reference = nlohmann::json::parse(stream);
  ASSERT_EQ(reference.size(), all_faults().size());
  std::vector<std::string> order;  // of one family in the reference, and then of all of them
  for (int family = 0; family <= static_cast<int>(Family::connection); ++family) {
    for (const auto& entry : reference) {
      if (entry.at("family") == to_string(static_cast<Family>(family)))
        order.push_back(entry.at("id"));
    }
  }
  ASSERT_EQ(order.size(), all_faults().size());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(all_faults()[i].id, order[i]);
  for (const auto& entry : reference) {
    const std::string id = entry.at("id");
    const Fault* fault = find_fault(id);
    ASSERT_NE(fault, nullptr) << id;
    EXPECT_EQ(fault->name, entry.at("name").get<std::string>()) << id;
    EXPECT_EQ(to_string(fault->family), entry.at("family").get<std::string>()) << id;
    EXPECT_EQ(fault->specialises, entry.value("specialises", "")) << id;
    EXPECT_EQ(to_string(fault->proved_by), entry.at("proved_by").get<std::string>()) << id;
    EXPECT_EQ(to_string(fault->max_severity), entry.value("max_severity", "fault")) << id;
    for (const auto& [platform, note] : entry.at("remedies").items()) {
      const bool covered = std::ranges::any_of(fault->remedies, [&](const RemedyStep& step) {
        return to_string(step.platform) == platform || step.platform == Platform::any;
      });
      EXPECT_TRUE(covered) << id << " has no step for " << platform << ": " << note;
    }
  }
}

}  // namespace
}  // namespace slowpath
