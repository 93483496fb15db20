// SPDX-License-Identifier: Apache-2.0
// wscale-absent: this host does not offer, or cannot keep, the window scale option.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr double kUnscaledWindow = 65535;  // RFC 7323 section 1.1

bool look_at_scaling(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_setting(
      host,
      {.key = "net.ipv4.tcp_window_scaling",
       .bad = "0",
       .expected = "1",
       .claim = "window scaling is switched off",
       .why = "without the option neither side can advertise more than 64 KB (RFC 7323)",
       .cost = ""},
      found);
  if (found.size() > before) found.back().cost = window_cost(kUnscaledWindow, host.aim);
  return is_judged;
}

bool look_at_cookies(const Host& host, std::vector<HostFinding>& found) {
  const auto cookies = number_of(host.facts, "net.ipv4.tcp_syncookies");
  const auto stamps = number_of(host.facts, "net.ipv4.tcp_timestamps");
  if (!cookies || !stamps) return false;
  const bool is_always = *cookies == 2;
  const bool are_sent = *cookies == 1 && count_of(host.facts, "TcpExtSyncookiesSent") > 0;
  if (*stamps != 0 || (!is_always && !are_sent)) return true;
  HostFinding finding{
      .claim = "SYN cookies are answered without timestamps, which alone would keep the options",
      .value = "0",
      .expected = "1",
      .why = "a cookie has no room for window scale and SACK; Linux keeps them in the timestamp",
      .cost = window_cost(kUnscaledWindow, host.aim),
      .evidence = {shown(host.facts, "net.ipv4.tcp_timestamps"),
                   shown(host.facts, "net.ipv4.tcp_syncookies")}};
  if (are_sent) finding.evidence.push_back(counted(host.facts, "TcpExtSyncookiesSent"));
  finding.steps.push_back(sysctl_step(host.facts, "net.ipv4.tcp_timestamps", "1"));
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{"window-scaling-off", Platform::linux, "sysctl -a", "net.ipv4.tcp_window_scaling is 0",
             look_at_scaling},
    HostRule{"cookies-lose-options", Platform::linux, "sysctl -a, nstat -az",
             "tcp_timestamps is 0, and SYN cookies were sent or are always sent", look_at_cookies},
};

}  // namespace

extern const HostFault wscale_absent;
const HostFault wscale_absent{"wscale-absent", kRules};

}  // namespace slowpath::detect::host
