// SPDX-License-Identifier: Apache-2.0
// The part of an iperf3 test that both ends do alike: bytes over streams, counted, until the limits
// or the control connection end it.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "facts/iperf3.h"
#include "probe/iperf3/parameters.h"
#include "probe/iperf3/protocol.h"
#include "probe/socket.h"

namespace slowpath::probe::iperf3 {

struct RunStream {
  Descriptor socket;
  bool sends = false;
};

struct RunOptions {
  Parameters parameters;
  Duration interval = std::chrono::seconds(1);  // 0: none are kept
  Duration most{};                              // the whole, whatever happens
  bool ends_by_itself = false;                  // the client does; a server waits to be told
  double silent_s = 60;                         // a peer that moves nothing for so long is gone
  /// Sent by each stream instead of what is made up, once, or written with what comes. -1: none.
  int file = -1;
  std::uint64_t file_bytes = 0;  // of one that is sent
  double most_average_bps = 0;   // of all streams together, over `averaged`; 0: no limit
  Duration averaged{};
  const std::atomic<bool>* stop = nullptr;
  /// Called after each interval with the facts so far.
  std::function<void(const Iperf3Facts&)> on_interval;
};

/// How a run ended, besides its limits.
enum class RunEnd { limits, told, stopped, silent, too_fast };

/// What a peer said while bytes moved: test_end, or why not.
struct RunAnswer {
  RunEnd end = RunEnd::limits;
  std::string error;  // the control connection closed, or said something else; empty without
};

/// Fills the streams, the processor and the buffers of `facts`. Errors: this host cannot go on.
Result<RunAnswer> run_streams(std::vector<RunStream>& streams, const RunOptions& options,
                              Control& control, Iperf3Facts& facts);

/// From what was asked for to what is set on sockets. Errors: an option that the kernel refuses.
SocketOptions socket_options_of(const Parameters& parameters);

/// The algorithm in use; empty where there is none.
std::string congestion_of(int socket);

/// Fills in everything that is known before the test.
Iperf3Facts facts_of(const Parameters& parameters);

}  // namespace slowpath::probe::iperf3
