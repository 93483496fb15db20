// SPDX-License-Identifier: Apache-2.0
// Scenarios and runs of the lab in the words of the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lab/run.h"
#include "lab/scenario.h"
#include "report/accuracy.h"
#include "report/lab_text.h"

namespace slowpath::cli {

using NamedValues = std::vector<std::pair<std::string, std::string>>;
/// Those in force.
NamedValues parameters_of(const lab::Scenario& scenario);

/// Hosts, stages and transfers of the broken world, with what the healthy one does not have apart.
report::LabStory retell(const lab::Scenario& scenario, std::uint64_t seed);

/// Transfers and streams; label, captures and targets are left to the caller.
report::LabRun retell(const lab::RunResult& result);

/// What the sender of the main stream says of itself, where it said anything.
std::optional<report::KernelAccount> kernel_account(const lab::RunResult& result);

/// What the scenario promises of the broken world. Nothing for a healthy one but right bytes.
std::vector<report::LabTarget> targets_of(const lab::Scenario& scenario,
                                          const lab::RunResult& broken);
/// What it promises of a fix.
std::vector<report::LabTarget> targets_of(const lab::Fix& fix, const lab::RunResult& fixed,
                                          const lab::RunResult& broken);

}  // namespace slowpath::cli
