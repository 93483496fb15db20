// SPDX-License-Identifier: Apache-2.0
// conntrack-invalid: the connection tracking of this host takes packets for foreign ones.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_firewall.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kInvalid[] = {"ConntrackInvalid"};
constexpr std::string_view kPackets[] = {"IpForwDatagrams", "IpInDelivers"};

constexpr std::string_view kLiberal = "net.netfilter.nf_conntrack_tcp_be_liberal";

/// Scans and late segments make some on every host.
Toll toll_here(const Host& host) {
  return toll_of(host.facts,
                 {.events = kInvalid, .of = kPackets, .least_count = 1000, .least_share = 1e-3});
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  const Toll toll = toll_here(host);
  if (!toll.read || !is_read(host.facts, kLiberal)) return false;
  if (!toll.severity || !forwards(host.facts) || !says(host.facts, kLiberal, "0")) return true;
  // Without translation an invalid packet is like any other, and one that is dropped goes nowhere.
  if (firewall_has(host.facts, "nat") == "none" || !dropped_invalid(host.facts).empty())
    return true;
  HostFinding finding{
      .claim = fmt::format("connection tracking called packets invalid: {}", toll.text),
      .value = toll.text,
      .expected = "hardly any",
      .why =
          "an invalid packet is not translated: it goes out with its inner address, and the "
          "answer is a reset; also a window scale that was not seen in the handshake",
      .cost = "connections that are reset, or stall",
      .evidence = toll.evidence,
      .steps = {sysctl_step(host.facts, kLiberal, "1")}};
  finding.evidence.push_back(shown(host.facts, kLiberal));
  found.push_back(std::move(finding));
  return true;
}

bool look_at_rules(const Host& host, std::vector<HostFinding>& found) {
  const Toll toll = toll_here(host);
  const bool is_told = is_read(host.facts, "firewall.ipv4.input.invalid") ||
                       is_read(host.facts, "firewall.ipv6.input.invalid");
  if (!toll.read || !is_read(host.facts, kLiberal) || !is_told) return false;
  const std::vector<FirewallDrop> drops = dropped_invalid(host.facts);
  if (!toll.severity || drops.empty() || !says(host.facts, kLiberal, "0")) return true;
  HostFinding finding{
      .claim = fmt::format("packets called invalid are dropped by a rule: {}", toll.text),
      .value = toll.text,
      .expected = "hardly any",
      .why =
          "a late segment, or one beyond a window that was not seen in the handshake, is "
          "invalid to connection tracking though it is legal to TCP; scans are too",
      .cost = "those of connections are lost, and must be sent again",
      .evidence = toll.evidence,
      .steps = {sysctl_step(host.facts, kLiberal, "1")}};
  for (const FirewallDrop& drop : drops) finding.evidence.push_back(drop.evidence);
  finding.evidence.push_back(shown(host.facts, kLiberal));
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{
        "packets-called-invalid", Platform::linux, "conntrack -S, nstat -az, sysctl -a",
        "the host forwards, nf_conntrack_tcp_be_liberal is 0, and the invalid packets are 1000 "
        "or more and 0.1 % of all; silent where rules are known to drop them, or not to translate",
        look},
    HostRule{
        "invalid-dropped-here", Platform::linux,
        "conntrack -S, nstat -az, sysctl -a, iptables-save or nft list ruleset",
        "rules drop TCP that is INVALID where other TCP passes, nf_conntrack_tcp_be_liberal is "
        "0, and the invalid packets are 1000 or more and 0.1 % of all",
        look_at_rules},
};

}  // namespace

extern const HostFault conntrack_invalid;
const HostFault conntrack_invalid{"conntrack-invalid", kRules};

}  // namespace slowpath::detect::host
