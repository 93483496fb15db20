// SPDX-License-Identifier: Apache-2.0
// rwnd-limited: buffers below the bandwidth-delay product of the path, and connections on which the
// kernel's own account says that they wait for the peer's window.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kFault = "rwnd-limited";

// Linux' own maximum has been 4 MiB or more since 2.6.17; less than a quarter was set by somebody.
constexpr double kSmallMaximum = 1 << 20;
constexpr std::string_view kRmem = "net.ipv4.tcp_rmem";
constexpr std::string_view kSolarisBuffer = "ipadm.tcp.recv_buf";

/// What the path asks for, in bytes, where somebody said.
std::optional<double> bdp_of(const PathAim& aim) {
  if (!aim.rate_bps || !aim.rtt_s) return std::nullopt;
  return *aim.rate_bps * *aim.rtt_s / 8;
}

HostFinding too_small(const Host& host, double window, std::string value, std::string expected) {
  HostFinding finding{
      .claim = fmt::format("receive windows end at {}", format_bytes(window)),
      .value = std::move(value),
      .expected = std::move(expected),
      .why =
          "no more than a window is in flight, so that a connection has a window each round trip",
      .cost = window_cost(window, host.aim)};
  if (const auto bdp = bdp_of(host.aim)) {
    finding.claim += fmt::format(", below the {} that {} at {} take", format_bytes(*bdp),
                                 format_rate(*host.aim.rate_bps), format_duration(*host.aim.rtt_s));
  }
  return finding;
}

bool look_at_rmem(const Host& host, std::vector<HostFinding>& found) {
  const std::vector<double> rmem = numbers_of(host.facts, kRmem);
  if (rmem.size() != 3) return false;
  const double window = rmem[2] / 2;  // the other half is overhead (tcp_adv_win_scale 1)
  const std::optional<double> bdp = bdp_of(host.aim);
  if (bdp ? window >= *bdp : rmem[2] >= kSmallMaximum) return true;
  const double target = bdp ? 2 * *bdp : 6291456;  // the kernel's present default
  const std::string wanted = fmt::format("{:.0f} {:.0f} {:.0f}", rmem[0], rmem[1], target);
  HostFinding finding = too_small(host, window, value_of(host.facts, kRmem),
                                  "a maximum of " + fmt::format("{:.0f} or more", target));
  finding.evidence.push_back(shown(host.facts, kRmem));
  finding.steps.push_back(sysctl_step(host.facts, kRmem, wanted));
  found.push_back(std::move(finding));
  return true;
}

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  const auto buffer = number_of(host.facts, kSolarisBuffer);
  if (!buffer) return false;
  constexpr double kDefault = 128000;  // Solaris 11
  const std::optional<double> bdp = bdp_of(host.aim);
  const auto window = static_cast<double>(*buffer);
  if (bdp ? window >= *bdp : window > kDefault) return true;
  const double target = bdp ? std::max(*bdp, 1048576.0) : 1048576;
  HostFinding finding =
      too_small(host, window, std::to_string(*buffer), fmt::format("{:.0f} or more", target));
  // The system's own value is right on a short path.
  if (!bdp && window == kDefault) finding.severity = Severity::note;
  finding.evidence.push_back(shown(host.facts, kSolarisBuffer));
  const auto maximum = number_of(host.facts, "ipadm.tcp.max_buf");
  if (maximum && static_cast<double>(*maximum) < target) {
    finding.evidence.push_back(shown(host.facts, "ipadm.tcp.max_buf"));
    finding.steps.push_back({Platform::solaris,
                             fmt::format("ipadm set-prop -p max_buf={:.0f} tcp", 4 * target),
                             fmt::format("ipadm set-prop -p max_buf={} tcp", *maximum),
                             "Oracle Solaris Tunable Parameters Reference"});
  }
  finding.steps.push_back({Platform::solaris,
                           fmt::format("ipadm set-prop -p recv_buf={:.0f} tcp", target),
                           fmt::format("ipadm set-prop -p recv_buf={} tcp", *buffer),
                           "Oracle Solaris Tunable Parameters Reference"});
  found.push_back(std::move(finding));
  return true;
}

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  const LimitedSockets limited = limited_sockets(host.facts, &SocketFacts::rwnd_limited_s, 0.5);
  if (limited.worst == nullptr) return limited.is_told;
  found.push_back(
      {.claim = fmt::format("{} for the peer's window, {} of its time", limited.who_waits,
                            format_percent(limited.share)),
       .value = limited.value,
       .expected = "almost none, unless the peer's application reads slowly on purpose",
       .why = "the peer's receive window is smaller than the path, or its application does not "
              "read; the change belongs there",
       .cost = limited.cost,
       .evidence = {limited.evidence},
       .steps = {{Platform::any,
                  fmt::format("Ask `slowpath inspect` on {}: its receive buffers, and whether its "
                              "application reads",
                              to_string(limited.worst->remote.address)),
                  std::string(kNothingToUndo), "ss(8); tcp(7), SO_RCVBUF", false, "peer"}}});
  return true;
}

constexpr std::array kRules{
    HostRule{"receive-buffer-small", Platform::linux, "sysctl -a",
             "half of net.ipv4.tcp_rmem's maximum is below the bandwidth-delay product asked for; "
             "without one, the maximum is below 1 MiB",
             look_at_rmem},
    HostRule{"receive-buffer-small-solaris", Platform::solaris, "ipadm show-prop",
             "recv_buf is below the bandwidth-delay product asked for; without one, 128000 or less "
             "(a note at 128000, the system's own value)",
             look_at_solaris},
    HostRule{"socket-waits-for-window", Platform::linux, "ss -tinm",
             "connections were busy for 1 s or more, half of it limited by the peer's window",
             look_at_sockets},
};

}  // namespace

extern const HostFault rwnd_limited;
const HostFault rwnd_limited{kFault, kRules};

}  // namespace slowpath::detect::host
