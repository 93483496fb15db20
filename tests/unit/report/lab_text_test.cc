// SPDX-License-Identifier: Apache-2.0
#include "report/lab_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace slowpath::report {
namespace {

using testing::HasSubstr;
using testing::Not;

LabRun run_of(const std::string& label, double goodput_bps, bool right) {
  LabStream stream{.transfer = "main",
                   .from = "server",
                   .to = "client",
                   .bytes = 2'500'000,
                   .seconds = 2,
                   .goodput_bps = goodput_bps,
                   .complete = true,
                   .bytes_right = right,
                   .sent_sha256 = "0123456789abcdef",
                   .received_sha256 = right ? "0123456789abcdef" : "fedcba9876543210"};
  if (!right) {
    stream.bad_bytes = 19;
    stream.first_bad_offset = 81234;
  }
  stream.kernel = LabKernel{.retransmissions = 77,
                            .timeouts = 12,
                            .busy_s = 2,
                            .rwnd_limited_share = 0.5,
                            .sndbuf_limited_share = 0,
                            .min_rtt_s = 0.02};
  LabRun run;
  run.label = label;
  run.streams = {stream};
  run.captures = {{.point = "server",
                   .verdict = "lso-not-segmented",
                   .confidence = 0.97,
                   .is_right = true,
                   .judged = "right"}};
  return run;
}

TEST(LabText, says_where_bytes_went_wrong_and_both_hashes) {
  const std::string text = lab_run_text(run_of("broken", 1e7, false), {});
  EXPECT_THAT(text, HasSubstr("19 bytes are not what was sent, the first at offset 81 234"));
  EXPECT_THAT(text, HasSubstr("0123456789ab"));
  EXPECT_THAT(text, HasSubstr("fedcba987654"));
}

TEST(LabText, says_plainly_whether_the_verdict_is_right) {
  LabRun run = run_of("broken", 1e7, true);
  EXPECT_THAT(lab_run_text(run, {}), HasSubstr("at server: lso-not-segmented (0.97): right"));
  EXPECT_THAT(lab_comparison_text(std::vector{run}, {}), HasSubstr("no verdict is wrong"));
  run.captures[0].is_right = false;
  run.captures[0].judged = "NOT RIGHT: random-loss would be";
  EXPECT_THAT(lab_run_text(run, {}), HasSubstr("(0.97): NOT RIGHT: random-loss would be"));
  EXPECT_THAT(lab_comparison_text(std::vector{run}, {}), HasSubstr("NOT every verdict is right"));
}

TEST(LabText, a_wrong_fix_is_shown_as_hiding) {
  LabRun run = run_of("fixed-2", 1e7, true);
  run.hides = true;
  EXPECT_THAT(lab_run_text(run, {}), HasSubstr("only HIDES the fault"));
  EXPECT_THAT(lab_comparison_text(std::vector{run}, {}), HasSubstr("fixed-2 (hides)"));
}

TEST(LabText, compares_runs_and_says_what_was_not_met) {
  LabRun broken = run_of("broken", 1.2e6, true);
  broken.targets = {{.text = "goodput below 2 Mbit/s", .is_met = true}};
  LabRun fixed = run_of("fixed", 4.8e9, true);
  std::string text = lab_comparison_text(std::vector{broken, fixed}, {});
  EXPECT_THAT(text, HasSubstr("1.2 Mbit/s"));
  EXPECT_THAT(text, HasSubstr("4.8 Gbit/s"));
  EXPECT_THAT(text, HasSubstr("Rates and bytes came as the scenario says"));
  fixed.targets = {{.text = "goodput at least 5 Gbit/s", .is_met = false}};
  text = lab_comparison_text(std::vector{broken, fixed}, {});
  EXPECT_THAT(text, HasSubstr("Not everything"));
  EXPECT_THAT(lab_run_text(fixed, {}), HasSubstr("NOT MET   goodput at least 5 Gbit/s"));
}

TEST(LabText, a_void_run_proves_nothing) {
  LabRun run = run_of("broken", 1e7, true);
  run.void_because = {"3 frames were not taken by client"};
  EXPECT_THAT(lab_run_text(run, {}), HasSubstr("this run proves nothing: 3 frames"));
  EXPECT_THAT(lab_comparison_text(std::vector{run}, {}), HasSubstr("void"));
}

TEST(LabText, the_document_holds_the_same) {
  LabStory story;
  story.name = "broken-lso";
  story.parameters = {{"mtu", "9000"}};
  const auto document =
      nlohmann::json::parse(lab_run_json(story, std::vector{run_of("broken", 1.2e6, false)}));
  EXPECT_EQ(document["schema"], "slowpath.lab-run.v1");
  EXPECT_EQ(document["parameters"]["mtu"], "9000");
  const auto& run = document["runs"][0];
  EXPECT_EQ(run["streams"][0]["first_bad_offset"], 81234);
  EXPECT_EQ(run["streams"][0]["kernel"]["timeouts"], 12);
  EXPECT_EQ(run["captures"][0]["right"], true);
}

}  // namespace
}  // namespace slowpath::report
