// SPDX-License-Identifier: Apache-2.0
// Findings about many connections, and evidence about bytes, in text and JSON.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/json.h"
#include "report/json.h"
#include "report/text.h"
#include "unit/report/answers.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::json;

/// The crowd, its verdict's finding made of thirty.
Answer spread_crowd() {
  Answer answer = test::crowd();
  Finding& finding = answer.diagnosis.findings.front();
  finding.spread = Spread{"10.0.0.1", "10.0.0.0/24", 30, 40, finding.connections.front(), 7.8};
  finding.seconds_lost = 200;
  finding.claim = "30 of 40 connections 10.0.0.1 → 10.0.0.0/24, 3 min 20 s lost in all";
  for (std::size_t i = 0; i < 30; ++i) {
    answer.diagnosis.connection_verdicts.at(i) = answer.diagnosis.verdict;
  }
  return answer;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST(Spread, IsInTheJsonWithItsCounts) {
  const Json json = Json::parse(to_json(spread_crowd(), {}));
  const Json& finding = json["findings"][0];
  EXPECT_EQ(finding["connections_total"], 30);
  EXPECT_EQ(finding["spread"]["senders"], "10.0.0.1");
  EXPECT_EQ(finding["spread"]["receivers"], "10.0.0.0/24");
  EXPECT_EQ(finding["spread"]["connections_between"], 40);
  EXPECT_EQ(json["findings"][1]["connections_total"], json["findings"][1]["connections"].size());
  EXPECT_TRUE(json["findings"][1]["spread"].is_null());
  EXPECT_EQ(json["statistics"]["verdicts"][std::string(json["verdict"])], 30);
}

TEST(Spread, TextCountsAndStaysOneScreen) {
  const std::string text = to_text(spread_crowd(), {});
  EXPECT_NE(text.find("30 of 40 connections 10.0.0.1 → 10.0.0.0/24"), std::string::npos) << text;
  EXPECT_NE(text.find("3 min 20 s over 30 connections"), std::string::npos) << text;
  EXPECT_NE(text.find("40 of 12 040 connections analysed: 30 lso-not-segmented"), std::string::npos)
      << text;
  EXPECT_LE(lines_of(text), 50U);
}

TEST(Spread, ConnectionsThatAFindingSpeaksOfHaveNoLines) {
  Answer answer = spread_crowd();
  answer.facts.connections_total = answer.facts.connections.size();
  const std::string text = to_text(answer, {});
  // One has a finding of its own.
  EXPECT_EQ(text.find("\n#"), text.find("\n#17 ")) << text;
  EXPECT_EQ(text.rfind("\n#"), text.find("\n#17 ")) << text;
  EXPECT_NE(text.find("38 more connections with --all"), std::string::npos) << text;
  EXPECT_LT(text.find("40 connections: 30 lso"), text.find("VERDICT")) << text;
  // Of a large capture some are only counted.
  answer.facts.connections_total = 12'040;
  EXPECT_NE(to_text(answer, {}).find("40 of 12 040 connections analysed: 30 lso"),
            std::string::npos)
      << text;
}

TEST(Spread, ConnectionsBeyondTheListedWorstStillComeBeforeSoundOnes) {
  const Answer answer = spread_crowd();
  const auto order = connections_worst_first(answer);
  ASSERT_EQ(order.size(), 40U);
  for (std::size_t place = 0; place < 30; ++place) {
    EXPECT_NE(answer.diagnosis.connection_verdicts[order[place]], "healthy") << place;
  }
}

TEST(Evidence, NamesThePatternOnlyWhereBytesWereCompared) {
  Answer answer = test::large_sends();
  Evidence evidence = answer.diagnosis.findings.front().evidence.front();
  evidence.pattern = "bit flips";
  answer.diagnosis.findings.front().evidence.push_back(evidence);
  const Json json = Json::parse(to_json(answer, {}));
  const Json& list = json["findings"][0]["evidence"];
  EXPECT_FALSE(list[0].contains("pattern"));
  EXPECT_EQ(list.back()["pattern"], "bit flips");
}

}  // namespace
}  // namespace slowpath::report
