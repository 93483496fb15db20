// SPDX-License-Identifier: Apache-2.0
#include "detect/testimony/testimony.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "detect/policy.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

constexpr double kMostConfidence = 0.99;

const MachineFacts* host_with(const Case& facts, const IpAddress& address) {
  const auto found = std::ranges::find(facts.host_addresses, address, &HostAddress::address);
  if (found == facts.host_addresses.end() || found->host >= facts.hosts.size()) return nullptr;
  return &facts.hosts[found->host];
}

bool is_within(const IpAddress& address, const RouteFacts& route) {
  if (route.destination.version == 0) return true;
  if (route.destination.version != address.version) return false;
  for (std::size_t bit = 0; bit < route.prefix_len && bit < 128; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((address.bytes[bit / 8] ^ route.destination.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

/// By its address, by the route to the peer, or because there is no other.
const InterfaceFacts* interface_of(const MachineFacts& machine, const IpAddress& own,
                                   const IpAddress& peer) {
  const InterfaceFacts* only = nullptr;
  std::size_t candidates = 0;
  for (const InterfaceFacts& interface : machine.interfaces) {
    if (std::ranges::find(interface.addresses, own) != interface.addresses.end()) return &interface;
    if (interface.kind == "loopback" || interface.name == "lo") continue;
    ++candidates;
    only = &interface;
  }
  const RouteFacts* route = route_to(machine, peer);
  if (const auto* routed = route == nullptr ? nullptr : find_interface(machine, route->interface))
    return routed;
  return candidates == 1 ? only : nullptr;
}

Witness witness_of(const Case& facts, const Endpoint& own, const Endpoint& peer) {
  Witness witness;
  witness.machine = host_with(facts, own.address);
  if (witness.machine == nullptr) return witness;
  witness.interface = interface_of(*witness.machine, own.address, peer.address);
  for (const SocketFacts& socket : witness.machine->sockets) {
    if (socket.local == own && socket.remote == peer) witness.socket = &socket;
  }
  return witness;
}

bool forwards(const MachineFacts& machine) {
  return value_of(machine, "net.ipv4.ip_forward") == "1" ||
         value_of(machine, "net.ipv6.conf.all.forwarding") == "1";
}

std::optional<Transfer> transfer_about(const Case& facts, const Finding& finding) {
  if (finding.connections.empty()) return std::nullopt;
  const ConnectionFacts* connection = find_connection(facts, finding.connections.front());
  if (connection == nullptr) return std::nullopt;
  const bool to_client = connection->directions[1].bytes > connection->directions[0].bytes;
  return Transfer{
      facts, *connection,
      finding.direction.value_or(to_client ? Direction::to_client : Direction::to_server)};
}

void take(Testimony said, const Transfer& transfer, Finding& finding) {
  switch (said.word) {
    case Word::confirms:
      finding.confidence += std::max(0.0, kMostConfidence - finding.confidence) * said.weight;
      if (said.proves && finding.severity == Severity::suspect &&
          is_material(finding.seconds_lost, transfer)) {
        finding.severity = Severity::fault;
        finding.next_capture.clear();
      }
      break;
    case Word::refutes:
      finding.confidence *= 1 - said.weight;
      if (said.weight < kDecides) break;
      finding.claim += "; but " + said.evidence.text;
      if (finding.severity == Severity::suspect) finding.severity = Severity::note;
      if (finding.severity == Severity::fault) finding.severity = Severity::suspect;
      break;
    case Word::explains:
      break;
  }
  if (!said.becomes.empty()) finding.fault = said.becomes;
  finding.evidence.push_back(std::move(said.evidence));
}

void add(CounterSum& sum, const std::string& name, std::uint64_t value) {
  ++sum.read;
  sum.sum += value;
  if (value == 0) return;
  sum.told += fmt::format("{}{} {}", sum.told.empty() ? "" : ", ", name, value);
  sum.values.add(name, static_cast<double>(value));
}

constexpr std::array kTables{offload_questions, window_questions, loss_questions,
                             connection_questions, size_questions};

Testimonies hear(const Hearing& hearing) {
  Testimonies said;
  for (const auto table : kTables) {
    for (const Questioning& questioning : table()) {
      if (questioning.fault == hearing.finding.fault) questioning.ask(hearing, said);
    }
  }
  return said;
}

}  // namespace

void hear_hosts(const Case& facts, std::vector<Finding>& findings) {
  if (facts.hosts.empty()) return;
  for (Finding& finding : findings) {
    const std::optional<Transfer> transfer = transfer_about(facts, finding);
    if (!transfer) continue;
    Hearing hearing{finding,
                    *transfer,
                    witness_of(facts, transfer->sender(), transfer->receiver()),
                    witness_of(facts, transfer->receiver(), transfer->sender()),
                    {}};
    for (const MachineFacts& machine : facts.hosts) {
      const bool is_end =
          &machine == hearing.sender.machine || &machine == hearing.receiver.machine;
      if (!is_end && forwards(machine)) hearing.forwarders.push_back(&machine);
    }
    for (Testimony& testimony : hear(hearing)) take(std::move(testimony), *transfer, finding);
  }
}

std::string name_of(const MachineFacts& machine) {
  return machine.name.empty() ? "the host" : machine.name;
}

const RouteFacts* route_to(const MachineFacts& machine, const IpAddress& peer) {
  const RouteFacts* best = nullptr;
  for (const RouteFacts& route : machine.routes) {
    const bool counts = !route.is_exception && !route.interface.empty() &&
                        (route.table.empty() || route.table == "main");
    if (!counts || !is_within(peer, route)) continue;
    const bool preferred = best == nullptr || route.prefix_len > best->prefix_len ||
                           (route.prefix_len == best->prefix_len &&
                            route.metric.value_or(0) < best->metric.value_or(0));
    if (preferred) best = &route;
  }
  return best;
}

Testimony confirms(double weight, Evidence evidence) {
  return {.word = Word::confirms, .weight = weight, .evidence = std::move(evidence)};
}
Testimony refutes(double weight, Evidence evidence) {
  return {.word = Word::refutes, .weight = weight, .evidence = std::move(evidence)};
}
Testimony explains(Evidence evidence) {
  return {.word = Word::explains, .weight = 0, .evidence = std::move(evidence)};
}

Evidence setting(std::string text, Figures values) {
  return {EvidenceKind::setting, std::move(text), {}, std::move(values)};
}
Evidence counter(std::string text, Figures values) {
  return {EvidenceKind::counter, std::move(text), {}, std::move(values)};
}

std::string_view value_of(const MachineFacts& machine, const std::string& key) {
  const Told<std::string>* told = find_setting(machine, key);
  return told == nullptr ? std::string_view() : std::string_view(told->value);
}

std::optional<double> number_of(const MachineFacts& machine, const std::string& key,
                                std::size_t place) {
  std::string_view text = value_of(machine, key);
  for (; place > 0; --place) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    text.remove_prefix(space + 1);
  }
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

CounterSum sum_of(const MachineFacts& machine, std::span<const std::string_view> counters) {
  CounterSum sum;
  for (const std::string_view name : counters) {
    const Told<std::uint64_t>* told = find_counter(machine, std::string(name));
    if (told != nullptr) add(sum, std::string(name), told->value);
  }
  return sum;
}

CounterSum sum_of(const InterfaceFacts& interface, std::span<const std::string_view> parts) {
  CounterSum sum;
  for (const auto& [name, value] : interface.statistics) {
    const bool wanted = std::ranges::any_of(
        parts, [&](std::string_view part) { return name.find(part) != std::string::npos; });
    if (wanted) add(sum, name, value);
  }
  return sum;
}

}  // namespace slowpath::detect
