// SPDX-License-Identifier: Apache-2.0
// Whether what diagnose says to expect comes true: the scenario's fix is applied, the transfer run
// again, and its rate held against the prediction made from the broken run's captures.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/lab/conduct.h"
#include "cli/lab/scenarios.h"
#include "facts/finding.h"
#include "lab/run.h"
#include "report/accuracy.h"

namespace slowpath::cli {

/// Goodput of the first transfer from the first data on, without connecting: as diagnose measures
/// it. In bit/s.
struct TransferRate {
  double main_bps = 0;                       // of the stream that the scenario is about
  std::map<std::string, double> sent_bps{};  // by host: questions have another than answers
};

/// Nothing where the transfer moved too little to have a rate.
std::optional<TransferRate> rate_of(const lab::RunResult& result);

/// The median of `tries` runs with the scenario's first right fix. Nothing where there is no such
/// fix, no rate, or every run was void. Captures and truth of the first run stay in the directory
/// of the conditions, unless it is empty.
Result<std::optional<TransferRate>> rate_after_fix(const ReadScenario& scenario,
                                                   std::uint64_t tries,
                                                   const Conditions& conditions);

/// What was predicted at a capture point by the finding that names the truth, or by a verdict that
/// the scenario accepts for it there; where it has several faults, by the last step, if the steps
/// name all of them. It is held against the rate of the direction that the finding is about.
std::optional<report::Prediction> prediction_of(const Diagnosis& diagnosis,
                                                const lab::Scenario& scenario,
                                                const std::string& point,
                                                const TransferRate& measured);

}  // namespace slowpath::cli
