// SPDX-License-Identifier: Apache-2.0
// syn-backlog-cookies: more half-open connections than a listener keeps.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kOpened[] = {"TcpPassiveOpens"};
constexpr std::string_view kSent[] = {"TcpExtSyncookiesSent"};
constexpr CounterRule kCookies{
    .measure = {.events = kSent,
                .of = kOpened,
                .least_count = 100,
                .least_share = 1e-3,
                .proven_share = 0.05,
                .proven_per_s = 10},
    .claim = "SYN cookies were sent because the queue of half-open connections was full",
    .why = "a cookie keeps few options: without timestamps no window scale and no SACK",
    .cost = "such connections may end at 64 KB a round trip"};

constexpr std::string_view kDropped[] = {"TcpExtTCPReqQFullDrop"};
constexpr CounterRule kDrops{
    .measure = {.events = kDropped,
                .of = kOpened,
                .least_count = 100,
                .least_share = 1e-3,
                .proven_share = 0.01,
                .proven_per_s = 1},
    .claim = "SYNs were dropped because the queue of half-open connections was full",
    .why = "without cookies (net.ipv4.tcp_syncookies) there is nothing else to do with them",
    .cost = "1, 3, 7 s of waiting for each connection"};

bool look_at_cookies(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kCookies, found);
}

bool look_at_drops(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_counters(host, kDrops, found);
  const std::string key = "net.ipv4.tcp_syncookies";
  if (found.size() > before && says(host.facts, key, "0"))
    found.back().steps.push_back(sysctl_step(host.facts, key, "1"));
  return is_judged;
}

constexpr std::array kRules{
    HostRule{
        "cookies-sent", Platform::linux, "nstat -az",
        "SyncookiesSent is 100 or more and 0.1 % of the connections accepted; fault from 5 % or "
        "ten a second on",
        look_at_cookies},
    HostRule{"syn-queue-drops", Platform::linux, "nstat -az",
             "TCPReqQFullDrop is 100 or more and 0.1 % of the connections accepted; fault from 1 % "
             "or one a second on",
             look_at_drops},
};

}  // namespace

extern const HostFault syn_backlog_cookies;
const HostFault syn_backlog_cookies{"syn-backlog-cookies", kRules};

}  // namespace slowpath::detect::host
