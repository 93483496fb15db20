// SPDX-License-Identifier: Apache-2.0
// The JSON contract: each hand-made answer against the published schema, and the promises that a
// schema cannot hold.
#include "base/json.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "report/json.h"
#include "report/schema.h"
#include "report/text.h"
#include "unit/report/answers.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::json;

std::string schema_errors(const Json& document) {
  return test::schema_errors(document, diagnosis_schema());
}

Json parsed(const Answer& answer, const JsonOptions& options = {}) {
  return Json::parse(to_json(answer, options));
}

TEST(JsonSchema, EveryAnswerKeepsIt) {
  for (const Answer& answer :
       {test::large_sends(), test::healthy(), test::unclear(), test::poor_witness(), test::crowd(),
        test::hostile(), test::empty()}) {
    EXPECT_EQ(schema_errors(parsed(answer)), "");
  }
}

TEST(JsonSchema, TheErrorDocumentKeepsIt) {
  EXPECT_EQ(schema_errors(Json::parse(error_to_json("cannot read x: no"))), "");
}

/// What the program prints on a command line.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), &pclose};
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    output.append(buffer.data(), got);
  }
  return output;
}

TEST(JsonSchema, EveryExampleCaptureKeepsIt) {
  std::size_t captures = 0;
  const std::string folder = std::string{SLOWPATH_SOURCE_DIR} + "/examples";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().string().find(".pcap") == std::string::npos) continue;
    ++captures;
    const std::string output =
        output_of(std::string{SLOWPATH_PROGRAM} + " diagnose --json --explain '" +
                  entry.path().string() + "'");
    EXPECT_EQ(schema_errors(Json::parse(output)), "") << entry.path();
  }
  EXPECT_GT(captures, 0u);
}

TEST(JsonSchema, NoticesWhatIsWrong) {
  Json document = parsed(test::large_sends());
  document["inputs"][0]["vantage"] = "somewhere";
  EXPECT_NE(schema_errors(document), "");
  document = parsed(test::large_sends());
  document["findings"][0].erase("claim");
  EXPECT_NE(schema_errors(document), "");
  document = parsed(test::large_sends());
  document.erase("connections");
  EXPECT_NE(schema_errors(document), "");
  document = parsed(test::large_sends());
  document["connections"][0]["directions"]["to_server"]["time"][0]["owner"] = "nobody";
  EXPECT_NE(schema_errors(document), "");
}

TEST(Json, RemediesMayBeAnotherFaults) {
  Answer made = test::large_sends();
  made.diagnosis.findings[0].remedies_of = "zero-window";
  const Json finding = parsed(made)["findings"][0];
  EXPECT_EQ(finding["fault"], "lso-not-segmented");
  EXPECT_EQ(finding["remedies_of"], "zero-window");
  ASSERT_EQ(finding["remedies"].size(), find_fault("zero-window")->remedies.size());
  EXPECT_EQ(finding["remedies"][2]["do"], find_fault("zero-window")->remedies[2].action);
  EXPECT_TRUE(finding["remedies"][0]["do"].get<std::string>().starts_with("ss -tmp src :9000: "));
  EXPECT_EQ(parsed(test::large_sends())["findings"][0]["remedies_of"], "lso-not-segmented");
}

