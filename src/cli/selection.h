// SPDX-License-Identifier: Apache-2.0
// What part of a capture to look at: --from, --to and --connection, as typed and as applied.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "facts/address.h"
#include "facts/case.h"
#include "facts/connection.h"

namespace slowpath::cli {

/// An instant, or a distance from the capture's first packet.
using TimeBound = std::variant<Time, Duration>;

/// "12.5" (seconds), "250ms", "1m30s", or UTC as parse_time_utc takes it.
Result<TimeBound> parse_time_bound(std::string_view text);

/// A half-open stretch of time.
struct TimeWindow {
  std::optional<TimeBound> from, to;
};

/// The same with the distances resolved.
struct AbsoluteWindow {
  Time begin = Time::min();
  Time end = Time::max();

  [[nodiscard]] bool contains(Time time) const { return begin <= time && time < end; }
  [[nodiscard]] bool is_everything() const { return begin == Time::min() && end == Time::max(); }
};
AbsoluteWindow resolve(const TimeWindow& window, Time capture_start);

/// One connection by its number, or by its ends in either order.
struct Ends {
  Endpoint a, b;
};
using ConnectionChoice = std::variant<std::uint32_t, Ends>;

/// "7", "10.0.0.1:5001-10.0.0.2:80", "[2001:db8::1]:5001-[2001:db8::2]:80".
Result<ConnectionChoice> parse_connection(std::string_view text);

/// Whether this is the one.
bool matches(const ConnectionChoice& choice, const ConnectionFacts& connection);

/// Leaves only the chosen connections and the paths they take; ids stay as they are. False where
/// there is none.
bool keep_connection(Case& facts, const ConnectionChoice& choice);

}  // namespace slowpath::cli
