// SPDX-License-Identifier: Apache-2.0
// rx-csum-skipped: kernels on which a veth device lets damaged segments through.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

/// "4.4.1-2-amd64" is {4, 4, 1}.
std::array<int, 3> version_of(std::string_view kernel) {
  std::array<int, 3> version{};
  const char* at = kernel.data();
  const char* end = at + kernel.size();
  for (int& part : version) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc{} || next == end || *next != '.') break;
    at = next + 1;
  }
  return version;
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  if (host.facts.kernel.empty() || host.facts.interfaces.empty()) return false;
  const auto veth = std::ranges::find(host.facts.interfaces, "veth", &InterfaceFacts::kind);
  constexpr std::array kFixed{4, 4, 2};
  if (veth == host.facts.interfaces.end() || version_of(host.facts.kernel) >= kFixed) return true;
  found.push_back(
      {.severity = Severity::note,  // distributions have put the repair into older kernels
       .interface = veth->name,
       .claim = fmt::format("kernel {} may hand damaged segments to containers", host.facts.kernel),
       .value = host.facts.kernel,
       .expected = "4.4.2 or later, or a distribution's kernel with its repair",
       .why = "before, veth called every checksum good that the NIC had not verified",
       .cost = "damage on the network reaches the application",
       .evidence = {{EvidenceKind::setting, "kernel " + host.facts.kernel, "uname -a"},
                    seen_on(*veth, "veth")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"veth-trusts-checksums", Platform::linux, "uname -a, ip -d link",
             "the kernel is older than 4.4.2 and there is a veth device (a note)", look},
};

}  // namespace

extern const HostFault rx_csum_skipped;
const HostFault rx_csum_skipped{"rx-csum-skipped", kRules};

}  // namespace slowpath::detect::host