TEST(Json, CarriesWhatAGraderReads) {
  const Json document = parsed(test::large_sends());
  EXPECT_EQ(document["schema"], "slowpath.diagnosis.v1");
  EXPECT_EQ(document["verdict"], "lso-not-segmented");
  EXPECT_EQ(document["findings"][0]["severity"], "fault");
  EXPECT_EQ(document["findings"][0]["family"], "segmentation");
  EXPECT_EQ(document["findings"][0]["evidence"][0]["frames"], Json({4, 5, 10, 15}));
  EXPECT_EQ(document["findings"][0]["evidence"][0]["file"], "lso_drop_1500.sender.pcap");
  EXPECT_EQ(document["findings"][0]["evidence"][0]["values"]["superframes"], 127);
  EXPECT_FALSE(document["findings"][0]["remedies"].empty());
  EXPECT_EQ(document["connections"][0]["client"], "10.0.0.1:47876");
  EXPECT_EQ(document["connections"][0]["directions"]["to_server"]["retransmitted_bytes"], 183'000);
  EXPECT_EQ(document["inputs"][0]["notes"][0]["id"], "nf-tso-superframe");
}

TEST(Json, SharesSumToOne) {
  const Json document = parsed(test::large_sends());
  double sum = 0;
  for (const Json& part : document["connections"][0]["directions"]["to_server"]["time"]) {
    sum += part["share"].get<double>();
  }
  EXPECT_NEAR(sum, 1.0, 1e-9);
}

TEST(Json, NoRttSampleIsNullNotZero) {
  const Json document = parsed(test::large_sends());
  EXPECT_TRUE(document["connections"][0]["directions"]["to_client"]["rtt_min_us"].is_null());
}

TEST(Json, ConnectionsBeyondTheLimitAreCountedUnlessAFindingNamesThem) {
  const Json document = parsed(test::crowd(), {.most_connections = 1});
  EXPECT_EQ(document["connections"].size(), 2u);  // 0 by the limit, 17 by its finding
  EXPECT_EQ(document["connections"][1]["id"], 17);
  EXPECT_EQ(document["statistics"]["connections"], 12'040);
  EXPECT_EQ(document["statistics"]["connections_listed"], 2);
}

TEST(Json, SaysWhatOfALargeCaptureWasNotAnalysed) {
  Answer answer = test::healthy();
  EXPECT_TRUE(parsed(answer)["screening"].is_null());
  answer.screening = {.used = true, .connections = 100, .connections_analysed = 1, .grave_left = 7};
  answer.screening[LightSign::silence] = {
      .connections = 9, .analysed = 1, .grave = 8, .grave_left = 7};
  const Json json = parsed(answer);
  EXPECT_EQ(schema_errors(json), "");
  EXPECT_EQ(json["screening"]["grave_left"], 7);
  EXPECT_EQ(json["screening"]["signs"]["silence"]["analysed"], 1);
  EXPECT_EQ(json["screening"]["signs"].size(), 1U);
  const std::string text = to_text(answer, {});
  EXPECT_NE(text.find("1 of 100 connections were analysed"), std::string::npos) << text;
  EXPECT_NE(text.find("silence 7"), std::string::npos) << text;
}

TEST(Json, LinesAreConnectionsAndTheDiagnosisLast) {
  const std::string text = to_jsonl(test::crowd(), {});
  std::istringstream stream{text};
  std::vector<Json> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 41u);
  EXPECT_EQ(lines.front()["client"], "10.0.0.1:47876");
  EXPECT_EQ(lines.back()["schema"], "slowpath.diagnosis.v1");
  EXPECT_TRUE(lines.back()["connections"].empty());
  EXPECT_EQ(lines.back()["statistics"]["connections_listed"], 40);
  EXPECT_EQ(schema_errors(lines.back()), "");
}

TEST(Json, SilencesAppearWithExplainAlone) {
  Answer answer = test::healthy();
  answer.silences = {{"random-loss", 0, Direction::to_server, "3 losses; at least 10 are needed"},
                     {"fragments-dropped", 0, std::nullopt, "no fragments"}};
  EXPECT_FALSE(parsed(answer).contains("silences"));
  const Json document = parsed(answer, {.explain = true});
  EXPECT_EQ(document["silences"][0]["fault"], "random-loss");
  EXPECT_EQ(document["silences"][0]["connection"], 0);
  EXPECT_TRUE(document["silences"][1]["connection"].is_null());
  EXPECT_EQ(schema_errors(document), "");
}

TEST(Json, ARateSaysHowItIsToBeRead) {
  Answer answer = test::hostile();
  AfterFix& after = answer.diagnosis.findings[0].after_fix;
  EXPECT_EQ(parsed(answer)["findings"][0]["after_fix"]["bound"], "unknown");
  after = {9.5e7, "what the link carried", Bound::at_least};
  answer.diagnosis.steps = {{0, after}};
  const Json document = parsed(answer);
  EXPECT_EQ(document["findings"][0]["after_fix"]["bound"], "at least");
  EXPECT_EQ(document["steps"][0]["fault"], document["findings"][0]["fault"]);
  EXPECT_EQ(document["steps"][0]["after_fix"]["goodput_bps"], 9.5e7);
  EXPECT_EQ(schema_errors(document), "");
}

TEST(Json, NumbersAreNeverNonFinite) {
  // The library writes non-finite numbers as null; where the contract promises a number that would
  // break readers, and EveryAnswerKeepsIt would fail. Evidence leaves such a value out.
  const Json document = parsed(test::hostile());
  EXPECT_EQ(document["findings"][0]["evidence"][0]["values"], Json({{"count", 3}}));
  EXPECT_TRUE(document["findings"][0]["after_fix"]["goodput_bps"].is_null());
}

}  // namespace
}  // namespace slowpath::report
