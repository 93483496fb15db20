// SPDX-License-Identifier: Apache-2.0
#include "detect/host_changes.h"

#include <algorithm>

#include "detect/host_values.h"

namespace slowpath::detect {
namespace {

using Values = std::map<std::string, std::string>;

/// Of values that not every reading tells.
void compare(const Values& before, const Values& after, const std::string& prefix,
             HostChanges& changes) {
  std::size_t both = 0;
  for (const auto& [name, was] : before) {
    const auto is = after.find(name);
    if (is == after.end()) continue;
    ++both;
    if (is->second != was) changes.values.push_back({prefix + name, was, is->second});
  }
  changes.compared += both;
  changes.only_before += before.size() - both;
  changes.only_after += after.size() - both;
}

/// Of whole lists: what is in one of them only has gone or come.
void compare_list(const Values& before, const Values& after, const std::string& prefix,
                  HostChanges& changes) {
  if (before.empty() || after.empty()) {
    changes.only_before += before.size();
    changes.only_after += after.size();
    return;
  }
  for (const auto& [name, was] : before) {
    const auto is = after.find(name);
    const std::string now = is == after.end() ? "" : is->second;
    if (now != was) changes.values.push_back({prefix + name, was, now});
  }
  for (const auto& [name, is] : after) {
    if (!before.contains(name)) changes.values.push_back({prefix + name, "", is});
  }
  changes.compared += std::max(before.size(), after.size());
}

void compare_interfaces(const HostValues& before, const HostValues& after, HostChanges& changes) {
  Values was, is;
  for (const auto& [name, values] : before.interfaces) was[name] = "there";
  for (const auto& [name, values] : after.interfaces) is[name] = "there";
  compare_list(was, is, "interface ", changes);
  for (const auto& [name, values] : before.interfaces) {
    const auto now = after.interfaces.find(name);
    if (now != after.interfaces.end()) compare(values, now->second, name + " ", changes);
  }
}

const HostFinding* same_in(const Inspection& inspection, const HostFinding& finding) {
  const auto found = std::ranges::find_if(inspection.findings, [&](const HostFinding& other) {
    return other.rule == finding.rule && other.interface == finding.interface;
  });
  return found == inspection.findings.end() ? nullptr : &*found;
}

/// Whether the rule of a finding had what it needs.
bool has_judged(const Inspection& inspection, const HostFinding& finding) {
  return std::ranges::any_of(inspection.rules, [&](const HostRuleState& state) {
    return state.rule == finding.rule && state.judged;
  });
}

void compare_findings(const Inspection& before, const Inspection& after, HostChanges& changes) {
  for (const HostFinding& finding : after.findings) {
    const HostFinding* earlier = same_in(before, finding);
    if (earlier != nullptr && earlier->severity == finding.severity) continue;
    if (!has_judged(before, finding)) {
      ++changes.unjudged;
      continue;
    }
    changes.findings.push_back({finding,
                                earlier == nullptr ? "" : std::string(to_string(earlier->severity)),
                                std::string(to_string(finding.severity))});
  }
  for (const HostFinding& finding : before.findings) {
    if (same_in(after, finding) != nullptr) continue;
    if (has_judged(after, finding)) {
      changes.findings.push_back({finding, std::string(to_string(finding.severity)), ""});
    } else {
      ++changes.unjudged;
    }
  }
}

}  // namespace

HostChanges changes_between(const HostReading& before, const HostReading& after) {
  const HostValues was = values_of(before.facts), is = values_of(after.facts);
  HostChanges changes;
  compare(was.host, is.host, "", changes);
  compare(was.settings, is.settings, "", changes);
  compare_interfaces(was, is, changes);
  compare_list(was.routes, is.routes, "route ", changes);
  compare_list(was.packages, is.packages, "package ", changes);
  compare_findings(before.inspection, after.inspection, changes);
  return changes;
}

}  // namespace slowpath::detect
