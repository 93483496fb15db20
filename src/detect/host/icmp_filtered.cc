// SPDX-License-Identifier: Apache-2.0
// icmp-filtered: this host's own packet filter drops the messages that path MTU discovery lives on.
#include <array>

#include <fmt/format.h>

#include "detect/host_firewall.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

std::string_view what_of(const FirewallDrop& drop) {
  return drop.is_v6 ? "ICMPv6 \"packet too big\"" : "ICMP \"fragmentation needed\"";
}

std::string claim_of(const FirewallDrop& drop) {
  const std::string where = drop.interfaces.empty() ? "" : " " + drop.interfaces;
  if (drop.way == "input")
    return fmt::format("a rule drops {}{} that comes for this host's connections", what_of(drop),
                       where);
  if (drop.way == "forward")
    return fmt::format("a rule drops {}{} that this host should pass on", what_of(drop), where);
  return fmt::format("a rule drops {}{} that this host itself sends", what_of(drop), where);
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  if (!is_size_message_read(host.facts, "input")) return false;
  for (const FirewallDrop& drop : dropped_size_messages(host.facts)) {
    found.push_back(
        {.claim = claim_of(drop),
         .value = "dropped",
         .expected = "passes, as with ct state related",
         .why =
             drop.way == "input"
                 ? "a sender learns by it that a link on the way is smaller; without it full-size "
                   "segments vanish there again and again"
                 : "the senders behind learn by it that a link is smaller; without it their "
                   "full-size segments vanish",
         .cost =
             "none while every link of the path carries full size; else a transfer stands still "
             "after the handshake",
         .evidence = {drop.evidence},
         .steps = {pass_size_messages(drop)}});
  }
  return true;
}

constexpr std::array kRules{
    HostRule{
        "size-messages-dropped-here", Platform::linux,
        "iptables-save, ip6tables-save or nft list ruleset, or read live as root",
        "the rules drop ICMP fragmentation-needed (type 3, code 4) or ICMPv6 packet-too-big "
        "about an established connection, for certain and where TCP passes: to this host, and "
        "where it forwards, through it or from it; of IPv6 only where it has an address of more "
        "than its link",
        look},
};

}  // namespace

extern const HostFault icmp_filtered;
const HostFault icmp_filtered{"icmp-filtered", kRules};

}  // namespace slowpath::detect::host
