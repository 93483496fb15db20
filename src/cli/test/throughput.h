// SPDX-License-Identifier: Apache-2.0
// The throughput part of `slowpath test`: which runs, one after the other, with a line for whoever
// watches.
#pragma once

#include "base/result.h"
#include "cli/status_line.h"
#include "cli/test/options.h"
#include "facts/test.h"
#include "probe/session.h"

namespace slowpath::cli::testing {

/// Runs all of them. After a signal the facts hold what was measured so far. An error of kind
/// network where no run could be finished.
Result<TestFacts> measure_throughput(probe::Session& session, const Options& options,
                                     const probe::TransferRequest& request, StatusLine& status);

}  // namespace slowpath::cli::testing
