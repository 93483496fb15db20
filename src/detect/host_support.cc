// SPDX-License-Identifier: Apache-2.0
// Values of a host and of its interfaces.
#include "detect/host_support.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/format.h"

namespace slowpath::detect {
namespace {

constexpr double kNearRtt_s = 0.03;
constexpr double kFarRtt_s = 0.1;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) ==
           std::tolower(static_cast<unsigned char>(right));
  });
}

}  // namespace

std::optional<std::int64_t> number_of(const MachineFacts& facts, std::string_view key) {
  const Told<std::string>* told = find_setting(facts, std::string(key));
  if (told == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = told->value.data() + told->value.size();
  const auto [last, error] = std::from_chars(told->value.data(), end, value);
  if (error != std::errc{} || last != end) return std::nullopt;
  return value;
}

std::vector<double> numbers_of(const MachineFacts& facts, std::string_view key) {
  std::vector<double> numbers;
  const Told<std::string>* told = find_setting(facts, std::string(key));
  if (told == nullptr) return numbers;
  std::string_view rest = told->value;
  while (!rest.empty()) {
    double value = 0;
    const auto [last, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    constexpr double kMost = 1e15;
    if (error != std::errc{} || !(std::abs(value) < kMost)) return {};
    numbers.push_back(value);
    rest.remove_prefix(static_cast<std::size_t>(last - rest.data()));
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  }
  return numbers;
}

bool says(const MachineFacts& facts, std::string_view key, std::string_view word) {
  const Told<std::string>* told = find_setting(facts, std::string(key));
  return told != nullptr && same_ignoring_case(told->value, word);
}

bool is_read(const MachineFacts& facts, std::string_view key) {
  return find_setting(facts, std::string(key)) != nullptr;
}

std::uint64_t count_of(const MachineFacts& facts, std::string_view key) {
  const Told<std::uint64_t>* told = find_counter(facts, std::string(key));
  return told == nullptr ? 0 : told->value;
}

const std::string& value_of(const MachineFacts& facts, std::string_view key) {
  const Told<std::string>* told = find_setting(facts, std::string(key));
  SLOWPATH_ASSERT(told != nullptr);
  return told->value;
}

bool is_counted(const MachineFacts& facts, std::string_view key) {
  return find_counter(facts, std::string(key)) != nullptr;
}

std::string whole(double count) {
  constexpr double kMost = 1e18;
  return format_count(static_cast<std::uint64_t>(std::clamp(count, 0.0, kMost)));
}

HostEvidence shown(const MachineFacts& facts, std::string_view key) {
  const Told<std::string>* told = find_setting(facts, std::string(key));
  SLOWPATH_ASSERT(told != nullptr);
  return {EvidenceKind::setting, fmt::format("{} = {}", key, told->value), told->origin.where};
}

HostEvidence counted(const MachineFacts& facts, std::string_view key) {
  const Told<std::uint64_t>* told = find_counter(facts, std::string(key));
  SLOWPATH_ASSERT(told != nullptr);
  return {EvidenceKind::counter, fmt::format("{} = {}", key, format_count(told->value)),
          told->origin.where};
}

HostEvidence seen_on(const InterfaceFacts& interface, std::string text, EvidenceKind kind) {
  return {kind, fmt::format("{}: {}", interface.name, text), interface.origin.where};
}

bool forwards(const MachineFacts& facts) {
  if (number_of(facts, "net.ipv4.ip_forward").value_or(0) == 1 ||
      number_of(facts, "net.ipv6.conf.all.forwarding").value_or(0) == 1 ||
      says(facts, "ipadm.ipv4.forwarding", "on"))
    return true;
  return false;
}

bool is_in_use(const InterfaceFacts& interface) {
  return interface.up.value_or(true) && interface.carrier.value_or(true);
}

bool is_nic(const InterfaceFacts& interface) {
  // Where the kind was not told, the driver tells.
  constexpr std::string_view kSoftware[] = {"tun",     "veth",        "bridge",
                                            "bonding", "dummy",       "802.1Q VLAN Support",
                                            "macvlan", "openvswitch", "wireguard"};
  return interface.kind.empty() && interface.name != "lo" &&
         !interface.name.starts_with("Loopback") &&
         std::ranges::find(kSoftware, std::string_view(interface.driver)) == std::end(kSoftware);
}

bool is_on(const InterfaceFacts& interface, const std::string& feature) {
  const auto found = interface.features.find(feature);
  return found != interface.features.end() && found->second.on;
}

bool is_switched_off(const InterfaceFacts& interface, const std::string& feature) {
  const auto found = interface.features.find(feature);
  return found != interface.features.end() && !found->second.on && !found->second.fixed &&
         !found->second.requested.value_or(false);
}

bool is_virtual_machine(const MachineFacts& facts) { return !facts.virtualization.empty(); }

Platform platform_of(const MachineFacts& facts) { return facts.platform.value_or(Platform::linux); }

std::string window_cost(double window_bytes, const PathAim& aim) {
  const auto rate_at = [window_bytes](double rtt_s) { return window_bytes * 8 / rtt_s; };
  if (aim.rtt_s && *aim.rtt_s > 0) {
    return fmt::format("a connection gets at most {} at {}", format_rate(rate_at(*aim.rtt_s)),
                       format_duration(*aim.rtt_s));
  }
  return fmt::format("a connection gets at most {} at {} and {} at {}",
                     format_rate(rate_at(kNearRtt_s)), format_duration(kNearRtt_s),
                     format_rate(rate_at(kFarRtt_s)), format_duration(kFarRtt_s));
}

LimitedSockets limited_sockets(const MachineFacts& facts,
                               std::optional<double> SocketFacts::* waited_s, double least_share) {
  constexpr double kLeastBusy_s = 1;
  LimitedSockets limited;
  std::size_t count = 0;
  double most_s = 0;
  for (const SocketFacts& socket : facts.sockets) {
    limited.is_told = limited.is_told || socket.busy_s.has_value();
    const double waited = (socket.*waited_s).value_or(0);
    if (socket.busy_s.value_or(0) < kLeastBusy_s || waited < least_share * *socket.busy_s) continue;
    ++count;
    if (waited <= most_s) continue;
    most_s = waited;
    limited.worst = &socket;
  }
  if (limited.worst == nullptr) return limited;
  const SocketFacts& worst = *limited.worst;
  limited.share = most_s / *worst.busy_s;
  limited.value = format_duration(most_s);
  limited.cost = fmt::format("{} of {}", limited.value, format_duration(*worst.busy_s));
  limited.who_waits = count == 1
                          ? fmt::format("the connection to {} waits", to_string(worst.remote))
                          : fmt::format("{} connections, most of all that to {}, wait", count,
                                        to_string(worst.remote));
  limited.evidence = {
      EvidenceKind::counter,
      fmt::format("{} to {}: busy {}, limited {}", to_string(worst.local), to_string(worst.remote),
                  format_duration(*worst.busy_s), limited.value),
      worst.origin.where,
      {{"limited_s", most_s}, {"busy_s", *worst.busy_s}}};
  return limited;
}

bool judge_setting(const Host& host, const SettingRule& rule, std::vector<HostFinding>& found) {
  const std::string_view key = rule.key;
  if (!is_read(host.facts, key)) return false;
  if (!says(host.facts, key, rule.bad)) return true;
  HostFinding finding{.severity = rule.severity,
                      .claim = std::string(rule.claim),
                      .value = value_of(host.facts, key),
                      .expected = std::string(rule.expected),
                      .why = std::string(rule.why),
                      .cost = std::string(rule.cost)};
  finding.evidence.push_back(shown(host.facts, key));
  if (key.starts_with("net.") && platform_of(host.facts) == Platform::linux)
    finding.steps.push_back(sysctl_step(host.facts, key, finding.expected));
  found.push_back(std::move(finding));
  return true;
}

}  // namespace slowpath::detect
