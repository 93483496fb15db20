// SPDX-License-Identifier: Apache-2.0
// A server for unmodified iperf3 clients: one test at a time, as with iperf3, because two would
// measure each other; who comes meanwhile is told so. Every step has a deadline, so no client that
// is lost, slow or silent keeps the others out for long.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "facts/iperf3.h"
#include "probe/iperf3/auth.h"
#include "probe/iperf3/parameters.h"
#include "probe/iperf3/test_file.h"
#include "probe/socket.h"

namespace slowpath::probe::iperf3 {

struct ServerOptions {
  std::string host;  // to listen on; empty: all addresses
  std::uint16_t port = kPort;
  IpFamily family = IpFamily::any;
  ServerLimits limits;
  std::string bind_device = {};                     // only clients that come over this interface
  std::shared_ptr<const Authority> authority = {};  // who may test; nullptr: whoever comes
  std::optional<std::uint32_t> affinity = {};       // the processor that tests run on
  std::shared_ptr<const TestFile> file = {};        // sent, or written, by every test; or none
  double silent_s = 120;  // a client that moves nothing for so long is gone
  bool one_off = false;   // ends after the first test
  Duration interval = std::chrono::seconds(1);
  const std::atomic<bool>* stop = nullptr;
  /// Called once everything is opened and before anybody is let in; an error ends the server.
  std::function<Result<void>(std::uint16_t port)> on_listen;
  /// Called from the thread of the test.
  std::function<void(const Iperf3Facts&)> on_begin, on_interval, on_end;
  /// The text for clients that ask for the server's output; none without.
  std::function<std::string(const Iperf3Facts&)> output;
};

/// Serves until stopped, or once. Errors: cannot listen (environment).
Result<void> run_server(const ServerOptions& options);

}  // namespace slowpath::probe::iperf3
