// SPDX-License-Identifier: Apache-2.0
// What a client asks a server for, as iperf3 writes it in JSON. Every value is read with its type
// and its bounds: text where a number belongs is an error, not a surprise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "probe/iperf3/protocol.h"

namespace slowpath::probe::iperf3 {

struct Parameters {
  bool is_udp = false;
  bool reverse = false, bidirectional = false;
  double duration_s = 10, omit_s = 0;
  std::uint64_t bytes = 0, blocks = 0;  // -n and -k; 0: none
  std::uint32_t streams = 1;
  std::uint32_t block_bytes = 128 << 10;
  std::uint32_t window_bytes = 0, mss_bytes = 0;  // 0: the system's
  double rate_bps = 0;                            // of each stream; 0: as fast as it goes
  std::uint64_t pacing_bps = 0;                   // SO_MAX_PACING_RATE
  std::uint32_t type_of_service = 0;
  std::uint32_t burst_blocks = 0;                // sent at once; 0: one by one
  std::uint32_t flow_label = 0;                  // IPv6; 0: the system's
  std::optional<std::uint32_t> server_affinity;  // the processor that the server shall run on
  bool no_delay = false, zero_copy = false, dont_fragment = false;
  bool wide_counters = false;  // 64 bits for the number of a datagram
  bool get_server_output = false;
  bool repeating_payload = false;  // digits instead of noise
  std::string congestion_control, title, extra_data, client_version;
  std::string auth_token;  // auth.h; empty: none

  [[nodiscard]] bool client_sends() const { return !reverse; }
};

nlohmann::ordered_json to_json(const Parameters& parameters);

/// Limits of a server. 0: none.
struct ServerLimits {
  double longest_s = 3600;
  double highest_bps = 0;       // of all streams together
  double most_average_bps = 0;  // the same, as measured over `averaged`
  Duration averaged = std::chrono::seconds(5);
};

/// What a server does not do is told with the number of iperf3's error.
struct Refusal {
  std::int32_t iperf_error = 0;
  std::string words;
};

std::expected<Parameters, Refusal> parameters_from(const nlohmann::ordered_json& json,
                                                   const ServerLimits& limits);

}  // namespace slowpath::probe::iperf3
