// SPDX-License-Identifier: Apache-2.0
#include "detect/remedies.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

Finding about_download(std::string_view fault) {
  Finding finding;
  finding.fault = fault;
  finding.connections = {0};
  finding.direction = Direction::to_client;
  return finding;
}

bool shortens_timeouts(const std::vector<const RemedyStep*>& steps) {
  return std::ranges::any_of(
      steps, [](const RemedyStep* step) { return step->action.contains("rto_min"); });
}

TEST(Remedies, AShorterTimeoutHelpsOnlyInsideADataCentre) {
  Case facts = healthy_case({.seconds = 5});
  const Finding finding = about_download("rto-dominated");
  download_of(facts).rtt.total.min_s = 0.0005;
  const auto near = detect::steps_against(finding, facts);
  EXPECT_TRUE(shortens_timeouts(near));
  EXPECT_EQ(near.size(), find_fault("rto-dominated")->remedies.size());
  download_of(facts).rtt.total.min_s = 0.9;
  const auto far = detect::steps_against(finding, facts);
  EXPECT_FALSE(shortens_timeouts(far));
  ASSERT_FALSE(far.empty());
  EXPECT_TRUE(far.front()->only_looks());
}

TEST(Remedies, WithoutARoundTripEveryStepIsLeft) {
  Case facts = healthy_case({.seconds = 5});
  download_of(facts).rtt = {};
  EXPECT_TRUE(shortens_timeouts(detect::steps_against(about_download("rto-dominated"), facts)));
  Finding finding = about_download("rto-dominated");
  finding.connections.clear();
  EXPECT_TRUE(shortens_timeouts(detect::steps_against(finding, facts)));
}

TEST(Remedies, MayBeAnotherFaults) {
  const Case facts = healthy_case({.seconds = 5});
  Finding finding = about_download("rwnd-limited");
  finding.remedies_of = "zero-window";
  EXPECT_EQ(detect::remedied_fault(finding), find_fault("zero-window"));
  EXPECT_EQ(detect::steps_against(finding, facts).front(),
            find_fault("zero-window")->remedies.data());
}

TEST(Remedies, AnUnknownFaultHasNone) {
  EXPECT_TRUE(detect::steps_against(about_download("no-such"), healthy_case({})).empty());
}

}  // namespace
}  // namespace slowpath::testing
