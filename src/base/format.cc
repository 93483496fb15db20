// SPDX-License-Identifier: Apache-2.0
// Quantities to text; parsing is in format_parse.cc.
#include "base/format.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/time.h"

namespace slowpath {
namespace {

/// The text of a value that has no digits.
std::optional<std::string> format_special(double value) {
  if (std::isnan(value)) return "unknown";
  if (std::isinf(value)) return value > 0 ? "unlimited" : "-unlimited";
  return std::nullopt;
}

/// Decimals that leave three significant digits of a magnitude below 1000.
int decimals_for_three_digits(double magnitude) {
  if (magnitude >= 99.95) return 0;
  return magnitude >= 9.995 ? 1 : 2;
}

std::string trim_zeros(std::string digits) {
  if (!digits.contains('.')) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

/// Three significant digits without trailing zeros.
std::string three_digits(double value) {
  return trim_zeros(fmt::format("{:.{}f}", value, decimals_for_three_digits(std::abs(value))));
}

/// 59.96 s would be printed as "60 s": minutes begin where seconds round up to sixty.
constexpr double kMinutesFromSeconds = 59.95;

/// "2 min 5 s", "2 min".
std::string format_pair(std::uint64_t large, std::string_view large_unit, std::uint64_t small,
                        std::string_view small_unit) {
  std::string text = fmt::format("{} {}", format_count(large), large_unit);
  if (small > 0) text += fmt::format(" {} {}", small, small_unit);
  return text;
}

std::string format_long_duration(double seconds) {
  constexpr double kLargest = 9.0e18;
  if (seconds > kLargest) return "unlimited";
  const auto s = static_cast<std::uint64_t>(std::llround(seconds));
  if (s < 3600) return format_pair(s / 60, "min", s % 60, "s");
  const std::uint64_t minutes = (s + 30) / 60;
  if (minutes < std::uint64_t{24} * 60) return format_pair(minutes / 60, "h", minutes % 60, "min");
  const std::uint64_t hours = (s + 1800) / 3600;
  return format_pair(hours / 24, "d", hours % 24, "h");
}

std::string format_short_duration(double seconds) {
  struct Unit {
    double seconds;
    std::string_view name;
  };
  // A unit is taken from where its three digits would not be "1000" of the next smaller one.
  static constexpr std::array<Unit, 4> kUnits{{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}}};
  for (const Unit& unit : kUnits) {
    if (seconds >= unit.seconds * 0.9995 || unit.name == "ns") {
      return fmt::format("{} {}", three_digits(seconds / unit.seconds), unit.name);
    }
  }
  return "0 s";
}

}  // namespace

std::string format_rate(double bits_per_second) {
  if (auto special = format_special(bits_per_second)) return *special;
  static constexpr std::array<std::string_view, 6> kPrefixes{"", "k", "M", "G", "T", "P"};
  double value = bits_per_second;
  std::size_t prefix = 0;
  while (std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const std::string digits = three_digits(value);
  return fmt::format("{} {}bit/s", digits == "-0" ? "0" : digits, kPrefixes.at(prefix));
}

std::string format_bytes(double bytes) {
  if (auto special = format_special(bytes)) return *special;
  if (bytes < 0) return "-" + format_bytes(-bytes);
  static constexpr std::array<std::string_view, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr double kStaysBytesBelow = 10000;
  if (bytes < kStaysBytesBelow && (std::fmod(bytes, 1024) != 0 || bytes < 1024)) {
    return fmt::format("{:.0f} B", bytes);
  }
  double value = bytes;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const int decimals = std::floor(value) == value ? 0 : decimals_for_three_digits(value);
  return fmt::format("{:.{}f} {}", value, decimals, kUnits.at(unit));
}

std::string format_duration(double seconds) {
  if (auto special = format_special(seconds)) return *special;
  if (seconds < 0) return "-" + format_duration(-seconds);
  // Half a nanosecond is less than any clock here tells.
  if (seconds < 0.5e-9) return "0 s";
  return seconds >= kMinutesFromSeconds ? format_long_duration(seconds)
                                        : format_short_duration(seconds);
}

std::string format_duration(Duration duration) { return format_duration(to_seconds(duration)); }

std::string format_count(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  // Four digits stay together (ISO 80000-1, 7.3.1): 1514 is known by its shape.
  if (text.size() < 5) return text;
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ' ');
  }
  return text;
}

std::string format_percent(double share) {
  if (auto special = format_special(share)) return *special;
  if (share < 0) return "-" + format_percent(-share);
  const double percent = share * 100;
  if (percent == 0) return "0 %";
  if (percent < 0.1) return fmt::format("{:.2g} %", percent);
  if (percent < 100 && percent >= 99.95) return "> 99.9 %";
  return trim_zeros(fmt::format("{:.1f}", percent)) + " %";
}

std::string format_time_utc(Time time) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{floor<std::chrono::milliseconds>(time - day)};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string format_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

}  // namespace slowpath
