// SPDX-License-Identifier: Apache-2.0
// The answer about a host, as text and as JSON that keeps its schema; and the document of all
// rules.
#include "report/inspection.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "detect/inspection.h"
#include "machine/text.h"
#include "report/schema.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string read_file(const std::string& path) {
  std::ifstream stream(SLOWPATH_SOURCE_DIR "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Inspected inspected(const std::string& text) {
  Inspected answer;
  machine::read_text("host.txt", text, answer.facts);
  answer.inspection = detect::inspect_host(answer.facts);
  answer.source = "host.txt";
  return answer;
}

TextOptions plain() {
  TextOptions options;
  options.style = {.width = 100, .color = false, .utf8 = true};
  return options;
}

const std::string kSackOff = "net.ipv4.tcp_sack = 0\nnet.ipv4.tcp_window_scaling = 1\n";

TEST(InspectionJson, KeepsItsSchema) {
  for (const std::string& text :
       {std::string{}, kSackOff, kSackOff + "what is this?\n",
        read_file("tests/unit/machine/text/fixtures/linux.txt"),
        read_file("tests/unit/machine/text/fixtures/windows8.txt"),
        read_file("tests/unit/machine/text/fixtures/esxi.txt"),
        read_file("tests/inspection/stories/s1_solaris_wrong_build.txt")}) {
    const std::string printed = inspection_to_json(inspected(text));
    EXPECT_TRUE(printed.ends_with("\n}\n"));
    const json document = json::parse(printed);
    EXPECT_EQ(test::schema_errors(document, inspection_schema()), "") << document.dump(1);
  }
  EXPECT_EQ(test::schema_errors(json::parse(inspection_error_to_json("cannot read x: no")),
                                inspection_schema()),
            "");
}

TEST(InspectionJson, TheSchemaRefusesWhatLacksAPart) {
  json document = json::parse(inspection_to_json(inspected(kSackOff)));
  document["findings"][0].erase("remedies");
  EXPECT_NE(test::schema_errors(document, inspection_schema()), "");
  document = json::parse(inspection_to_json(inspected(kSackOff)));
  document.erase("unread");
  EXPECT_NE(test::schema_errors(document, inspection_schema()), "");
}

TEST(InspectionJson, AFindingHasItsOwnValuesInTheStep) {
  const json document = json::parse(inspection_to_json(inspected(kSackOff)));
  EXPECT_EQ(document["verdict"], "unclear");
  ASSERT_EQ(document["findings"].size(), 1U);
  const json& finding = document["findings"][0];
  EXPECT_EQ(finding["rule"], "sack-off");
  EXPECT_EQ(finding["fault"], "sack-stripped");
  EXPECT_EQ(finding["evidence"][0]["origin"], "host.txt, line 1");
  EXPECT_EQ(finding["remedies"][0]["do"], "sysctl -w net.ipv4.tcp_sack=1");
  EXPECT_EQ(finding["remedies"][0]["undo"], "sysctl -w net.ipv4.tcp_sack=0");
}

TEST(InspectionText, WhatIsWrongStandsBeforeWhatWasLookedAt) {
  const std::string text = inspection_to_text(inspected(kSackOff), plain());
  EXPECT_LT(text.find("selective acknowledgements are switched off"), text.find("looked at"));
  EXPECT_THAT(text, HasSubstr("value     0; expected: 1"));
  EXPECT_THAT(text, HasSubstr("(host.txt, line 1)"));
  EXPECT_THAT(text, HasSubstr("do        sysctl -w net.ipv4.tcp_sack=1"));
  EXPECT_THAT(text, HasSubstr("undo: sysctl -w net.ipv4.tcp_sack=0"));
}

TEST(InspectionText, WhatWasNotReadOrUnderstoodIsSaid) {
  Inspected answer = inspected(kSackOff + "what is this?\n");
  for (const char* name : {"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "eth6"})
    answer.facts.unread.push_back(
        {std::string("rings of ") + name, "not permitted", "cap_net_admin"});
  const std::string text = inspection_to_text(answer, plain());
  EXPECT_THAT(text, HasSubstr("rings of eth0, rings of eth1"));
  EXPECT_THAT(
      text, HasSubstr("rings of eth4 and 2 more: not\n          permitted (needs cap_net_admin)"));
  EXPECT_THAT(text, HasSubstr("1 line was not understood"));
  EXPECT_THAT(text, HasSubstr("host.txt, line 3: what is this?"));
}

TEST(InspectionText, QuietIsOneLine) {
  TextOptions options = plain();
  options.quiet = true;
  const std::string text = inspection_to_text(inspected("net.ipv4.tcp_sack = 1\n"), options);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_THAT(text, HasSubstr("healthy"));
}

TEST(InspectionText, ExplainNamesTheRulesThatLackTheirFacts) {
  TextOptions options = plain();
  EXPECT_THAT(inspection_to_text(inspected(kSackOff), options), Not(HasSubstr("port-range-small")));
  options.explain = true;
  EXPECT_THAT(inspection_to_text(inspected(kSackOff), options),
              HasSubstr("port-range-small needs: sysctl -a"));
}

TEST(InspectionRules, TheDocumentIsUpToDate) {
  EXPECT_EQ(read_file("docs/inspect.md"), inspection_rules_markdown())
      << "docs/inspect.md is out of date: slowpath inspect --rules > docs/inspect.md";
}

}  // namespace
}  // namespace slowpath::report
