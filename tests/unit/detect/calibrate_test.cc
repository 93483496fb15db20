// SPDX-License-Identifier: Apache-2.0
// The scale of confidence: faults in their order, never past what a capture can prove; suspects as
// often as they were right.
#include <vector>

#include <gtest/gtest.h>

#include "detect/synthesis_steps.h"

namespace slowpath::testing {
namespace {

Finding stated(Severity severity, double confidence) {
  Finding finding;
  finding.severity = severity;
  finding.confidence = confidence;
  return finding;
}

TEST(Calibrate, HalvesTheDoubtOfFaults) {
  std::vector<Finding> findings{stated(Severity::fault, 0.8), stated(Severity::suspect, 0.6),
                                stated(Severity::note, 0.8)};
  detect::calibrate(findings);
  EXPECT_NEAR(findings[0].confidence, 0.9, 1e-9);
  EXPECT_EQ(findings[1].confidence, 0.6);
  EXPECT_EQ(findings[2].confidence, 0.8);
}

/// Each of the two steps has to leave alone what is the other's.
double brought_to_scale(Severity severity, std::string_view fault, double confidence) {
  std::vector<Finding> findings{stated(severity, confidence)};
  findings.front().fault = fault;
  detect::calibrate_suspects(findings);
  detect::calibrate(findings);
  return findings.front().confidence;
}

double calibrated(std::string_view fault, double confidence) {
  return brought_to_scale(Severity::fault, fault, confidence);
}

// path-outage stated 0.75 and was right each time; rwnd-limited was wrong more often than it said.
TEST(Calibrate, GoesByTheRecordOfTheFault) {
  EXPECT_GT(calibrated("path-outage", 0.75), 0.92);
  EXPECT_NEAR(calibrated("rwnd-limited", 0.9), 0.9, 1e-9);
  EXPECT_NEAR(calibrated("duplex-mismatch", 0.8), 0.9, 1e-9);
}

TEST(Calibrate, WhatIsLessSureThanUsualStaysSo) {
  EXPECT_LT(calibrated("path-outage", 0.5), calibrated("path-outage", 0.75) - 0.05);
  EXPECT_NEAR(calibrated("syn-blocked", 0.97), 0.99, 1e-9);
}

double suspected(std::string_view fault, double confidence) {
  return brought_to_scale(Severity::suspect, fault, confidence);
}

// peer-gone was suspected 230 times and was it 210 times, snat-exhausted in three of five cases,
// and pmtu-stuck-low never.
TEST(Calibrate, SuspectsGoByTheirRecordToo) {
  EXPECT_GT(suspected("peer-gone", 0.6), 0.85);
  EXPECT_NEAR(suspected("snat-exhausted", 0.55), 0.62, 0.01);
  EXPECT_LT(suspected("pmtu-stuck-low", 0.6), 0.2);
  EXPECT_EQ(suspected("duplex-mismatch", 0.55), 0.55);
  EXPECT_LT(suspected("rto-dominated", 0.3), 0.6) << "of a capture with holes";
}

// A finding that only the witness made a suspect was sure before.
TEST(Calibrate, NoSuspectBeginsAsSureAsAFault) {
  EXPECT_EQ(suspected("duplex-mismatch", 0.95), 0.75);
  EXPECT_LT(suspected("wscale-stripped", 0.95), 0.75);
}

TEST(Calibrate, KeepsTheOrderAndItsCeiling) {
  std::vector<Finding> findings;
  for (int hundredths = 0; hundredths <= 100; ++hundredths)
    findings.push_back(stated(Severity::fault, hundredths / 100.0));
  detect::calibrate(findings);
  for (std::size_t at = 1; at < findings.size(); ++at) {
    EXPECT_GE(findings[at].confidence, findings[at - 1].confidence);
    EXPECT_LE(findings[at].confidence, 1);
  }
  EXPECT_EQ(findings[98].confidence, 0.99);
}

}  // namespace
}  // namespace slowpath::testing
