// SPDX-License-Identifier: Apache-2.0
// What `slowpath test --iperf3` is asked for on the command line, with iperf3's letters. What it
// means is left to client.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/command_line.h"
#include "cli/iperf3/shared.h"
#include "probe/iperf3/protocol.h"

namespace slowpath::cli::iperf3 {

/// As typed; empty where nothing was.
struct ClientOptions {
  std::string host, bytes, blocks, block_bytes, rate, window, pacing, congestion;
  std::string title, extra_data, file, dscp, user, public_key, fail_on;
  std::optional<std::uint32_t> user_timeout_ms;
  std::uint32_t flow_label = 0, pacing_timer_us = 1000;
  std::uint16_t local_port = 0;
  std::uint16_t port = probe::iperf3::kPort;
  std::uint32_t streams = 1, mss = 0, connect_timeout_ms = 10'000, type_of_service = 0;
  double seconds = 10, omit_s = 0, interval_s = 1;
  bool iperf3 = false, udp = false, reverse = false, bidirectional = false, json = false;
  bool no_delay = false, zero_copy = false, dont_fragment = false, wide_counters = false;
  bool get_server_output = false, quiet = false, repeating_payload = false, oaep_padding = false;
  SharedOptions shared;
};

void declare_client(const CommandLine& line, ClientOptions& options);

}  // namespace slowpath::cli::iperf3
