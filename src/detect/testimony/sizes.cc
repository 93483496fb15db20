// SPDX-License-Identifier: Apache-2.0
// What MTUs, routes and reassembly counters of the hosts say of packets that are too large, or
// needlessly small.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_firewall.h"
#include "detect/testimony/testimony.h"

namespace slowpath::detect {
namespace {

constexpr double kMatches = 0.6;
constexpr double kCleared = 0.5;
constexpr double kNoClamp = 0.4;  // it may be one of another box, or for other interfaces
constexpr std::uint32_t kEthernet = 1500, kJumbo = 9000;

std::string where_of(const Witness& witness) {
  return fmt::format("{} of {}", witness.interface->name, name_of(*witness.machine));
}

std::uint32_t mtu_of(const Witness& witness) {
  return witness && witness.interface != nullptr ? witness.interface->mtu_bytes.value_or(0) : 0;
}

/// What ICMP taught the sender of the path to the receiver, or nullptr.
const RouteFacts* learnt_route(const Hearing& hearing) {
  if (!hearing.sender) return nullptr;
  for (const RouteFacts& route : hearing.sender.machine->routes) {
    if (route.is_exception && route.mtu_bytes &&
        route.destination == hearing.transfer.receiver().address)
      return &route;
  }
  return nullptr;
}

/// The route that the sender's packets take, if somebody gave it an MTU or an advertised MSS.
const RouteFacts* restricted_route(const Hearing& hearing) {
  if (!hearing.sender) return nullptr;
  const RouteFacts* taken = route_to(*hearing.sender.machine, hearing.transfer.receiver().address);
  return taken != nullptr && (taken->mtu_bytes || taken->advmss) ? taken : nullptr;
}

std::string text_of(const RouteFacts& route) {
  std::string text;
  if (route.mtu_bytes) text += fmt::format(" mtu {}", *route.mtu_bytes);
  if (route.advmss) text += fmt::format(" advmss {}", *route.advmss);
  if (route.expires_s) text += fmt::format(", for {} more", format_duration(*route.expires_s));
  return text;
}

std::string destination_of(const RouteFacts& route) {
  if (route.destination.version == 0) return "default";
  return fmt::format("{}/{}", to_string(route.destination), route.prefix_len);
}

void ask_learnt(const Hearing& hearing, Testimonies& said) {
  const RouteFacts* learnt = learnt_route(hearing);
  if (learnt == nullptr) return;
  Testimony word = confirms(
      kMatches,
      setting(fmt::format("{} remembers a path MTU for {}:{}", name_of(*hearing.sender.machine),
                          to_string(learnt->destination), text_of(*learnt)),
              {{"route_mtu_bytes", *learnt->mtu_bytes}}));
  word.proves = true;
  said.push_back(std::move(word));
}

void ask_small(const Hearing& hearing, Testimonies& said) {
  bool all_large = true, known = false;
  for (const Witness* end : {&hearing.sender, &hearing.receiver}) {
    const std::uint32_t mtu = mtu_of(*end);
    if (mtu == 0) continue;
    known = true;
    if (mtu >= kEthernet) continue;
    all_large = false;
    // Whether the path could carry more only a test tells: clouds and tunnels have their reasons.
    said.push_back(confirms(
        kMatches / 2,
        setting(fmt::format("the MTU of {} is {}", where_of(*end), mtu), {{"mtu_bytes", mtu}})));
  }
  if (const RouteFacts* set = restricted_route(hearing)) {
    all_large = false;
    said.push_back(confirms(kMatches, setting(fmt::format("a route of {} makes them small: {}{}",
                                                          name_of(*hearing.sender.machine),
                                                          destination_of(*set), text_of(*set)))));
  }
  ask_learnt(hearing, said);
  if (known && all_large && mtu_of(hearing.sender) > 0 && mtu_of(hearing.receiver) > 0 &&
      learnt_route(hearing) == nullptr)
    said.push_back(
        refutes(kCleared, setting(fmt::format("the MTUs of {} and {} are {} and {}",
                                              where_of(hearing.sender), where_of(hearing.receiver),
                                              mtu_of(hearing.sender), mtu_of(hearing.receiver)))));
}

void ask_jumbo(const Hearing& hearing, Testimonies& said) {
  const std::uint32_t sends = mtu_of(hearing.sender), takes = mtu_of(hearing.receiver);
  if (sends > 0 && sends <= kEthernet) {
    said.push_back(refutes(kCleared, setting(fmt::format("the MTU of {} is {}: it sends no jumbo "
                                                         "frames",
                                                         where_of(hearing.sender), sends))));
    return;
  }
  if (sends > kEthernet && takes > 0 && takes < sends)
    said.push_back(
        confirms(kMatches,
                 setting(fmt::format("the MTU of {} is {}, that of {} {}", where_of(hearing.sender),
                                     sends, where_of(hearing.receiver), takes),
                         {{"sender_mtu_bytes", sends}, {"receiver_mtu_bytes", takes}})));
  if (sends >= kJumbo && takes >= kJumbo)
    said.push_back(explains(setting(fmt::format(
        "both hosts have an MTU of {} and {}: a switch between them is smaller", sends, takes))));
}

void ask_black_hole(const Hearing& hearing, Testimonies& said) {
  if (!hearing.sender) return;
  const MachineFacts& machine = *hearing.sender.machine;
  const std::string_view probing = value_of(machine, "net.ipv4.tcp_mtu_probing");
  if (probing == "0")
    said.push_back(explains(setting(fmt::format(
        "net.ipv4.tcp_mtu_probing of {} is 0: it does not look for a smaller size by itself",
        name_of(machine)))));
  if (const RouteFacts* learnt = learnt_route(hearing))
    said.push_back(refutes(kCleared, setting(fmt::format("{} did learn a path MTU:{}",
                                                         name_of(machine), text_of(*learnt)))));
  for (const MachineFacts* box : hearing.forwarders) {
    for (const InterfaceFacts& interface : box->interfaces) {
      const std::uint32_t mtu = interface.mtu_bytes.value_or(0);
      if (mtu == 0 || mtu_of(hearing.sender) == 0 || mtu >= mtu_of(hearing.sender) ||
          interface.kind == "loopback")
        continue;
      said.push_back(confirms(
          0.4, setting(fmt::format("{} forwards, and the MTU of its {}{} is {}, below the sender's "
                                   "{}",
                                   name_of(*box), interface.name,
                                   interface.kind.empty() ? "" : " (" + interface.kind + ")", mtu,
                                   mtu_of(hearing.sender)))));
    }
  }
}

/// The rules of the sender's host and of the boxes between about ICMP that tells a size.
void ask_rules(const Hearing& hearing, Testimonies& said) {
  std::vector<const MachineFacts*> boxes = hearing.forwarders;
  if (hearing.sender) boxes.push_back(hearing.sender.machine);
  const bool is_v6 = hearing.transfer.receiver().address.version == 6;
  for (const MachineFacts* box : boxes) {
    bool drops = false;
    for (const FirewallDrop& drop : dropped_size_messages(*box)) {
      if (drop.is_v6 != is_v6) continue;
      drops = true;
      said.push_back(confirms(
          kMatches,
          setting(fmt::format("{} drops ICMP that tells a smaller MTU{}{}: \"{}\"", name_of(*box),
                              drop.interfaces.empty() ? "" : " ", drop.interfaces, drop.rule))));
    }
    const bool passes = value_of(*box, is_v6 ? "firewall.ipv6.input.size-messages"
                                             : "firewall.ipv4.input.size-messages") == "passes";
    // A box that nobody knows of may drop them all the same.
    if (!drops && passes && box == hearing.sender.machine)
      said.push_back(explains(setting(
          fmt::format("the rules of {} let ICMP that tells a smaller MTU pass", name_of(*box)))));
  }
}

void ask_filter(const Hearing& hearing, Testimonies& said) {
  ask_black_hole(hearing, said);
  ask_rules(hearing, said);
}

void ask_clamp(const Hearing& hearing, Testimonies& said) {
  ask_filter(hearing, said);
  for (const MachineFacts* box : hearing.forwarders) {
    const auto clamp = firewall_has(*box, "mss-clamp");
    if (clamp == "none")
      said.push_back(confirms(
          kNoClamp,
          setting(fmt::format("no rule of {} clamps the MSS of what it forwards", name_of(*box)))));
    if (clamp == "present")
      said.push_back(refutes(
          kNoClamp,
          setting(fmt::format("a rule of {} writes the MSS of what it forwards", name_of(*box)))));
  }
}

void ask_fragments(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 3> kNames{"IpReasmFails", "IpReasmTimeout",
                                                   "IpExtReasmOverlaps"};
  if (!hearing.receiver) return;
  const CounterSum fails = sum_of(*hearing.receiver.machine, kNames);
  if (fails.sum > 0)
    said.push_back(
        confirms(kCleared, counter(fmt::format("{} could not put fragments together: {}",
                                               name_of(*hearing.receiver.machine), fails.told),
                                   fails.values)));
}

constexpr std::array kQuestions{
    Questioning{"pmtu-stuck-low", ask_learnt},       Questioning{"mtu-needlessly-small", ask_small},
    Questioning{"jumbo-mismatch", ask_jumbo},        Questioning{"pmtud-blackhole", ask_filter},
    Questioning{"mss-not-clamped", ask_clamp},       Questioning{"icmp-filtered", ask_filter},
    Questioning{"fragments-dropped", ask_fragments}, Questioning{"fragment-mixup", ask_fragments},
};

}  // namespace

std::span<const Questioning> size_questions() { return kQuestions; }

}  // namespace slowpath::detect
