// SPDX-License-Identifier: Apache-2.0
// The runs of `lab matrix`, one after the other: each is made, its captures are judged without the
// truth, graded against it, and shown as a line.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/lab/scenarios.h"
#include "lab/host.h"
#include "report/accuracy.h"

namespace slowpath::cli {

struct PlannedRun {
  std::string scenario;
  Draw draw;  // its seed is the run's
  /// Also the world without the fault: to know what the fault cost, and that nothing is found
  /// there.
  bool with_twin = false;
  /// It is begun even where the time is over.
  bool whatever_time = false;
  /// Of a bottleneck where the path has none; empty: it stays so. Then only predictions count.
  std::string path_rate{};
  /// Judge each capture also as others would have taken it (lessened.h).
  bool lessened = false;
  /// Runs of the repaired world, to hold what was predicted against; 0: none.
  std::uint64_t fixed_runs = 0;
};

/// Told each graded capture, and each void run, as it comes.
using Graded = std::function<void(report::GradedCapture)>;

/// Begins no run after `limit_s` but those that are made whatever the time, nor any after a signal;
/// says how many were left out. A run that cannot be made is said, counted as void, and the next
/// one is tried. Returns how many could not be made. `keep`: a folder in which captures and truth
/// of each run stay, NUMBER-SCENARIO-VARIANT; empty: nothing stays. Errors: environment, where it
/// is the first one.
Result<std::size_t> run_campaign(const std::vector<PlannedRun>& plan,
                                 const lab::Privileges& privileges, std::optional<double> limit_s,
                                 const std::string& keep, const Graded& graded);

}  // namespace slowpath::cli
