// SPDX-License-Identifier: Apache-2.0
// Counters against what they are a part of: a few of most events are normal.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect {
namespace {

/// How counters of a host, and statistics of an interface, are told.
struct Source {
  const std::map<std::string, double>& rates;
  bool has_interval;
  std::optional<double> (*value)(const void* from, const std::string& key);
  HostEvidence (*evidence)(const void* from, const std::string& key);
  const void* from;
};

Toll toll_from(const Source& source, const Measure& measure) {
  Toll toll;
  double of_per_s = 0;
  bool base_read = measure.of.empty();
  for (const std::string_view name : measure.of) {
    const std::string key(name);
    const auto value = source.value(source.from, key);
    base_read = base_read || value.has_value();
    toll.of += value.value_or(0);
    of_per_s += value_at(source.rates, key);
  }
  for (const std::string_view name : measure.events) {
    const std::string key(name);
    const auto value = source.value(source.from, key);
    if (!value) continue;
    toll.read = base_read;
    toll.events += *value;
    toll.per_s += value_at(source.rates, key);
    if (*value > 0) {
      toll.evidence.push_back(source.evidence(source.from, key));
      toll.evidence.back().values.add("count", *value);
    }
  }
  if (!toll.read) return toll;
  toll.share = toll.of > 0 ? std::min(1.0, toll.events / toll.of) : 0;
  const bool is_many = toll.events >= measure.least_count && toll.share >= measure.least_share;
  const bool is_now = toll.per_s >= measure.proven_per_s &&
                      (measure.of.empty() || toll.per_s >= measure.least_share * of_per_s);
  // What was counted once and rests now is no proof that it costs now.
  const bool rests = source.has_interval && toll.per_s <= 0;
  if (is_many) toll.severity = measure.many;
  if (is_now || (is_many && !rests && toll.share >= measure.proven_share))
    toll.severity = Severity::fault;
  toll.text = whole(toll.events);
  if (!measure.of.empty() && toll.of > 0) {
    toll.text += fmt::format(" of {} ({})", whole(toll.of), format_percent(toll.share));
  }
  if (source.has_interval) toll.text += fmt::format(", {:.1f} a second now", toll.per_s);
  return toll;
}

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
