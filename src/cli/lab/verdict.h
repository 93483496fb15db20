// SPDX-License-Identifier: Apache-2.0
// What diagnose says of a capture that the lab made, and whether it is right. The one place where
// lab and diagnosis meet: a capture is judged by its bytes alone, and only then held against the
// truth.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/finding.h"
#include "facts/time_account.h"
#include "lab/run.h"
#include "lab/scenario.h"
#include "report/accuracy.h"

namespace slowpath::cli {

/// The diagnosis of one capture and where the time of its main stream went.
struct CaptureVerdict {
  Diagnosis diagnosis;
  TimeAccount account;
};

/// Errors: as of look(): input, where the capture cannot be read.
Result<CaptureVerdict> judge_capture(const std::string& file, const lab::RunResult& result);

/// What may be said of a capture, and what must not.
struct Standard {
  std::vector<std::string> truth;     // faults that were made
  std::vector<std::string> accepted;  // verdicts
  std::vector<std::string> allowed;   // further faults that may be named
  std::vector<std::string> never;     // neither as fault nor as suspect
};

/// A fault that cost less than this share of the twin's goodput, and no byte, may be called
/// healthy.
inline constexpr double kCheapShare = 0.10;

/// The standard for a capture at `point`. The healthy twin accepts nothing but healthy. `twin_bps`:
/// goodput without the fault, where it is known.
Standard standard_for(const lab::Scenario& scenario, lab::Variant variant, const std::string& point,
                      const lab::RunResult& result, std::optional<double> twin_bps = {});

/// The capture `file` as others would have taken it (lessened.h), each written beside it while it is
/// judged. `ungraded`: what is known of it without a verdict. To call it unclear or healthy is
/// accepted there. Ends early after a signal. Errors: as of write_lessened() and judge_capture().
Result<std::vector<report::GradedCapture>> judge_lessened(const std::string& file,
                                                          const lab::RunResult& result,
                                                          Standard standard,
                                                          const report::GradedCapture& ungraded);

/// Whether a finding speaks of this fault: as a fault or a suspect, by its own or a general name.
bool names(const Finding& finding, std::string_view fault);

/// Which of several faults a capture at `point` was said to show. Nothing where the scenario has
/// but one.
std::optional<report::Causes> causes_named(const Diagnosis& diagnosis,
                                           const lab::Scenario& scenario, const std::string& point);

/// Fills verdict, findings, false alarms and whether the verdict is accepted.
void grade(const Diagnosis& diagnosis, const Standard& standard, report::GradedCapture& capture);

}  // namespace slowpath::cli
