// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_clock.h"

namespace slowpath::capture {
namespace {

__extension__ using Wide = __int128;

constexpr std::uint64_t kNsPerS = 1'000'000'000;
// 10^19 is the last power of ten below 2^64.
constexpr int kMaxDecimalExponent = 19;
constexpr std::int64_t kMaxFastOffsetS =
    (std::int64_t{1} << 62) / static_cast<std::int64_t>(kNsPerS);

std::uint64_t power_of_ten(int exponent) {
  std::uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

}  // namespace

std::optional<PcapngClock> PcapngClock::make(std::uint8_t resolution, std::int64_t offset_s) {
  const int exponent = resolution & 0x7f;
  const bool is_binary = (resolution & 0x80) != 0;
  if (exponent > (is_binary ? 63 : kMaxDecimalExponent)) return std::nullopt;
  PcapngClock clock;
  clock.units_per_s_ = is_binary ? std::uint64_t{1} << exponent : power_of_ten(exponent);
  clock.offset_s_ = offset_s;
  if (kNsPerS % clock.units_per_s_ == 0 && offset_s <= kMaxFastOffsetS &&
      offset_s >= -kMaxFastOffsetS) {
    clock.ns_per_unit_ = kNsPerS / clock.units_per_s_;
    clock.offset_ns_ = offset_s * static_cast<std::int64_t>(kNsPerS);
    clock.fast_units_end_ = (std::uint64_t{1} << 62) / clock.ns_per_unit_;
  } else {
    clock.fast_units_end_ = 0;
    clock.ns_per_unit_ = 0;
    clock.offset_ns_ = 0;
  }
  return clock;
}

std::optional<Time> PcapngClock::to_time_exactly(std::uint64_t units) const {
  const Wide whole_s = Wide{units / units_per_s_} + offset_s_;
  const Wide fraction_ns = Wide{units % units_per_s_} * kNsPerS / units_per_s_;
  const Wide total_ns = whole_s * static_cast<std::int64_t>(kNsPerS) + fraction_ns;
  if (total_ns > INT64_MAX || total_ns < INT64_MIN) return std::nullopt;
  return time_from_ns(static_cast<std::int64_t>(total_ns));
}

}  // namespace slowpath::capture
