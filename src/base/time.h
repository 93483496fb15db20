// SPDX-License-Identifier: Apache-2.0
// Instants and durations with nanosecond resolution. No clock is read here: times come from captures.
#pragma once

#include <chrono>
#include <cstdint>

namespace slowpath {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::sys_time<Duration>;  // UTC

inline constexpr double to_seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }
inline constexpr double to_microseconds(Duration d) { return static_cast<double>(d.count()) * 1e-3; }
inline constexpr Duration from_seconds(double s) { return Duration{static_cast<std::int64_t>(s * 1e9)}; }
inline constexpr Time time_from_ns(std::int64_t ns) { return Time{Duration{ns}}; }
inline constexpr std::int64_t to_ns(Time t) { return t.time_since_epoch().count(); }

}  // namespace slowpath
