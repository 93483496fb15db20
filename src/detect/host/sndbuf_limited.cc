// SPDX-License-Identifier: Apache-2.0
// sndbuf-limited: the send buffer holds less than the bandwidth-delay product.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWmem = "net.ipv4.tcp_wmem";
constexpr std::string_view kSolarisBuffer = "ipadm.tcp.send_buf";
constexpr std::string_view kWhy =
    "what was sent stays in the buffer until it is acknowledged, so that a connection has a buffer "
    "each round trip";

std::optional<double> bdp_of(const PathAim& aim) {
  if (!aim.rate_bps || !aim.rtt_s) return std::nullopt;
  return *aim.rate_bps * *aim.rtt_s / 8;
}

bool look_at_wmem(const Host& host, std::vector<HostFinding>& found) {
  const std::vector<double> wmem = numbers_of(host.facts, kWmem);
  if (wmem.size() != 3) return false;
  constexpr double kSmallMaximum = 1 << 20;  // a quarter of the kernel's default since 2.6.17
  const std::optional<double> bdp = bdp_of(host.aim);
  if (bdp ? wmem[2] / 2 >= *bdp : wmem[2] >= kSmallMaximum) return true;
  const double target = bdp ? 2 * *bdp : 4194304;
  HostFinding finding{
      .claim = fmt::format("send buffers end at {}, half of it data", format_bytes(wmem[2])),
      .value = value_of(host.facts, kWmem),
      .expected = fmt::format("a maximum of {:.0f} or more", target),
      .why = std::string(kWhy),
      .cost = window_cost(wmem[2] / 2, host.aim),
      .evidence = {shown(host.facts, kWmem)}};
  finding.steps.push_back(sysctl_step(
      host.facts, kWmem, fmt::format("{:.0f} {:.0f} {:.0f}", wmem[0], wmem[1], target)));
  found.push_back(std::move(finding));
  return true;
}

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  const auto buffer = number_of(host.facts, kSolarisBuffer);
  if (!buffer) return false;
  constexpr double kDefault = 49152;  // Solaris 11
  const auto bytes = static_cast<double>(*buffer);
  const std::optional<double> bdp = bdp_of(host.aim);
  if (bdp ? bytes >= *bdp : bytes > kDefault) return true;
  const double target = bdp ? std::max(*bdp, 1048576.0) : 1048576;
  HostFinding finding{.severity = !bdp && bytes == kDefault ? Severity::note : Severity::suspect,
                      .claim = fmt::format("send buffers hold {}", format_bytes(bytes)),
                      .value = std::to_string(*buffer),
                      .expected = fmt::format("{:.0f} or more", target),
                      .why = std::string(kWhy),
                      .cost = window_cost(bytes, host.aim),
                      .evidence = {shown(host.facts, kSolarisBuffer)}};
  finding.steps.push_back({Platform::solaris,
                           fmt::format("ipadm set-prop -p send_buf={:.0f} tcp", target),
                           fmt::format("ipadm set-prop -p send_buf={} tcp", *buffer),
                           "Oracle Solaris Tunable Parameters Reference"});
  found.push_back(std::move(finding));
  return true;
}

bool look_at_sockets(const Host& host, std::vector<HostFinding>& found) {
  const LimitedSockets limited = limited_sockets(host.facts, &SocketFacts::sndbuf_limited_s, 0.3);
  if (limited.worst == nullptr) return limited.is_told;
  found.push_back(
      {.severity = Severity::fault,  // TCP_INFO's account is the catalogue's minimum evidence
       .claim = fmt::format("{} for its send buffer, {} of its time", limited.who_waits,
                            format_percent(limited.share)),
       .value = limited.value,
       .expected = "almost none",
       .why = std::string(kWhy) + "; a fixed SO_SNDBUF switches the tuning off",
       .cost = limited.cost,
       .evidence = {limited.evidence}});
  return true;
}

constexpr std::array kRules{
    HostRule{"send-buffer-small", Platform::linux, "sysctl -a",
             "half of net.ipv4.tcp_wmem's maximum is below the bandwidth-delay product asked for; "
             "without one, the maximum is below 1 MiB",
             look_at_wmem},
    HostRule{"send-buffer-small-solaris", Platform::solaris, "ipadm show-prop",
             "send_buf is below the bandwidth-delay product asked for; without one, 49152 or less "
             "(a note at 49152, the system's own value)",
             look_at_solaris},
    HostRule{"socket-waits-for-send-buffer", Platform::linux, "ss -tinm",
             "connections were busy for 1 s or more, 30 % of it limited by their send buffers",
             look_at_sockets},
};

}  // namespace

extern const HostFault sndbuf_limited;
const HostFault sndbuf_limited{"sndbuf-limited", kRules};

}  // namespace slowpath::detect::host
