// SPDX-License-Identifier: Apache-2.0
// zero-window: an application of this host does not read what arrived for it.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::uint64_t kLeastBytes = 65536;
  constexpr double kShare = 0.5;  // half of a buffer is overhead: the window is near its end
  bool is_judged = false;
  for (const SocketFacts& socket : host.facts.sockets) {
    if (!socket.receive_queue_bytes || !socket.receive_buffer_bytes ||
        socket.state != "established")
      continue;
    is_judged = true;
    const std::uint64_t waiting = *socket.receive_queue_bytes;
    if (waiting < kLeastBytes ||
        static_cast<double>(waiting) < kShare * static_cast<double>(*socket.receive_buffer_bytes))
      continue;
    found.push_back(
        {.claim = fmt::format("{} from {} wait for an application that does not read them",
                              format_bytes(static_cast<double>(waiting)), to_string(socket.remote)),
         .value = fmt::format("Recv-Q {}", waiting),
         .expected = "near 0",
         .why = "the window closes as the buffer fills, and the sender must stop",
         .cost = "the connection runs at the rate at which the application reads",
         .evidence = {{EvidenceKind::counter,
                       fmt::format("Recv-Q {} of a receive buffer of {} at {}", waiting,
                                   *socket.receive_buffer_bytes, to_string(socket.local)),
                       socket.origin.where,
                       {{"receive_queue_bytes", static_cast<double>(waiting)}}}}});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"application-does-not-read", Platform::linux, "ss -tinm",
             "an established socket's receive queue holds 64 KiB or more, and half of its buffer",
             look_at_sockets},
};

}  // namespace

extern const HostFault zero_window;
const HostFault zero_window{"zero-window", kRules};

}  // namespace slowpath::detect::host
