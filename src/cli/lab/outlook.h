// SPDX-License-Identifier: Apache-2.0
// Whether what diagnose says to expect comes true: the scenario's fix is applied, the transfer run
// again, and its rate held against the prediction made from the broken run's captures.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "cli/lab/conduct.h"
#include "cli/lab/scenarios.h"
#include "facts/finding.h"
#include "lab/run.h"
#include "report/accuracy.h"

namespace slowpath::cli {

/// Goodput from the first data on, without connecting: as diagnose measures it. Nothing where the
/// transfer moved too little to have a rate.
std::optional<double> rate_of(const lab::RunResult& result);

/// The median of `tries` runs with the scenario's first right fix. Nothing where there is no such
/// fix, no rate, or every run was void. Captures and truth of the first run stay in the directory
/// of the conditions, unless it is empty.
Result<std::optional<double>> rate_after_fix(const ReadScenario& scenario, std::uint64_t tries,
                                             const Conditions& conditions);

/// What was predicted at a capture point by the finding that names the truth, or by a verdict that
/// the scenario accepts for it there; where it has several faults, by the last step, if the steps
/// name all of them.
std::optional<report::Prediction> prediction_of(const Diagnosis& diagnosis,
                                                const lab::Scenario& scenario,
                                                const std::string& point, double measured_bps);

}  // namespace slowpath::cli
