// SPDX-License-Identifier: Apache-2.0
#include "detect/host_support.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>

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

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// `word` becomes `value` where it stands alone.
std::string replace_word(std::string_view text, std::string_view word, std::string_view value) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at + word.size();
    const bool is_alone = text.substr(at).starts_with(word) &&
                          (at == 0 || !is_word_char(text[at - 1])) &&
                          (end == text.size() || !is_word_char(text[end]));
    if (is_alone) {
      result += value;
      at = end;
    } else {
      result += text[at++];
    }
  }
  return result;
}

std::string fill(std::string_view text, std::string_view interface) {
  if (interface.empty()) return std::string(text);
  const bool is_spaced = interface.contains(' ');
  const std::string name = is_spaced ? fmt::format("'{}'", interface) : std::string(interface);
  std::string filled = replace_word(text, "DEV", name);
  filled = replace_word(filled, "NIC", name);
  return replace_word(filled, "LINK", name);
}

/// How counters of a host, and statistics of an interface, are told.
struct Source {
  const std::map<std::string, double>& rates;
  bool has_interval;
  std::optional<double> (*value)(const void* from, const std::string& key);
  HostEvidence (*evidence)(const void* from, const std::string& key);
  const void* from;
};

double rate_of(const Source& source, const std::string& key) {
  const auto found = source.rates.find(key);
  return found == source.rates.end() ? 0 : found->second;
}

Toll toll_from(const Source& source, const Measure& measure) {
  Toll toll;
  double of_per_s = 0;
  bool base_read = measure.of.empty();
  for (const std::string_view name : measure.of) {
    const std::string key(name);
    const auto value = source.value(source.from, key);
    base_read = base_read || value.has_value();
    toll.of += value.value_or(0);
    of_per_s += rate_of(source, key);
  }
  for (const std::string_view name : measure.events) {
    const std::string key(name);
    const auto value = source.value(source.from, key);
    if (!value) continue;
    toll.read = base_read;
    toll.events += *value;
    toll.per_s += rate_of(source, key);
    if (*value > 0) {
      toll.evidence.push_back(source.evidence(source.from, key));
      toll.evidence.back().values.emplace_back("count", *value);
    }
  }
  if (!toll.read) return toll;
  toll.share = toll.of > 0 ? std::min(1.0, toll.events / toll.of) : 0;
  const bool is_many = toll.events >= measure.least_count && toll.share >= measure.least_share;
  const bool is_now = toll.per_s >= measure.proven_per_s &&
                      (measure.of.empty() || toll.per_s >= measure.least_share * of_per_s);
  if (is_many) toll.severity = measure.many;
  if (is_now || (is_many && toll.share >= measure.proven_share)) toll.severity = Severity::fault;
  toll.text = format_count(static_cast<std::uint64_t>(toll.events));
  if (!measure.of.empty() && toll.of > 0) {
    toll.text += fmt::format(" of {} ({})", format_count(static_cast<std::uint64_t>(toll.of)),
                             format_percent(toll.share));
  }
  if (source.has_interval) toll.text += fmt::format(", {:.1f} a second now", toll.per_s);
  return toll;
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
    if (error != std::errc{}) return {};
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

HostStep sysctl_step(const MachineFacts& facts, std::string_view key, const std::string& value) {
  const Told<std::string>* now = find_setting(facts, std::string(key));
  const auto assignment = [&key](const std::string& to) {
    return to.contains(' ') ? fmt::format("sysctl -w {}='{}'", key, to)
                            : fmt::format("sysctl -w {}={}", key, to);
  };
  return {Platform::linux, assignment(value), assignment(now == nullptr ? "OLD" : now->value),
          "kernel ip-sysctl.rst"};
}

HostStep feature_step(const InterfaceFacts& interface, std::string_view word, bool on) {
  return {Platform::linux,
          fmt::format("ethtool -K {} {} {}", interface.name, word, on ? "on" : "off"),
          fmt::format("ethtool -K {} {} {}", interface.name, word, on ? "off" : "on"),
          fmt::format("ethtool(8), -K {}", word)};
}

std::vector<HostStep> catalogue_steps(std::string_view fault, const MachineFacts& facts,
                                      std::string_view interface, std::string_view first) {
  std::vector<HostStep> steps;
  const Fault* entry = find_fault(fault);
  if (entry == nullptr) return steps;
  for (const RemedyStep& remedy : entry->remedies) {
    if (remedy.platform != platform_of(facts) && remedy.platform != Platform::any) continue;
    steps.push_back({remedy.platform, fill(remedy.action, interface), fill(remedy.undo, interface),
                     std::string(remedy.source), remedy.check_first});
  }
  std::ranges::stable_partition(steps,
                                [](const HostStep& step) { return step.undo != kNothingToUndo; });
  if (!first.empty()) {
    std::ranges::stable_partition(
        steps, [&](const HostStep& step) { return step.action.starts_with(first); });
  }
  return steps;
}

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

Toll toll_of(const MachineFacts& facts, const Measure& measure) {
  const Source source{facts.counter_rates, facts.interval_s.has_value(),
                      [](const void* from, const std::string& key) -> std::optional<double> {
                        const auto* told =
                            find_counter(*static_cast<const MachineFacts*>(from), key);
                        if (told == nullptr) return std::nullopt;
                        return static_cast<double>(told->value);
                      },
                      [](const void* from, const std::string& key) {
                        return counted(*static_cast<const MachineFacts*>(from), key);
                      },
                      &facts};
  return toll_from(source, measure);
}

Toll toll_of(const MachineFacts& facts, const InterfaceFacts& interface, const Measure& measure) {
  const Source source{
      interface.statistic_rates, facts.interval_s.has_value(),
      [](const void* from, const std::string& key) -> std::optional<double> {
        const auto& statistics = static_cast<const InterfaceFacts*>(from)->statistics;
        const auto found = statistics.find(key);
        if (found == statistics.end()) return std::nullopt;
        return static_cast<double>(found->second);
      },
      [](const void* from, const std::string& key) {
        const auto& owner = *static_cast<const InterfaceFacts*>(from);
        return seen_on(owner, fmt::format("{} = {}", key, format_count(owner.statistics.at(key))),
                       EvidenceKind::counter);
      },
      &interface};
  return toll_from(source, measure);
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

namespace {

HostFinding finding_of(const Toll& toll, const CounterRule& rule) {
  return {.severity = std::min(*toll.severity, rule.most),
          .claim = fmt::format("{}: {}", rule.claim, toll.text),
          .value = toll.text,
          .expected = "almost none",
          .why = std::string(rule.why),
          .cost = std::string(rule.cost),
          .evidence = toll.evidence};
}

}  // namespace

bool judge_counters(const Host& host, const CounterRule& rule, std::vector<HostFinding>& found) {
  const Toll toll = toll_of(host.facts, rule.measure);
  if (toll.severity) found.push_back(finding_of(toll, rule));
  return toll.read;
}

bool judge_statistics(const Host& host, const CounterRule& rule, std::vector<HostFinding>& found) {
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface)) continue;
    const Toll toll = toll_of(host.facts, interface, rule.measure);
    is_judged = is_judged || toll.read;
    if (!toll.severity) continue;
    HostFinding finding = finding_of(toll, rule);
    finding.claim = fmt::format("{}: {}", interface.name, finding.claim);
    finding.interface = interface.name;
    found.push_back(std::move(finding));
  }
  return is_judged;
}

}  // namespace slowpath::detect
