// SPDX-License-Identifier: Apache-2.0
// ip(8)'s route commands, and the knobs that they turn.
#include <optional>

#include <fmt/format.h>

#include "fix/command_words.h"
#include "fix/route_item.h"
#include "fix/route_knob.h"

namespace slowpath::fix {
namespace {

/// `ip route change|replace DESTINATION [via GATEWAY] dev DEV METRIC [lock] VALUE`, in words.
struct RouteWords {
  std::string destination, gateway, interface, metric, value;
};
std::optional<RouteWords> route_words(const CommandWords& words) {
  if (!begins_with(words, {"ip", "route", "change"}) &&
      !begins_with(words, {"ip", "route", "replace"}))
    return std::nullopt;
  if (words.size() < 8) return std::nullopt;
  RouteWords route;
  route.destination = words[3];
  std::size_t at = 4;
  if (words[at] == "via") {
    route.gateway = words[at + 1];
    at += 2;
  }
  if (at + 4 > words.size() || words[at] != "dev") return std::nullopt;
  route.interface = words[at + 1];
  route.metric = words[at + 2];
  at += 3;
  const bool locked = words[at] == "lock";
  if (locked) ++at;
  if (at + 1 != words.size() || find_route_metric(route.metric) == nullptr) return std::nullopt;
  route.value = words[at];
  // ip(8) takes rto_min with a unit; the kernel has milliseconds.
  if (route.metric == "rto_min" && route.value.ends_with("ms"))
    route.value.resize(route.value.size() - 2);
  if (locked || is_locked_always(route.metric, route.value)) route.value += kLockSuffix;
  return route;
}

}  // namespace

/// A least retransmission timeout counts only where it is locked (tcp_rto_min() of Linux); ip(8)
/// locks it without being told.
bool is_locked_always(std::string_view metric, std::string_view value) {
  return metric == "rto_min" && !value.empty() &&
         value.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_route_command(const CommandWords& words) { return route_words(words).has_value(); }

Result<std::vector<Change>> route_changes(const CommandWords& words, std::string_view command,
                                          Kernel& kernel) {
  const std::optional<RouteWords> route = route_words(words);
  if (!route)
    return not_ours(command,
                    "one metric a step: ip route change DESTINATION [via GATEWAY] dev DEV "
                    "mtu|advmss|initcwnd|initrwnd|window|rto_min|quickack [lock] N");
  const std::string to = destination_of(route->destination);
  if (to.empty())
    return not_ours(command, fmt::format("'{}' is no destination", route->destination));
  if (!route->gateway.empty()) {
    // Another gateway would be another change.
    const Result<std::string> now =
        kernel.read({KnobKind::route, route->interface, fmt::format("{}@{}", kGatewayWord, to)});
    if (!now) return std::unexpected(now.error());
    if (*now != route->gateway)
      return not_ours(command, fmt::format("packets to there go by gateway {}", *now));
  }
  return std::vector<Change>{
      {{KnobKind::route, route->interface, fmt::format("{}@{}", route->metric, to)}, route->value}};
}

}  // namespace slowpath::fix
