// SPDX-License-Identifier: Apache-2.0
// What every subcommand that makes a network does: see whether this machine serves, and run one
// variant of a scenario with its truth written beside the captures.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/lab/scenarios.h"
#include "lab/run.h"
#include "lab/scenario.h"

namespace slowpath::cli {

/// Notes signals from now on, removes what killed runs left (said on standard error), and finds out
/// what this process may do. Errors: environment, one sentence.
Result<lab::Privileges> get_ready();

struct Conditions {
  const lab::Privileges* privileges = nullptr;
  std::uint64_t seed = 1;
  std::string directory;                 // for captures and truth; empty: none
  std::uint32_t snap_len = 0;            // of captures, in bytes; 0: as the scenario says
  std::function<void(double)> progress;  // seconds since the start
};

/// One variant of a scenario. `fix`: for the fixed variant, else null. Errors: as of run_world(),
/// and usage where the parameters that a fix sets cannot be.
Result<lab::RunResult> conduct(const ReadScenario& scenario, lab::Variant variant,
                               const lab::Fix* fix, const Conditions& conditions);

/// The path of a capture of a run that was conducted with `directory`.
std::string path_of(const lab::CaptureFile& capture, const std::string& directory);

/// "Linux 6.18.1 x86_64".
std::string kernel_name();

}  // namespace slowpath::cli
