// SPDX-License-Identifier: Apache-2.0
#include "detect/host_changes.h"

#include <algorithm>
#include <set>

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
  const bool are_lists = !before.listed_interfaces.empty() && !after.listed_interfaces.empty();
  for (const auto& [name, values] : before.interfaces) {
    if (after.interfaces.contains(name)) {
      ++changes.compared;
    } else if (are_lists && before.listed_interfaces.contains(name)) {
      changes.values.push_back({"interface " + name, "there", ""});
      ++changes.compared;
    } else {
      ++changes.only_before;
    }
  }
  for (const auto& [name, values] : after.interfaces) {
    if (before.interfaces.contains(name)) continue;
    if (are_lists && after.listed_interfaces.contains(name)) {
      changes.values.push_back({"interface " + name, "", "there"});
      ++changes.compared;
    } else {
      ++changes.only_after;
    }
  }
  for (const auto& [name, values] : before.interfaces) {
    const auto now = after.interfaces.find(name);
    if (now != after.interfaces.end()) compare(values, now->second, name + " ", changes);
  }
}

/// List by list: another family, or another table, may not have been asked for.
void compare_routes(const HostValues& before, const HostValues& after, HostChanges& changes) {
  static const Values kNone;
  std::set<std::string> lists;
  for (const HostValues* values : {&before, &after}) {
    for (const auto& [list, routes] : values->routes) lists.insert(list);
  }
  const auto routes_in = [](const HostValues& values, const std::string& list) -> const Values& {
    const auto found = values.routes.find(list);
    return found == values.routes.end() ? kNone : found->second;
  };
  for (const std::string& list : lists)
    compare_list(routes_in(before, list), routes_in(after, list), "route ", changes);
}

/// Of each finding of two readings the one in the other that says the same; nullptr: none does.
struct Pairs {
  std::vector<const HostFinding*> of_before, of_after;
};

/// A rule may find several things on one interface. Those that say the same word for word belong
/// together; of the rest, where a count may have grown, the first belongs to the first.
Pairs pairs_of(const std::vector<HostFinding>& before, const std::vector<HostFinding>& after) {
  Pairs pairs{std::vector<const HostFinding*>(before.size()),
              std::vector<const HostFinding*>(after.size())};
  for (const bool to_the_word : {true, false}) {
    for (std::size_t now = 0; now < after.size(); ++now) {
      for (std::size_t then = 0; then < before.size() && pairs.of_after[now] == nullptr; ++then) {
        const HostFinding &was = before[then], &is = after[now];
        if (pairs.of_before[then] != nullptr || was.rule != is.rule ||
            was.interface != is.interface || (to_the_word && was.claim != is.claim))
          continue;
        pairs.of_before[then] = &is;
        pairs.of_after[now] = &was;
      }
    }
  }
  return pairs;
}

/// Whether the rule of a finding had what it needs.
bool has_judged(const Inspection& inspection, const HostFinding& finding) {
  return std::ranges::any_of(inspection.rules, [&](const HostRuleState& state) {
    return state.rule == finding.rule && state.judged;
  });
}

void compare_findings(const Inspection& before, const Inspection& after, HostChanges& changes) {
  const Pairs pairs = pairs_of(before.findings, after.findings);
  for (std::size_t i = 0; i < after.findings.size(); ++i) {
    const HostFinding& finding = after.findings[i];
    const HostFinding* earlier = pairs.of_after[i];
    if (earlier != nullptr && earlier->severity == finding.severity) continue;
    if (!has_judged(before, finding)) {
      ++changes.unjudged;
      continue;
    }
    changes.findings.push_back({finding,
                                earlier == nullptr ? "" : std::string(to_string(earlier->severity)),
                                std::string(to_string(finding.severity))});
  }
  for (std::size_t i = 0; i < before.findings.size(); ++i) {
    const HostFinding& finding = before.findings[i];
    if (pairs.of_before[i] != nullptr) continue;
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
  compare_routes(was, is, changes);
  compare_list(was.packages, is.packages, "package ", changes);
  compare_findings(before.inspection, after.inspection, changes);
  return changes;
}

}  // namespace slowpath::detect
