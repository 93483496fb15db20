// SPDX-License-Identifier: Apache-2.0
// lso-not-segmented: large sends are on where they are known to break. No counter of the host
// proves it; a capture at the sender does.
#include <array>

#include <fmt/format.h>

#include "detect/host_driver.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kSolarisLso = "ndd.ip.ip_lso_outbound";

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  bool is_told = false;
  const auto build = foreign_driver(host.facts, is_told);
  if (!is_told || !is_read(host.facts, kSolarisLso)) return false;
  if (!build || !says(host.facts, kSolarisLso, "1")) return true;
  found.push_back(
      {.claim = fmt::format("large sends go to {}, which was built for release {}", build->module,
                            build->built_for),
       .value = "1",
       .expected = fmt::format("a driver for release {}; until then 0", build->expected),
       .why = "a driver that does not cut large sends loses them whole, at any MTU",
       .cost = "each large send costs a retransmission timeout: below 1 % of the line",
       .evidence = {shown(host.facts, kSolarisLso),
                    {EvidenceKind::setting, build->installed, "driver files"}},
       .steps = {{Platform::solaris, "ndd -set /dev/ip ip_lso_outbound 0",
                  "ndd -set /dev/ip ip_lso_outbound 1",
                  "Oracle Solaris Tunable Parameters Reference", true}}});
  return true;
}

constexpr std::string_view kErrors[] = {"tx_dropped", "tx_errors"};
constexpr std::string_view kPackets[] = {"tx_packets"};

bool look_at_user_space(const Host& host, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const bool is_program =
        interface.kind == "tun" || interface.kind == "tap" || interface.driver == "tun";
    if (!is_program || !interface.features.contains("tx-tcp-segmentation")) continue;
    const Toll toll =
        toll_of(host.facts, interface,
                {.events = kErrors, .of = kPackets, .least_count = 100, .least_share = 0.01});
    is_judged = is_judged || toll.read;
    if (!toll.severity || !is_on(interface, "tx-tcp-segmentation")) continue;
    HostFinding finding{
        .interface = interface.name,
        .claim = fmt::format("{} hands large sends to a program, and packets are lost there: {}",
                             interface.name, toll.text),
        .value = "tcp-segmentation-offload: on",
        .expected = "off, unless the program cuts them",
        .why =
            "a program that forwards what it gets passes on frames that nobody can carry; a "
            "slow program with a full queue looks the same",
        .cost = "each large send that is lost costs a retransmission timeout",
        .evidence = toll.evidence,
        .steps = {feature_step(interface, "tso", false)}};
    finding.evidence.push_back(seen_on(interface, "tcp-segmentation-offload: on"));
    found.push_back(std::move(finding));
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"lso-with-foreign-driver", Platform::solaris,
             "ndd -get /dev/ip ip_lso_outbound, listings of driver files",
             "ip_lso_outbound is 1, and a driver's file is the build for another release",
             look_at_solaris},
    HostRule{"tso-into-user-space", Platform::linux, "ethtool -k, ip -d -s link",
             "a tun or tap device has TSO on, and dropped 100 packets and 1 % of them",
             look_at_user_space},
};

}  // namespace

extern const HostFault lso_not_segmented;
const HostFault lso_not_segmented{"lso-not-segmented", kRules};

}  // namespace slowpath::detect::host
