// SPDX-License-Identifier: Apache-2.0
// tail-loss: the probe that saves a burst's last segment from a timeout is off.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr SettingRule kProbe{
    .key = "net.ipv4.tcp_early_retrans",
    .bad = "0",
    .expected = "3",
    .claim = "tail loss probes are switched off",
    .why =
        "the last segments of a burst have nothing behind them that would show their loss "
        "(RFC 8985 section 7)",
    .cost = "a retransmission timeout, 200 ms or more, for each lost tail"};

bool look(const Host& host, std::vector<HostFinding>& found) {
  return judge_setting(host, kProbe, found);
}

constexpr std::array kRules{
    HostRule{"tail-probe-off", Platform::linux, "sysctl -a", "net.ipv4.tcp_early_retrans is 0",
             look},
};

}  // namespace

extern const HostFault tail_loss;
const HostFault tail_loss{"tail-loss", kRules};

}  // namespace slowpath::detect::host
