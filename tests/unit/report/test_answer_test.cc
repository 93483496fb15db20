// SPDX-License-Identifier: Apache-2.0
// The answer of a test, as text and as JSON that keeps its schema; and two tests side by side.
#include "report/test_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "detect/throughput_test.h"
#include "report/schema.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

TestFlow flow_of(bool to_server, double rate_bps, double swing = 0.01) {
  TestFlow flow;
  flow.to_server = to_server;
  flow.counted_s = 5;
  flow.goodput_bps = rate_bps;
  flow.received_bytes = static_cast<std::uint64_t>(rate_bps / 8 * 5);
  flow.verified = flow.complete = true;
  flow.integrity.checked_bytes = flow.received_bytes;
  for (int i = 0; i < 20; ++i)
    flow.intervals.push_back(
        {i * 0.25, (i + 1) * 0.25,
         static_cast<std::uint64_t>(rate_bps / 8 * 0.25 * (1 + swing * ((i % 5) - 2)))});
  flow.streams.push_back({.number = 0,
                          .sent_bytes = flow.received_bytes,
                          .received_bytes = flow.received_bytes,
                          .sender = SocketFacts{},
                          .error = {}});
  flow.streams[0].sender->busy_s = 5;
  return flow;
}

TestAnswer answer_of(std::vector<TestFlow> flows) {
  TestAnswer answer;
  answer.facts.host = "far";
  answer.facts.content = "random";
  answer.facts.runs.push_back({.flows = std::move(flows), .client = {}, .server = {}, .label = {}});
  answer.diagnosis = detect::diagnose_throughput(answer.facts);
  return answer;
}

TEST(TestAnswer, HealthyIsToldWithRateAndLimit) {
  const TestAnswer answer = answer_of({flow_of(true, 940e6)});
  const std::string text = test_to_text(answer, {});
  EXPECT_THAT(text, HasSubstr("940 Mbit/s"));
  EXPECT_THAT(text, HasSubstr("healthy"));
  EXPECT_THAT(text, HasSubstr("all as they were sent"));
  EXPECT_THAT(test::schema_errors(Json::parse(test_to_json(answer)), test_schema()), IsEmpty());
}

TEST(TestAnswer, CorruptionIsTheVerdictAndKeepsTheSchema) {
  TestFlow flow = flow_of(false, 1e9);
  flow.integrity.places = flow.integrity.differing_bytes = 1;
  flow.integrity.differences.push_back({.offset = 5000,
                                        .length = 1,
                                        .differing = 1,
                                        .expected = {std::byte{0x10}},
                                        .seen = {std::byte{0x11}},
                                        .found_at = {}});
  const TestAnswer answer = answer_of({std::move(flow)});
  EXPECT_EQ(answer.diagnosis.verdict, "payload-altered-csum-good");
  EXPECT_THAT(test_to_text(answer, {}), HasSubstr("payload-altered-csum-good"));
  EXPECT_THAT(test::schema_errors(Json::parse(test_to_json(answer)), test_schema()), IsEmpty());
}

TEST(TestAnswer, ChangeCountsOnlyBeyondNoise) {
  const std::string before = test_to_json(answer_of({flow_of(true, 100e6, 0.05)}));
  const auto same = compare_with(answer_of({flow_of(true, 101e6, 0.05)}).facts, before);
  ASSERT_TRUE(same.has_value()) << same.error().message();
  ASSERT_EQ(same->size(), 1U);
  EXPECT_TRUE(same->front().told);
  EXPECT_FALSE(same->front().beyond_noise);
  const auto slower = compare_with(answer_of({flow_of(true, 80e6, 0.05)}).facts, before);
  EXPECT_TRUE(slower->front().beyond_noise);
  EXPECT_NEAR(slower->front().before_bps, 100e6, 1e6);
}

TEST(TestAnswer, OtherDocumentsAreRefused) {
  const TestFacts facts = answer_of({flow_of(true, 1e8)}).facts;
  const std::string other = test_to_json(answer_of({flow_of(false, 1e8)}));
  for (const std::string& document :
       {std::string{}, std::string{"[]"}, std::string{"{\"schema\":\"slowpath.diagnosis.v1\"}"},
        std::string{"{\"schema\":\"slowpath.test.v1\"}"},
        std::string{"{\"schema\":\"slowpath.test.v1\",\"runs\":[{\"flows\":[1]}]}"}, other})
    EXPECT_FALSE(compare_with(facts, document).has_value()) << document;
}

}  // namespace
}  // namespace slowpath::report
