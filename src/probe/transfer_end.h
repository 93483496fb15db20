// SPDX-License-Identifier: Apache-2.0
// One end of a requested transfer: the streams with their content and checks, run, and what came of
// it. The same at the client and at the server.
#pragma once

#include <cstdint>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "facts/test.h"
#include "probe/transfer.h"
#include "probe/transfer_request.h"

namespace slowpath::probe {

/// What an end knows of one stream.
struct StreamReport {
  std::uint32_t number = 0;
  bool sent = false;        // this end sent it
  std::uint64_t bytes = 0;  // counted
  double seconds = 0;       // from counting's begin to the last byte
  bool finished = false;
  std::string error;
  std::optional<SocketFacts> socket;
};

/// What an end knows of the whole.
struct EndReport {
  double counted_s = 0;
  TestHost host;
  std::vector<StreamReport> streams;
  std::vector<TestInterval> sent, received;  // of all streams of each way
  TestRtt rtt;                               // of the streams that this end sent
  IntegrityFacts integrity;                  // of those it received
  bool timed_out = false;
};

/// `sockets` by stream number. `at_server`: the streams to the server are received here.
Result<EndReport> run_transfer_end(const TransferRequest& request,
                                   const std::vector<Descriptor>& sockets, bool at_server,
                                   const TransferHooks& hooks);

Json to_json(const EndReport& report);
/// Bounded in everything; lists that are too long are cut.
Result<EndReport> parse_end_report(const Json& message);

}  // namespace slowpath::probe
