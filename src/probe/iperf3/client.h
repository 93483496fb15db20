// SPDX-License-Identifier: Apache-2.0
// A test against an unmodified iperf3 server.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "facts/iperf3.h"
#include "probe/iperf3/auth.h"
#include "probe/iperf3/parameters.h"
#include "probe/socket.h"

namespace slowpath::probe::iperf3 {

struct ClientOptions {
  Target server{.host = {}, .port = kPort};
  Parameters parameters;
  bool has_block_bytes = false;  // else 128 KiB, or what one packet takes with UDP
  Duration connect_timeout = std::chrono::seconds(10);
  Duration interval = std::chrono::seconds(1);  // 0: none
  std::optional<Credentials> login = {};        // for servers that ask who it is
  std::string file = {};                        // sent once, or written; empty: none
  std::uint16_t local_port = 0;                // of the first stream, the next has the next; 0: any
  std::optional<std::uint32_t> affinity = {};  // the processor to stay on
  double silent_s = 120;                       // as iperf3: nothing moved for so long
  std::optional<std::uint32_t> user_timeout_ms = {};  // TCP_USER_TIMEOUT of all connections
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const Iperf3Facts&)> on_begin, on_interval;
};

/// What was measured, also where it ended early (Iperf3Facts::error). Errors: the test did not
/// begin (network), an option that the kernel refuses (environment).
Result<Iperf3Facts> run_client(const ClientOptions& options);

}  // namespace slowpath::probe::iperf3
