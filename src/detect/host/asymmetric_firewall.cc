// SPDX-License-Identifier: Apache-2.0
// asymmetric-firewall: packets dropped because the way back would be another.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kDropped[] = {"TcpExtIPReversePathFilter"};
constexpr std::string_view kReceived[] = {"IpInReceives"};

/// The strict filter of an interface, or of all.
const std::string* strict_filter(const MachineFacts& facts) {
  for (const auto& [key, told] : facts.settings) {
    if (key.starts_with("net.ipv4.conf.") && key.ends_with(".rp_filter") && told.value == "1")
      return &key;
  }
  return nullptr;
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  const Toll toll = toll_of(host.facts, {.events = kDropped,
                                         .of = kReceived,
                                         .least_count = 1000,
                                         .least_share = 1e-3,
                                         .proven_share = 0.05});
  if (!toll.read) return false;
  const std::string* filter = strict_filter(host.facts);
  if (!toll.severity || filter == nullptr) return true;
  HostFinding finding{
      .severity = *toll.severity,
      .claim = fmt::format("packets were dropped because their way back is another: {}", toll.text),
      .value = toll.text,
      .expected = "almost none",
      .why =
          "the strict reverse path filter drops what comes in where the answer would not go out "
          "(RFC 3704)",
      .cost = "those packets are lost; with two links that can be a whole direction",
      .evidence = toll.evidence,
      .steps = {sysctl_step(host.facts, *filter, "2")}};
  finding.evidence.push_back(shown(host.facts, *filter));
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{"reverse-path-drops", Platform::linux, "nstat -az, sysctl -a",
             "an rp_filter is 1, and IPReversePathFilter is 1000 or more and 0.1 % of the packets; "
             "fault from 5 % on",
             look},
};

}  // namespace

extern const HostFault asymmetric_firewall;
const HostFault asymmetric_firewall{"asymmetric-firewall", kRules};

}  // namespace slowpath::detect::host
