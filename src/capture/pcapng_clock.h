// SPDX-License-Identifier: Apache-2.0
// The clock of a pcapng interface: units of time since 1970 to nanoseconds (if_tsresol,
// if_tsoffset).
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace slowpath::capture {

/// How an interface counts time. Plain values; cheap to copy.
class PcapngClock {
 public:
  /// The default: microseconds, no offset.
  PcapngClock() = default;
  /// `resolution` is if_tsresol: with the top bit clear a power of ten, else a power of two,
  /// negated. Nothing when it is finer than a 64-bit count of units could express for a second.
  static std::optional<PcapngClock> make(std::uint8_t resolution, std::int64_t offset_s);

  /// Nothing when the instant lies outside what Time can hold (the years 1677 to 2262).
  [[nodiscard]] std::optional<Time> to_time(std::uint64_t units) const {
    if (units < fast_units_end_) [[likely]] {
      return time_from_ns(static_cast<std::int64_t>(units * ns_per_unit_) + offset_ns_);
    }
    return to_time_exactly(units);
  }

 private:
  [[nodiscard]] std::optional<Time> to_time_exactly(std::uint64_t units) const;

  std::uint64_t units_per_s_ = 1'000'000;
  std::int64_t offset_s_ = 0;
  // The fast way: whole nanoseconds in a unit, and an offset within the years 1824 to 2116.
  std::uint64_t ns_per_unit_ = 1000;
  std::int64_t offset_ns_ = 0;
  std::uint64_t fast_units_end_ = (std::uint64_t{1} << 62) / 1000;
};

}  // namespace slowpath::capture
