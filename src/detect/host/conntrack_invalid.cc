// SPDX-License-Identifier: Apache-2.0
// conntrack-invalid: the connection tracking of this host takes packets for foreign ones.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kInvalid[] = {"ConntrackInvalid"};
constexpr std::string_view kPackets[] = {"IpForwDatagrams", "IpInDelivers"};

bool look(const Host& host, std::vector<HostFinding>& found) {
  const std::string liberal = "net.netfilter.nf_conntrack_tcp_be_liberal";
  // Scans and late segments make some on every host.
  const Toll toll = toll_of(
      host.facts, {.events = kInvalid, .of = kPackets, .least_count = 1000, .least_share = 1e-3});
  if (!toll.read || !is_read(host.facts, liberal)) return false;
  if (!toll.severity || !forwards(host.facts) || !says(host.facts, liberal, "0")) return true;
  HostFinding finding{
      .claim = fmt::format("connection tracking called packets invalid: {}", toll.text),
      .value = toll.text,
      .expected = "hardly any",
      .why =
          "an invalid packet is not translated: it goes out with its inner address, and the "
          "answer is a reset; also a window scale that was not seen in the handshake",
      .cost = "connections that are reset, or stall",
      .evidence = toll.evidence,
      .steps = {sysctl_step(host.facts, liberal, "1")}};
  finding.evidence.push_back(shown(host.facts, liberal));
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{
        "packets-called-invalid", Platform::linux, "conntrack -S, nstat -az, sysctl -a",
        "the host forwards, nf_conntrack_tcp_be_liberal is 0, and the invalid packets are 1000 "
        "or more and 0.1 % of all",
        look},
};

}  // namespace

extern const HostFault conntrack_invalid;
const HostFault conntrack_invalid{"conntrack-invalid", kRules};

}  // namespace slowpath::detect::host
