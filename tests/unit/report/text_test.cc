// SPDX-License-Identifier: Apache-2.0
// The page of text against tests/golden/report. SLOWPATH_BLESS=1 rewrites the files; review the
// diff.
#include "report/text.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "unit/report/answers.h"

namespace slowpath::report {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
  const std::string file = std::string{SLOWPATH_SOURCE_DIR} + "/tests/golden/report/" + name;
  if (std::getenv("SLOWPATH_BLESS") != nullptr) {
    std::ofstream{file} << text;
    return;
  }
  std::ifstream stream{file};
  ASSERT_TRUE(stream) << file << " is missing; SLOWPATH_BLESS=1 writes it";
  std::stringstream golden;
  golden << stream.rdbuf();
  EXPECT_EQ(text, golden.str()) << "SLOWPATH_BLESS=1 rewrites " << file;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST(Text, OneFaultFitsOneScreen) {
  const std::string text = to_text(test::large_sends(), {});
  expect_golden("large_sends.txt", text);
  EXPECT_LE(lines_of(text), 24u);
}

TEST(Text, NoLineIsWiderThanAsked) {
  for (const std::size_t width : {80u, 120u}) {
    std::istringstream lines{to_text(test::poor_witness(), {.style = {.width = width}})};
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(display_width(line), width) << line;
  }
}

TEST(Text, AConnectionThatWasCutOffSaysSo) {
  Answer answer = test::large_sends();
  ResetFacts reset;
  reset.frame = FrameRef{0, 4711};
  reset.direction = Direction::to_client;
  reset.time = answer.facts.connections[0].first + from_seconds(0.918);
  reset.all_acknowledged = true;  // an end as others
  answer.facts.connections[0].resets = {reset};
  EXPECT_EQ(to_text(answer, {}).find("cut off"), std::string::npos);
  answer.facts.connections[0].resets[0].all_acknowledged = false;
  const std::string text = to_text(answer, {});
  EXPECT_NE(text.find("cut off"), std::string::npos);
  EXPECT_NE(text.find("(frame 4711)"), std::string::npos);
}

TEST(Text, AConnectionOfWhichOnlyAcksWereCapturedShowsWhatTheyAcknowledge) {
  Answer answer = test::healthy();
  DirectionFacts data;
  data.unseen_acked_bytes = 10'000'000;
  data.unseen_acked_holes = 5000;
  answer.facts.connections[0].directions = {DirectionFacts{}, data};
  const std::string text = to_text(answer, {});
  EXPECT_NE(text.find("9.54 MiB acknowledged in "), std::string::npos) << text;
}

TEST(Text, AllShowsEveryRemedy) {
  expect_golden("large_sends_all.txt", to_text(test::large_sends(), {.all = true}));
}

TEST(Text, ARemedyOfBothEndsReadsAsASentence) {
  Answer answer = test::large_sends();
  Finding& finding = answer.diagnosis.findings.front();
  finding.fault = "random-loss";
  finding.connections.clear();
  finding.direction.reset();
  const std::string text = to_text(answer, {.all = true});
  EXPECT_NE(text.find("on both ends: "), std::string::npos) << text;
  EXPECT_EQ(text.find("the both"), std::string::npos) << text;
}

TEST(Text, WhatToLookAtFirstComesBeforeTheChange) {
  Answer answer = test::large_sends();
  Finding& finding = answer.diagnosis.findings.front();
  finding.fault = answer.diagnosis.verdict = "zero-window";
  const std::string text = to_text(answer, {});
  const std::size_t look = text.find("look      on 10.0.0.2: ss -tmp src :9000: ");
  ASSERT_NE(look, std::string::npos) << text;
  EXPECT_LT(look, text.find("do        on 10.0.0.2: Give reading its own thread")) << text;
  EXPECT_NE(text.find("1 other step or system with --all"), std::string::npos) << text;
  const std::string all = to_text(answer, {.all = true});
  EXPECT_EQ(all.find("not needed"), std::string::npos) << all;
}

TEST(Text, WithoutAChangeThereIsOnlySomethingToLookAt) {
  Answer answer = test::large_sends();
  answer.diagnosis.findings.front().fault = answer.diagnosis.verdict = "server-think-time";
  const std::string text = to_text(answer, {});
  EXPECT_NE(text.find("look      on 10.0.0.2: Profile the server's application"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("\ndo "), std::string::npos) << text;
  EXPECT_NE(text.find("1 other step or system with --all"), std::string::npos) << text;
}

TEST(Text, NarrowAsciiTerminal) {
  const std::string text = to_text(test::large_sends(), {.style = {.width = 80, .utf8 = false}});
  expect_golden("large_sends_ascii.txt", text);
  EXPECT_TRUE(
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST(Text, Healthy) { expect_golden("healthy.txt", to_text(test::healthy(), {})); }

TEST(Text, UnclearSaysWhatToCapture) {
  const std::string text = to_text(test::unclear(), {});
  expect_golden("unclear.txt", text);
  EXPECT_NE(text.find("tcpdump -ni DEV -s 128 -w sender.pcap"), std::string::npos);
}

TEST(Text, PoorWitness) { expect_golden("poor_witness.txt", to_text(test::poor_witness(), {})); }

TEST(Text, CrowdShowsTheWorstFirstAndCountsTheRest) {
  const std::string text = to_text(test::crowd(), {});
  expect_golden("crowd.txt", text);
  EXPECT_LT(text.find("#17"), text.find("#39"));
}

TEST(Text, AllShowsEveryConnection) {
  const std::string text = to_text(test::crowd(), {.all = true});
  for (int id = 1; id < 40; ++id) {
    EXPECT_NE(text.find("10.0.0.1:" + std::to_string(50'000 + id)), std::string::npos) << id;
  }
}

TEST(Text, Empty) { expect_golden("empty.txt", to_text(test::empty(), {})); }

TEST(Text, QuietIsOneLine) {
  EXPECT_EQ(
      to_text(test::large_sends(), {.quiet = true}),
      "lso-not-segmented: 127 of 127 frames longer than one segment were lost, and each passed "
      "in pieces after a timeout\n");
  EXPECT_EQ(lines_of(to_text(test::healthy(), {.quiet = true})), 1u);
}

TEST(Text, HostileNamesAndNumbersAreHarmless) {
  const std::string text = to_text(test::hostile(), {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("nan"), std::string::npos) << text;
  EXPECT_EQ(text.find("inf "), std::string::npos) << text;
}

TEST(Text, ExplainSaysEachReasonOnce) {
  Answer answer = test::healthy();
  answer.silences = {{"random-loss", 0, Direction::to_server, "3 losses; at least 10 are needed"},
                     {"random-loss", 1, Direction::to_server, "3 losses; at least 10 are needed"},
                     {"zero-window", 0, Direction::to_server, "the window was never zero"}};
  const std::string text = to_text(answer, {.explain = true});
  EXPECT_NE(text.find("silent    random-loss: 3 losses; at least 10 are needed (2 times)\n"
                      "          zero-window: the window was never zero\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace slowpath::report
