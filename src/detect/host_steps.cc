// SPDX-License-Identifier: Apache-2.0
// Steps with their undo: this host's names and values in commands.
#include <algorithm>

#include <fmt/format.h>

#include "base/replace_word.h"
#include "detect/host_support.h"

namespace slowpath::detect {
namespace {

std::string fill(std::string_view text, std::string_view interface) {
  if (interface.empty()) return std::string(text);
  const bool is_spaced = interface.contains(' ');
  const std::string name = is_spaced ? fmt::format("'{}'", interface) : std::string(interface);
  std::string filled = replace_word(text, "DEV", name);
  filled = replace_word(filled, "NIC", name);
  return replace_word(filled, "LINK", name);
}

/// The setting that `sysctl -w KEY=VALUE` turns; empty for another command.
std::string_view sysctl_of(std::string_view action) {
  constexpr std::string_view kBegin = "sysctl -w ";
  if (!action.starts_with(kBegin)) return {};
  action.remove_prefix(kBegin.size());
  return action.substr(0, action.find('='));
}

/// Whether the sysctl that an action sets has that value already.
bool is_so(const MachineFacts& facts, std::string_view action) {
  const std::string_view key = sysctl_of(action);
  if (key.empty() || !is_read(facts, key)) return false;
  std::string_view value = action.substr(action.find('=') + 1);
  value = value.substr(0, value.find_first_of(",;"));
  return says(facts, key, value);
}

/// The undo with the value that is there now, in place of the advice to note it.
std::string undo_of(const MachineFacts& facts, std::string_view action, std::string undo) {
  const std::string_view key = sysctl_of(action);
  if (key.empty() || !is_read(facts, key) || !undo.contains("OLD")) return undo;
  undo.resize(std::min(undo.find("; note the old value"), undo.size()));
  return replace_word(undo, "OLD", value_of(facts, key));
}

}  // namespace

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

HostStep route_step(const RouteFacts& route, std::string_view metric, std::string_view now) {
  const bool is_default = route.destination.version == 0 || route.prefix_len == 0;
  const bool is_six =
      route.destination.version == 6 || (route.gateway && route.gateway->version == 6);
  std::string words = fmt::format(
      "ip{} route change {}", is_six ? " -6" : "",
      is_default ? "default"
                 : fmt::format("{}/{}", to_string(route.destination), route.prefix_len));
  if (route.gateway) words += " via " + to_string(*route.gateway);
  words += " dev " + route.interface;
  if (!route.table.empty() && route.table != "main") words += " table " + route.table;
  constexpr std::string_view kRest = ", with the route's other attributes as they are";
  return {Platform::linux, fmt::format("{} {}{}", words, metric, kRest),
          fmt::format("{} {}{}", words, now, kRest), "ip-route(8)"};
}

bool is_said_by(std::string_view general, std::string_view own) {
  if (general.starts_with(own)) return true;
  std::size_t open = general.size();
  for (const std::string_view blank : {"NEW", "N", "MIN"}) {
    for (std::size_t at = general.find(blank); at != general.npos;
         at = general.find(blank, at + 1)) {
      const std::size_t end = at + blank.size();
      const bool is_alone = (at == 0 || !is_word_char(general[at - 1])) &&
                            (end == general.size() || !is_word_char(general[end]));
      if (is_alone) open = std::min(open, at);
    }
  }
  return open > 0 && open != general.size() && own.starts_with(general.substr(0, open));
}

std::vector<HostStep> catalogue_steps(std::string_view fault, const MachineFacts& facts,
                                      std::string_view interface) {
  std::vector<HostStep> steps;
  const Fault* entry = find_fault(fault);
  if (entry == nullptr) return steps;
  for (const RemedyStep& remedy : entry->remedies) {
    if (remedy.platform != platform_of(facts) && remedy.platform != Platform::any) continue;
    if (is_so(facts, remedy.action)) continue;
    steps.push_back(
        {remedy.platform, fill(remedy.action, interface),
         undo_of(facts, remedy.action, fill(remedy.undo, interface)), std::string(remedy.source),
         remedy.check_first,
         remedy.where == Role::both_ends ? std::string_view{} : to_string(remedy.where)});
  }
  std::ranges::stable_partition(steps,
                                [](const HostStep& step) { return step.undo != kNothingToUndo; });
  return steps;
}

}  // namespace slowpath::detect
