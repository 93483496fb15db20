// SPDX-License-Identifier: Apache-2.0
// silly-window: a receive buffer that holds hardly more than one segment.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  // Linux counts about as much for overhead as for data; below two segments none fits whole.
  constexpr std::uint64_t kSegments = 2;
  bool is_judged = false;
  for (const SocketFacts& socket : host.facts.sockets) {
    if (!socket.receive_buffer_bytes || !socket.advertised_mss_bytes ||
        socket.state != "established")
      continue;
    is_judged = true;
    if (*socket.receive_buffer_bytes == 0 ||
        *socket.receive_buffer_bytes >= kSegments * *socket.advertised_mss_bytes)
      continue;
    found.push_back(
        {.claim = fmt::format("the receive buffer for {} holds {}, less than two segments of {}",
                              to_string(socket.remote),
                              format_bytes(static_cast<double>(*socket.receive_buffer_bytes)),
                              format_bytes(*socket.advertised_mss_bytes)),
         .value = std::to_string(*socket.receive_buffer_bytes),
         .expected = fmt::format("{} or more", 4 * *socket.advertised_mss_bytes),
         .why = "the window opens by less than a segment at a time, and small segments follow",
         .cost = window_cost(static_cast<double>(*socket.receive_buffer_bytes) / 2, host.aim),
         .evidence = {{EvidenceKind::setting,
                       fmt::format("rb {} and advmss {} at {}", *socket.receive_buffer_bytes,
                                   *socket.advertised_mss_bytes, to_string(socket.local)),
                       socket.origin.where}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"receive-buffer-below-segments", Platform::linux, "ss -tinm",
             "an established socket's receive buffer is smaller than two segments",
             look_at_sockets},
};

}  // namespace

extern const HostFault silly_window;
const HostFault silly_window{"silly-window", kRules};

}  // namespace slowpath::detect::host
