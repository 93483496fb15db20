// SPDX-License-Identifier: Apache-2.0
// Every rule about hosts has tests/inspection/RULE.txt: hosts about which it fires, and hosts like
// them about which it stays silent although it could judge. A section begins at "=== fires
// SEVERITY" or "=== silent"; "=== after SECONDS" is a second reading of the host above it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "detect/host_rule.h"
#include "detect/host_silence.h"
#include "detect/inspection.h"
#include "machine/live.h"
#include "machine/text.h"

namespace slowpath::detect {
namespace {

const std::string kFolder = SLOWPATH_SOURCE_DIR "/tests/inspection/";

struct Example {
  std::string head;  // "fires suspect"
  MachineFacts facts;
};

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Example> examples_of(const std::string& rule) {
  constexpr std::string_view kMark = "=== ", kAfter = "after ";
  std::vector<Example> examples;
  std::string text = read_file(kFolder + rule + ".txt");
  while (text.starts_with(kMark)) {
    const std::size_t line = text.find('\n');
    const std::string head = text.substr(kMark.size(), line - kMark.size());
    const std::size_t end = std::min(text.find("\n=== ", line), text.size() - 1);
    MachineFacts facts;
    machine::read_text(rule + ".txt", text.substr(line + 1, end - line), facts);
    if (head.starts_with(kAfter) && !examples.empty()) {
      examples.back().facts = machine::rates_between(examples.back().facts, std::move(facts),
                                                     std::stod(head.substr(kAfter.size())));
    } else {
      examples.push_back({head, std::move(facts)});
    }
    text.erase(0, end + 1);
  }
  EXPECT_EQ(text, "") << "no section's head";
  return examples;
}

const HostFinding* finding_of(const Inspection& inspection, const std::string& rule) {
  const auto found = std::ranges::find(inspection.findings, rule, &HostFinding::rule);
  return found == inspection.findings.end() ? nullptr : &*found;
}

bool has_judged(const Inspection& inspection, const std::string& rule) {
  return std::ranges::any_of(inspection.rules, [&](const HostRuleState& state) {
    return state.rule == rule && state.judged;
  });
}

void expect_whole(const HostFinding& finding) {
  for (const std::string* text :
       {&finding.claim, &finding.value, &finding.expected, &finding.why, &finding.cost})
    EXPECT_FALSE(text->empty()) << finding.rule;
  EXPECT_FALSE(finding.claim.ends_with('.')) << finding.claim;
  ASSERT_FALSE(finding.evidence.empty());
  for (const HostEvidence& evidence : finding.evidence) {
    EXPECT_FALSE(evidence.text.empty());
    EXPECT_FALSE(evidence.origin.empty()) << evidence.text;
  }
  EXPECT_FALSE(finding.steps.empty()) << finding.rule;
  for (const HostStep& step : finding.steps) {
    EXPECT_FALSE(step.action.empty());
    EXPECT_FALSE(step.undo.empty()) << step.action;
    EXPECT_FALSE(step.source.empty()) << step.action;
  }
}

class HostRules : public testing::TestWithParam<std::string> {};

TEST_P(HostRules, FiresAndStaysSilent) {
  const std::string& rule = GetParam();
  std::set<std::string> kinds;
  for (const Example& each : examples_of(rule)) {
    SCOPED_TRACE(rule + ": " + each.head);
    EXPECT_TRUE(each.facts.not_understood.empty()) << each.facts.not_understood.front().text;
    const Inspection inspection = inspect_host(each.facts);
    EXPECT_TRUE(has_judged(inspection, rule));
    const HostFinding* finding = finding_of(inspection, rule);
    kinds.insert(each.head.substr(0, each.head.find(' ')));
    if (each.head == "silent") {
      EXPECT_EQ(finding, nullptr) << finding->claim;
    } else if (finding == nullptr) {
      ADD_FAILURE() << "it did not fire";
    } else {
      EXPECT_EQ(each.head, "fires " + std::string(to_string(finding->severity))) << finding->claim;
      expect_whole(*finding);
    }
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"fires", "silent"}));
}

