// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

lab::Scenario scenario() {
  lab::Scenario scenario;
  scenario.faults = {"wscale-stripped"};
  scenario.expected = {{.point = "server", .accepted = {"wscale-stripped"}},
                       {.point = "client", .accepted = {"wscale-absent", "unclear"}}};
  scenario.allowed = {"tail-loss"};
  scenario.never = {"random-loss"};
  return scenario;
}

lab::RunResult result(double goodput_bps, bool bytes_right = true) {
  lab::StreamResult stream;
  stream.goodput_bps = goodput_bps;
  stream.bytes_right = bytes_right;
  lab::TransferResult transfer;
  transfer.streams = {stream};
  lab::RunResult result;
  result.transfers = {transfer};
  return result;
}

Finding finding(std::string_view fault, Severity severity) {
  Finding finding;
  finding.fault = fault;
  finding.severity = severity;
  finding.confidence = 0.9;
  return finding;
}

report::GradedCapture graded(const Diagnosis& diagnosis, const Standard& standard) {
  report::GradedCapture capture;
  grade(diagnosis, standard, capture);
  return capture;
}

TEST(LabStandard, each_point_has_its_own_accepted_verdicts) {
  EXPECT_THAT(standard_for(scenario(), lab::Variant::broken, "server", result(1e6)).accepted,
              ElementsAre("wscale-stripped"));
  EXPECT_THAT(standard_for(scenario(), lab::Variant::broken, "client", result(1e6)).accepted,
              ElementsAre("wscale-absent", "unclear"));
}

TEST(LabStandard, a_fault_that_cost_little_and_no_byte_may_be_called_healthy) {
  const auto accepted = [](double goodput_bps, bool bytes_right) {
    return standard_for(scenario(), lab::Variant::broken, "server",
                        result(goodput_bps, bytes_right), 100e6)
        .accepted;
  };
  EXPECT_THAT(accepted(91e6, true), Contains("healthy"));
  EXPECT_THAT(accepted(89e6, true), Not(Contains("healthy")));
  EXPECT_THAT(accepted(91e6, false), Not(Contains("healthy")));
}

TEST(LabStandard, a_twin_is_healthy_and_nothing_else) {
  const Standard standard = standard_for(scenario(), lab::Variant::healthy, "server", result(1e6));
  EXPECT_THAT(standard.accepted, ElementsAre("healthy"));
  Diagnosis diagnosis;
  diagnosis.verdict = "tail-loss";
  diagnosis.findings = {finding("tail-loss", Severity::fault)};
  const report::GradedCapture capture = graded(diagnosis, standard);
  EXPECT_FALSE(capture.is_accepted);
  EXPECT_TRUE(capture.is_healthy());
  EXPECT_THAT(capture.false_alarms, ElementsAre("tail-loss")) << "allowed where it is broken only";
}

TEST(LabGrade, the_fault_what_is_allowed_and_more_general_names_are_no_alarm) {
  const Standard standard = standard_for(scenario(), lab::Variant::broken, "server", result(1e6));
  Diagnosis diagnosis;
  diagnosis.verdict = "wscale-stripped";
  diagnosis.findings = {
      finding("wscale-stripped", Severity::fault), finding("rwnd-limited", Severity::fault),
      finding("tail-loss", Severity::fault), finding("bufferbloat", Severity::suspect)};
  const report::GradedCapture capture = graded(diagnosis, standard);
  EXPECT_TRUE(capture.is_accepted);
  EXPECT_THAT(capture.false_alarms, IsEmpty());
  EXPECT_TRUE(capture.findings[1].is_right);
}

TEST(LabGrade, another_fault_is_an_alarm_and_a_suspect_is_not) {
  const Standard standard = standard_for(scenario(), lab::Variant::broken, "server", result(1e6));
  Diagnosis diagnosis;
  diagnosis.verdict = "bufferbloat";
  diagnosis.findings = {finding("bufferbloat", Severity::fault),
                        finding("bufferbloat", Severity::fault),
                        finding("reordering", Severity::suspect)};
  const report::GradedCapture capture = graded(diagnosis, standard);
  EXPECT_FALSE(capture.is_accepted);
  EXPECT_THAT(capture.false_alarms, ElementsAre("bufferbloat")) << "named once";
}

TEST(LabGrade, what_must_never_be_named_is_an_alarm_even_as_a_suspect) {
  const Standard standard = standard_for(scenario(), lab::Variant::broken, "server", result(1e6));
  Diagnosis diagnosis;
  diagnosis.verdict = "unclear";
  diagnosis.findings = {finding("random-loss", Severity::suspect)};
  EXPECT_THAT(graded(diagnosis, standard).false_alarms, ElementsAre("random-loss"));
}

TEST(LabCauses, each_of_several_faults_is_named_missed_or_not_to_be_seen) {
  lab::Scenario two = scenario();
  two.faults = {"lso-not-segmented", "wscale-absent"};
  const auto causes = [&](std::vector<Finding> findings, const char* point) {
    Diagnosis diagnosis;
    diagnosis.findings = std::move(findings);
    return causes_named(diagnosis, two, point).value_or(report::Causes{});
  };
  const report::Causes missed = causes(
      {finding("lso-not-segmented", Severity::fault), finding("wscale-absent", Severity::note)},
      "client");
  EXPECT_THAT(missed.named, ElementsAre("lso-not-segmented"));
  EXPECT_THAT(missed.missed, ElementsAre("wscale-absent")) << "a note names no cause";
  two.unseen = {
      {.point = "client",
       .fault = "lso-not-segmented",
       .why = "it is lost before",
       .shows_as = {"rto-dominated"}},
      {.point = "client", .fault = "wscale-absent", .why = "nothing moves", .shows_as = {}}};
  const report::Causes hidden = causes({}, "client");
  EXPECT_THAT(hidden.missed, ElementsAre("lso-not-segmented")) << "it shows as something";
  EXPECT_THAT(hidden.unseen, ElementsAre("wscale-absent"));
  const report::Causes shown = causes(
      {finding("rto-dominated", Severity::suspect), finding("rwnd-limited", Severity::suspect)},
      "client");
  EXPECT_THAT(shown.named, ElementsAre("lso-not-segmented", "wscale-absent"));
  EXPECT_THAT(causes({}, "server").missed, ElementsAre("lso-not-segmented", "wscale-absent"));
  EXPECT_FALSE(causes_named({}, scenario(), "server").has_value()) << "one fault";
}

}  // namespace
}  // namespace slowpath::cli
