// SPDX-License-Identifier: Apache-2.0
// accept-queue-overflow: a program of this host does not accept its connections fast enough.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kOverflows[] = {"TcpExtListenOverflows"};
constexpr std::string_view kOpened[] = {"TcpPassiveOpens"};
constexpr CounterRule kRule{
    .measure = {.events = kOverflows,
                .of = kOpened,
                .least_count = 100,
                .least_share = 1e-3,
                .proven_share = 0.01,
                .proven_per_s = 1},
    .claim = "connections were dropped because a listener's queue was full",
    .why =
        "the program does not call accept() as fast as connections come, or asks for a short "
        "queue",
    .cost = "1, 3, 7 s of waiting for each: the client sends its SYN or ACK again"};

bool look_at_counters(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_counters(host, kRule, found);
  const std::string key = "net.core.somaxconn";
  const auto most = number_of(host.facts, key);
  constexpr std::int64_t kSmall = 4096;  // the kernel's own since 5.4
  if (found.size() > before && most && *most < kSmall) {
    found.back().evidence.push_back(shown(host.facts, key));
    found.back().steps.push_back(sysctl_step(host.facts, key, std::to_string(kSmall)));
  }
  return is_judged;
}

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const SocketFacts& socket : host.facts.sockets) {
    if (socket.state != "listen" || !socket.accept_queue || !socket.accept_queue_max) continue;
    is_judged = true;
    if (*socket.accept_queue_max == 0 || *socket.accept_queue <= *socket.accept_queue_max) continue;
    found.push_back(
        {.severity = Severity::fault,
         .claim =
             fmt::format("{} connections wait to be accepted at {}, and {} may",
                         *socket.accept_queue, to_string(socket.local), *socket.accept_queue_max),
         .value = std::to_string(*socket.accept_queue),
         .expected = fmt::format("below {}", *socket.accept_queue_max),
         .why = "from here on the kernel drops whatever opens another one",
         .cost = "1, 3, 7 s of waiting for each: the client sends its SYN or ACK again",
         .evidence = {{EvidenceKind::counter,
                       fmt::format("Recv-Q {}, Send-Q {} at {}", *socket.accept_queue,
                                   *socket.accept_queue_max, to_string(socket.local)),
                       socket.origin.where,
                       {{"accept_queue", static_cast<double>(*socket.accept_queue)}}}}});
  }
  return is_judged;
}

constexpr std::string_view kSolarisDrops[] = {"TcpListenDrop"};
constexpr CounterRule kSolaris{
    .measure = {.events = kSolarisDrops,
                .of = kOpened,
                .least_count = 100,
                .least_share = 1e-3,
                .proven_share = 0.01},
    .claim = "connections were dropped because a listener's queue was full",
    .why =
        "the program does not call accept() as fast as connections come, or asks for a short "
        "queue",
    .cost = "1, 3, 7 s of waiting for each: the client sends its SYN again"};

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kSolaris, found);
}

constexpr std::array kRules{
    HostRule{"listen-overflows", Platform::linux, "nstat -az",
             "ListenOverflows is 100 or more and 0.1 % of the connections accepted; fault from 1 % "
             "or one a second on",
             look_at_counters},
    HostRule{"accept-queue-full", Platform::linux, "ss -lnt",
             "a listener's queue holds more than it may", look_at_sockets},
    HostRule{
        "listen-drops-solaris", Platform::solaris, "netstat -s",
        "tcpListenDrop is 100 or more and 0.1 % of the connections accepted; fault from 1 % on",
        look_at_solaris},
};

}  // namespace

extern const HostFault accept_queue_overflow;
const HostFault accept_queue_overflow{"accept-queue-overflow", kRules};

}  // namespace slowpath::detect::host
