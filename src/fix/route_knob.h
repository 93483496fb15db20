// SPDX-License-Identifier: Apache-2.0
// Knobs of routes: one metric of one route in the main table, by rtnetlink(7).
//
// The item is METRIC@DESTINATION: mtu, advmss, initcwnd, initrwnd, window, rto_min (milliseconds)
// or quickack; "default", "default6", an address or a prefix. The value is a number, "1400 lock"
// where path MTU discovery shall not change it, "none" where the route has no such metric, and
// "absent" where there is no such route. Turning the metric of an absent route to a single host
// makes one: a copy of the route that packets to it take, with a protocol number of its own.
// Turning it to "absent" takes only such a route away, or what systemd-networkd made of its drop-in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

inline constexpr std::string_view kNoMetric = "none", kNoRoute = "absent", kLockSuffix = " lock";

/// The protocol (rtm_protocol) of routes that are made here; free for any program (rtnetlink(7)).
inline constexpr unsigned char kRouteProtocol = 83;

/// Errors: environment; usage for routes of several next hops, and for those that expire.
Result<std::string> read_route(const Knob& knob);
/// Errors: as read_route(); usage where the value is no number, or a route would have to be made
/// that cannot be.
Result<void> write_route(const Knob& knob, const std::string& value);

}  // namespace slowpath::fix