std::vector<std::string> all_rules() {
  std::vector<std::string> names;
  for (const HostFault* fault : all_host_faults()) {
    for (const HostRule& rule : fault->rules) names.emplace_back(rule.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, HostRules, testing::ValuesIn(all_rules()), [](const auto& rule) {
  std::string name = rule.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(HostRuleTable, NamesAreUniqueAndFaultsAreKnown) {
  std::vector<std::string> names = all_rules();
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  for (const HostFault* fault : all_host_faults())
    EXPECT_NE(find_fault(fault->id), nullptr) << fault->id;
}

TEST(HostRuleTable, EveryFaultHasARuleOrTheReasonWhyNot) {
  for (const Fault& fault : all_faults()) {
    const bool has_rule = std::ranges::any_of(all_host_faults(), [&](const HostFault* known) {
      return known->id == fault.id && !known->rules.empty();
    });
    EXPECT_NE(has_rule, !why_no_host_rule(fault.id).empty()) << fault.id;
  }
}

TEST(HostRuleTable, NoFixtureIsWithoutItsRule) {
  const std::vector<std::string> names = all_rules();
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(std::ranges::count(names, entry.path().stem().string()), 1) << entry.path();
  }
}

TEST(HostRuleTable, NoFactsAreJudgedByNoRule) {
  const Inspection inspection = inspect_host({});
  EXPECT_TRUE(inspection.findings.empty());
  EXPECT_TRUE(std::ranges::none_of(inspection.rules, &HostRuleState::judged));
  EXPECT_EQ(inspection.verdict, "unclear");
}

std::vector<std::string> texts_of(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder + folder))
    paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

// Systems as they come from their makers, with the counters of a host that works for months.
TEST(HealthyHosts, HaveNeitherFaultNorSuspect) {
  const std::vector<std::string> paths = texts_of("healthy");
  EXPECT_GE(paths.size(), 15U);
  for (const std::string& path : paths) {
    MachineFacts facts;
    machine::read_text(path, read_file(path), facts);
    const Inspection inspection = inspect_host(facts);
    EXPECT_TRUE(facts.not_understood.empty()) << facts.not_understood.front().text;
    EXPECT_EQ(inspection.verdict, "healthy") << path << ": " << inspection.summary;
    for (const HostFinding& finding : inspection.findings)
      EXPECT_EQ(finding.severity, Severity::note) << path << ": " << finding.claim;
    EXPECT_GE(std::ranges::count(inspection.rules, true, &HostRuleState::judged), 7) << path;
  }
}

// The hosts of the five stories, with the settings that their tellers printed. The first line says
// what must be found, and nothing else may be.
TEST(Stories, SettingsAreJudgedAsTheyTurnedOut) {
  const std::vector<std::string> paths = texts_of("stories");
  EXPECT_GE(paths.size(), 10U);
  for (const std::string& path : paths) {
    const std::string text = read_file(path);
    const std::size_t line = text.find('\n');
    MachineFacts facts;
    machine::read_text(path, text.substr(line + 1), facts);
    std::vector<std::string> found;
    for (const HostFinding& finding : inspect_host(facts).findings)
      found.push_back(fmt::format("{} {}", finding.rule, to_string(finding.severity)));
    std::ranges::sort(found);
    EXPECT_EQ(text.substr(0, line), fmt::format("=== expects {}", fmt::join(found, ", "))) << path;
  }
}

TEST(PathAim, BuffersAreHeldAgainstTheProductOfRateAndRoundTrip) {
  MachineFacts facts;
  machine::read_text("a.txt", "net.ipv4.tcp_rmem = 4096 131072 6291456\n", facts);
  EXPECT_EQ(finding_of(inspect_host(facts), "receive-buffer-small"), nullptr);
  EXPECT_EQ(finding_of(inspect_host(facts, {1e8, 0.03}), "receive-buffer-small"), nullptr);
  const Inspection far = inspect_host(facts, {1e9, 0.1});
  const HostFinding* finding = finding_of(far, "receive-buffer-small");
  ASSERT_NE(finding, nullptr);
  // 3 MiB a round trip of 100 ms; 1 Gbit/s needs 12.5 MB, and twice that with overhead.
  EXPECT_EQ(finding->cost, "a connection gets at most 252 Mbit/s at 100 ms");
  EXPECT_EQ(finding->steps.front().action, "sysctl -w net.ipv4.tcp_rmem='4096 131072 25000000'");
  EXPECT_EQ(finding->steps.front().undo, "sysctl -w net.ipv4.tcp_rmem='4096 131072 6291456'");
}

// ss does not tell timeouts; the kernel does.
TEST(SocketSendsAgain, TimeoutsMakeItASuspect) {
  MachineFacts facts;
  facts.platform = Platform::linux;
  SocketFacts socket;
  socket.state = "established";
  socket.bytes_sent = 9'000'000;
  socket.bytes_retransmitted = 3'000'000;
  socket.retransmits_total = 2100;
  socket.timeouts_total = 12;
  socket.origin.where = "sock_diag";
  facts.sockets = {socket};
  const Inspection suffering = inspect_host(facts);
  const HostFinding* finding = finding_of(suffering, "socket-sends-again");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Severity::suspect);
  EXPECT_NE(finding->claim.find("12 timeouts"), std::string::npos) << finding->claim;
  // Fast retransmission keeps up.
  facts.sockets.front().timeouts_total = 1;
  EXPECT_EQ(finding_of(inspect_host(facts), "socket-sends-again"), nullptr);
}

TEST(OffloadsOff, AFullCoreMakesItAFault) {
  const std::string off =
      "### slowpath: ethtool -k eth0\nFeatures for eth0:\ngeneric-receive-offload: off\n";
  MachineFacts facts;
  machine::read_text("a.txt", off, facts);
  facts.interval_s = 10;
  CpuFacts cpu;
  cpu.user_s = 0.1;
  cpu.system_s = 2;
  cpu.softirq_s = 7.8;
  cpu.idle_s = 0.1;
  facts.cpus = {cpu};
  const Inspection busy = inspect_host(facts);
  ASSERT_NE(finding_of(busy, "offload-switched-off"), nullptr);
  EXPECT_EQ(finding_of(busy, "offload-switched-off")->severity, Severity::fault);
  EXPECT_EQ(busy.verdict, "offloads-disabled");
  facts.cpus.front().idle_s = 30;
  EXPECT_EQ(finding_of(inspect_host(facts), "offload-switched-off")->severity, Severity::suspect);
}

/// `text` with every number made `number`, and cut off at `end`.
std::string damaged(const std::string& text, std::string_view number, std::size_t end) {
  std::string result;
  bool in_number = false;
  for (const char letter : text.substr(0, end)) {
    const bool is_digit = letter >= '0' && letter <= '9';
    if (!is_digit) {
      result += letter;
    } else if (!in_number) {
      result += number;
    }
    in_number = is_digit;
  }
  return result;
}

// What a text says may be nonsense; each finding made of it is still whole.
TEST(DamagedHosts, NonsenseIsSurvived) {
  std::size_t looked = 0;
  for (const std::string& path : texts_of("")) {
    if (!std::filesystem::is_regular_file(path)) continue;
    const std::string text = read_file(path);
    for (const std::string_view number :
         {"18446744073709551615", "9223372036854775807", "4294967295", "-1", "0", "nan", "1e999"}) {
      for (const std::size_t end : {text.size(), text.size() / 2}) {
        MachineFacts facts;
        machine::read_text(path, damaged(text, number, end), facts);
        SCOPED_TRACE(fmt::format("{} {} {}", path, number, end));
        for (const HostFinding& finding : inspect_host(facts, {1e9, 0.1}).findings)
          expect_whole(finding);
        ++looked;
      }
    }
  }
  EXPECT_GT(looked, 1400U);
}

// docs/inspect.md is what `slowpath inspect --rules` prints.
TEST(HostRuleTable, EveryRuleSaysWhatItNeedsAndWhenItFires) {
  for (const HostFault* fault : all_host_faults()) {
    EXPECT_FALSE(fault->rules.empty()) << fault->id;
    for (const HostRule& rule : fault->rules) {
      EXPECT_FALSE(rule.needs.empty()) << rule.name;
      EXPECT_FALSE(rule.fires_when.empty()) << rule.name;
      EXPECT_FALSE(rule.fires_when.ends_with('.')) << rule.name;
    }
  }
}

}  // namespace
}  // namespace slowpath::detect
