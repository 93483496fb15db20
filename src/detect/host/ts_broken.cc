// SPDX-License-Identifier: Apache-2.0
// ts-broken: segments refused for their timestamp, and timestamps switched off.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kRefused[] = {"TcpExtPAWSEstab", "TcpExtTSEcrRejected"};
constexpr std::string_view kReceived[] = {"TcpInSegs"};
constexpr CounterRule kRule{
    .measure = {.events = kRefused, .of = kReceived, .least_count = 100, .least_share = 1e-4},
    .claim = "segments of open connections were refused for their timestamp",
    .why =
        "something on the path rewrites timestamps, or mixes those of several hosts (RFC 7323 "
        "section 5)",
    .cost = "each one is lost",
    .most = Severity::suspect};

bool look_at_refusals(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

bool look_at_setting(const Host& host, std::vector<HostFinding>& found) {
  return judge_setting(
      host,
      {.key = "net.ipv4.tcp_timestamps",
       .bad = "0",
       .expected = "1",
       .claim = "timestamps are switched off",
       .why = "without them a retransmission's round trip cannot be measured, and sequence numbers "
              "that wrap are not told apart (RFC 7323)",
       .cost = "1 % more payload a packet, against slower recovery; SYN cookies lose all options",
       .severity = Severity::note},
      found);
}

constexpr std::array kRules{
    HostRule{"timestamps-refused", Platform::linux, "nstat -az",
             "PAWSEstab and TSEcrRejected are 100 or more and 0.01 % of the segments",
             look_at_refusals},
    HostRule{"timestamps-off", Platform::linux, "sysctl -a",
             "net.ipv4.tcp_timestamps is 0 (a note)", look_at_setting},
};

}  // namespace

extern const HostFault ts_broken;
const HostFault ts_broken{"ts-broken", kRules};

}  // namespace slowpath::detect::host
