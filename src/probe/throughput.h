// SPDX-License-Identifier: Apache-2.0
// The client's side of a throughput test: streams opened, both ends run, both reports made into the
// facts of one run.
#pragma once

#include <functional>

#include "base/result.h"
#include "facts/test.h"
#include "probe/session.h"
#include "probe/transfer_request.h"

namespace slowpath::probe {

/// Called once an interval with what this end sent and received in it.
using IntervalWatcher = std::function<void(const IntervalReport&)>;

/// One run. Errors of kind network: the server refused, or was lost; a stream that broke is told in
/// the facts. After an error the session is of no use. `stop` ends it early.
Result<TestRun> run_throughput(Session& session, const TransferRequest& request,
                               const IntervalWatcher& watcher = {},
                               const std::atomic<bool>* stop = nullptr);

/// What the server reaches with itself; 0 where it does not tell.
Result<double> ask_ceiling(Session& session, std::size_t block_bytes, bool verify);

}  // namespace slowpath::probe
