// SPDX-License-Identifier: Apache-2.0
// The answer of a comparison, as text and as JSON that keeps its schema.
#include <chrono>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "detect/synthesis.h"
#include "report/compare_json.h"
#include "report/compare_text.h"
#include "report/schema.h"
#include "support/two_points.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using slowpath::test::TwoPoints;
using testing::HasSubstr;
using testing::Not;

Answer answer_about(ComparisonFacts comparisons) {
  Answer answer;
  answer.facts.captures.resize(2);
  answer.facts.captures[0].file = "client.pcap";
  answer.facts.captures[1].file = "server.pcap";
  answer.facts.comparisons = std::move(comparisons);
  answer.diagnosis = detect::synthesise(answer.facts, {});
  return answer;
}

/// A large frame lost, one cut, a byte changed, a SYN rewritten.
ComparisonFacts troubled() {
  TwoPoints x({.client = "192.0.2.1", .strips_window_scale = true});
  x.handshake();
  for (std::uint32_t i = 0; i < 10; ++i) {
    x.to_client({.from = i * 1000, .len = 1000});
    x.after(20ms);
    x.to_server({.ack = (i + 1) * 1000});
    x.after(20ms);
  }
  x.to_client({.from = 10'000, .len = 2920, .lost = true});
  x.after(200ms);
  x.to_client({.from = 10'000, .len = 2920, .cut = 1460, .flip_at = 10'007});
  x.after(200ms);
  x.to_server({.ack = 12'920});
  x.after(200ms);
  x.to_server({.ack = 12'920});
  return x.finish();
}

ComparisonFacts nothing_shared() {
  namespace on = slowpath::test;
  TwoPoints x;
  x.record(0, 1s,
           on::packet()
               .ethernet()
               .ipv4("10.7.0.1", "10.7.0.2")
               .tcp(on::syn, on::ports(5, 6), on::seq(9))
               .build());
  x.record(1, 1s,
           on::packet()
               .ethernet()
               .ipv4("10.8.0.1", "10.8.0.2")
               .tcp(on::syn, on::ports(7, 8), on::seq(77))
               .build());
  return x.finish();
}

TEST(ComparisonText, SaysWhatHappenedWhere) {
  const std::string text = comparison_to_text(answer_about(troubled()), {});
  EXPECT_THAT(text, HasSubstr("client → server"));
  EXPECT_THAT(text, HasSubstr("  server → client"));
  EXPECT_THAT(text, HasSubstr("1 packet of 12 (2920 B) never came: 1 of 2 of several segments"));
  EXPECT_THAT(text, HasSubstr("window scale taken out"));
  EXPECT_THAT(text, HasSubstr("addresses or ports"));
  EXPECT_THAT(
      text,
      HasSubstr("1 range of bytes differs though no checksum shows it; the first at byte 10 007"));
  EXPECT_THAT(text, HasSubstr("1 frame was cut into 2"));
}

TEST(ComparisonText, CapturesThatShareNothingAreUnclear) {
  const Answer answer = answer_about(nothing_shared());
  EXPECT_EQ(comparison_verdict(answer), "unclear");
  EXPECT_THAT(comparison_to_text(answer, {}), HasSubstr("share no traffic"));
  TextOptions quiet;
  quiet.quiet = true;
  EXPECT_THAT(comparison_to_text(answer, quiet), HasSubstr("unclear"));
}

TEST(ComparisonText, OneOpenClockIsToldAsSuch) {
  ComparisonFacts facts = troubled();
  facts.clocks.at(0).known = false;
  facts.clocks.at(0).error_s = INFINITY;
  const std::string text = comparison_to_text(answer_about(facts), {});
  EXPECT_THAT(text, HasSubstr("packets of one direction only"));
  EXPECT_THAT(text, Not(HasSubstr("takes")));
}

TEST(ComparisonJson, KeepsItsSchema) {
  ComparisonFacts open_clock = troubled();
  open_clock.clocks.at(0).known = false;
  open_clock.clocks.at(0).error_s = INFINITY;
  for (const ComparisonFacts& facts :
       {troubled(), nothing_shared(), open_clock, ComparisonFacts{}}) {
    EXPECT_EQ(test::schema_errors(Json::parse(comparison_to_json(answer_about(facts))),
                                  comparison_schema()),
              "");
  }
  EXPECT_EQ(test::schema_errors(Json::parse(comparison_error_to_json("no")), comparison_schema()),
            "");
}

TEST(ComparisonJson, HoldsWhatWasFound) {
  const Json json = Json::parse(comparison_to_json(answer_about(troubled())));
  const Json& between = json["connections"][0]["between"][1];
  EXPECT_EQ(between["direction"], "to_client");
  EXPECT_EQ(between["lost"]["large_lost"], 1);
  EXPECT_EQ(between["contents"]["changed_good"], 1);
  EXPECT_EQ(between["contents"]["ranges"][0]["begin"].get<int>() +
                between["contents"]["ranges"][0]["first_difference"].get<int>(),
            10'007);
}

}  // namespace
}  // namespace slowpath::report
