// SPDX-License-Identifier: Apache-2.0
#include "detect/inspection.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/host_rule.h"
#include "detect/host_support.h"

namespace slowpath::detect {
namespace {

bool is_for(const HostRule& rule, const MachineFacts& facts) {
  return !rule.platform || !facts.platform || rule.platform == facts.platform;
}

/// Behind the finding's own steps, what else the catalogue knows for this platform.
void add_catalogue_steps(const MachineFacts& facts, HostFinding& finding) {
  for (HostStep& step : catalogue_steps(finding.fault, facts, finding.interface)) {
    const bool is_there = std::ranges::any_of(
        finding.steps, [&](const HostStep& own) { return is_said_by(step.action, own.action); });
    if (!is_there) finding.steps.push_back(std::move(step));
  }
}

void ask(const HostFault& fault, const HostRule& rule, const Host& host, Inspection& inspection) {
  const std::size_t before = inspection.findings.size();
  const bool judged = rule.look(host, inspection.findings);
  inspection.rules.push_back({rule.name, fault.id, judged, rule.needs});
  for (std::size_t i = before; i < inspection.findings.size(); ++i) {
    HostFinding& finding = inspection.findings[i];
    finding.rule = rule.name;
    finding.fault = fault.id;
    finding.host = host.facts.name;
    add_catalogue_steps(host.facts, finding);
    const Fault* entry = find_fault(fault.id);
    if (entry != nullptr) finding.severity = std::min(finding.severity, entry->max_severity);
  }
}

/// The catalogue's order: what breaks data or stops it stands before what slows it at times.
std::size_t place_of(std::string_view fault) {
  const std::span<const Fault> faults = all_faults();
  return static_cast<std::size_t>(std::ranges::find(faults, fault, &Fault::id) - faults.begin());
}

bool comes_first(const HostFinding& a, const HostFinding& b) {
  if (a.severity != b.severity) return a.severity > b.severity;
  return place_of(a.fault) < place_of(b.fault);
}

std::size_t count(const Inspection& inspection, Severity severity) {
  return static_cast<std::size_t>(
      std::ranges::count(inspection.findings, severity, &HostFinding::severity));
}

std::string others(std::size_t more, std::string_view what) {
  if (more == 0) return {};
  return fmt::format(" {} more {}{}.", more, what, more == 1 ? "" : "s");
}

void conclude(Inspection& inspection) {
  const std::size_t faults = count(inspection, Severity::fault);
  const std::size_t suspects = count(inspection, Severity::suspect);
  const auto judged =
      static_cast<std::size_t>(std::ranges::count(inspection.rules, true, &HostRuleState::judged));
  if (faults > 0) {
    inspection.verdict = inspection.findings.front().fault;
    inspection.summary = inspection.findings.front().claim + "." + others(faults - 1, "fault") +
                         others(suspects, "suspect");
  } else if (suspects > 0) {
    inspection.verdict = "unclear";
    inspection.summary = inspection.findings.front().claim +
                         "; no counter proves that it cost anything." +
                         others(suspects - 1, "suspect");
  } else if (judged == 0) {
    inspection.verdict = "unclear";
    inspection.summary = "Nothing was read that a rule could judge.";
  } else {
    inspection.verdict = "healthy";
    inspection.summary = fmt::format("{} rules looked, and nothing is wrong.", judged);
  }
}

}  // namespace

Inspection inspect_host(const MachineFacts& facts, const PathAim& aim) {
  Inspection inspection;
  const Host host{facts, aim};
  for (const HostFault* fault : all_host_faults()) {
    for (const HostRule& rule : fault->rules) {
      if (is_for(rule, facts)) ask(*fault, rule, host, inspection);
    }
  }
  std::ranges::stable_sort(inspection.findings, comes_first);
  conclude(inspection);
  return inspection;
}

}  // namespace slowpath::detect
