// SPDX-License-Identifier: Apache-2.0
// Text to quantities: a number, blanks, a unit out of a short table. Anything else is refused with
// a sentence that says what is accepted.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "base/format.h"
#include "base/result.h"
#include "base/time.h"

namespace slowpath {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

/// Takes a decimal number off the front, and blanks behind it. No sign, no "inf", no hexadecimal.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || (!is_digit(text.front()) && text.front() != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  text = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  return value;
}

/// Takes a prefix K, M, G, T or P, with i where binary; the step is 1000 or 1024 per prefix.
struct Prefix {
  int power = 0;
  bool binary = false;
};

Prefix take_prefix(std::string_view& text) {
  constexpr std::string_view kPrefixes = "kmgtp";
  if (text.empty()) return {};
  const char letter = text.front() >= 'A' && text.front() <= 'Z'
                          ? static_cast<char>(text.front() - 'A' + 'a')
                          : text.front();
  const std::size_t index = kPrefixes.find(letter);
  if (index == std::string_view::npos) return {};
  text.remove_prefix(1);
  Prefix prefix{.power = static_cast<int>(index) + 1, .binary = false};
  if (text.starts_with('i')) {
    prefix.binary = true;
    text.remove_prefix(1);
  }
  return prefix;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> names) {
  return std::ranges::find(names, text) != names.end();
}

std::unexpected<Error> refuse(std::string_view what, std::string_view text, std::string_view cause,
                              std::string_view hint) {
  return fail(ErrorKind::usage, "cannot read '" + std::string(text) + "' as " + std::string(what),
              std::string(cause), std::string(hint));
}

struct TimeUnit {
  std::string_view name;
  double seconds;
};

constexpr std::array<TimeUnit, 19> kTimeUnits{{
    {"ns", 1e-9},   {"us", 1e-6},   {"µs", 1e-6},    {"μs", 1e-6},   {"usec", 1e-6},
    {"ms", 1e-3},   {"msec", 1e-3}, {"s", 1},        {"sec", 1},     {"second", 1},
    {"seconds", 1}, {"m", 60},      {"min", 60},     {"minute", 60}, {"minutes", 60},
    {"h", 3600},    {"hour", 3600}, {"hours", 3600}, {"d", 86400},
}};

/// Takes the letters up to the next digit or blank as a unit; its length in seconds.
std::optional<double> take_time_unit(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_of("0123456789. \t"), text.size());
  const std::string_view name = text.substr(0, length);
  const auto* unit = std::ranges::find(kTimeUnits, name, &TimeUnit::name);
  if (unit == kTimeUnits.end()) return std::nullopt;
  text = trim(text.substr(length));
  return unit->seconds;
}

/// Takes exactly so many digits, at most nine.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  // 64 bits of nanoseconds end in April 2262; no capture is older than 1970.
  if (!date.ok() || *year < 1970 || *year > 2261) return std::nullopt;
  return std::chrono::sys_days{date};
}

/// Takes ".5" as 500 000 000 ns; nothing is zero; an empty or longer fraction is refused.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return Duration{0};
  const auto* const end = std::ranges::find_if_not(text, is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  if (count == 0 || count > 9) return std::nullopt;
  std::int64_t ns = *take_digits(text, count);
  for (std::size_t i = count; i < 9; ++i) ns *= 10;
  return Duration{ns};
}

std::optional<Duration> take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const Duration clock = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (!take(text, ':')) return clock;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return clock + std::chrono::seconds{*second} + *fraction;
}

}  // namespace

Result<double> parse_rate(std::string_view text) {
  constexpr std::string_view kWhat = "a rate";
  constexpr std::string_view kHint = "write it like 10M, 1.5Gbit/s or 12.5MB/s";
  static constexpr std::array<std::string_view, 6> kBits{"",       "bit", "bit/s",
                                                         "bits/s", "b/s", "bps"};
  static constexpr std::array<std::string_view, 2> kBytes{"B/s", "Bps"};
  std::string_view rest = trim(text);
  const auto number = take_number(rest);
  if (!number) return refuse(kWhat, text, "it does not begin with a number", kHint);
  const Prefix prefix = take_prefix(rest);
  const bool in_bytes = is_one_of(rest, kBytes);
  if (!in_bytes && !is_one_of(rest, kBits)) return refuse(kWhat, text, "unknown unit", kHint);
  const double unit_bits = in_bytes ? 8 : 1;
  const double rate = *number * std::pow(prefix.binary ? 1024 : 1000, prefix.power) * unit_bits;
  if (rate > 1e18) return refuse(kWhat, text, "it is larger than any rate here", kHint);
  return rate;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kWhat = "a size";
  constexpr std::string_view kHint = "write it like 1448, 64K, 1.5MiB (1024 each) or 10MB (1000)";
  static constexpr std::array<std::string_view, 4> kUnits{"", "B", "byte", "bytes"};
  std::string_view rest = trim(text);
  const auto number = take_number(rest);
  if (!number) return refuse(kWhat, text, "it does not begin with a number", kHint);
  const Prefix prefix = take_prefix(rest);
  if (!is_one_of(rest, kUnits)) return refuse(kWhat, text, "unknown unit", kHint);
  const bool decimal = !prefix.binary && rest == "B";
  const double bytes = std::round(*number * std::pow(decimal ? 1000 : 1024, prefix.power));
  if (bytes >= 0x1p63) return refuse(kWhat, text, "it is larger than any size here", kHint);
  return static_cast<std::uint64_t>(bytes);
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view kWhat = "a duration";
  constexpr std::string_view kHint = "write it like 250us, 20ms, 1.5s, 5m or 1h30m";
  std::string_view rest = trim(text);
  if (rest == "0") return Duration{0};
  double seconds = 0;
  do {
    const auto number = take_number(rest);
    if (!number) return refuse(kWhat, text, "a number is missing", kHint);
    const auto unit = take_time_unit(rest);
    if (!unit)
      return refuse(kWhat, text, rest.empty() ? "the unit is missing" : "unknown unit", kHint);
    seconds += *number * *unit;
  } while (!rest.empty());
  // 64 bits of nanoseconds hold 292 years.
  if (seconds > 9.2e9) return refuse(kWhat, text, "it is longer than 291 years", kHint);
  return Duration{std::llround(seconds * 1e9)};
}

Result<double> parse_share(std::string_view text) {
  constexpr std::string_view kWhat = "a share";
  constexpr std::string_view kHint = "write it like 0.1% or 0.001";
  std::string_view rest = trim(text);
  const auto number = take_number(rest);
  if (!number) return refuse(kWhat, text, "it does not begin with a number", kHint);
  if (!rest.empty() && rest != "%") return refuse(kWhat, text, "unknown unit", kHint);
  const double share = rest == "%" ? *number / 100 : *number;
  if (share > 1) return refuse(kWhat, text, "it is more than the whole", kHint);
  return share;
}

Result<Time> parse_time_utc(std::string_view text) {
  constexpr std::string_view kWhat = "a time";
  constexpr std::string_view kHint =
      "write it in UTC, like 2026-11-20T10:22:07.5Z or '2026-11-20 10:22'";
  std::string_view rest = trim(text);
  const auto date = take_date(rest);
  if (!date) return refuse(kWhat, text, "it does not begin with a date of 1970 to 2261", kHint);
  if (rest.empty()) return Time{*date};
  if (!take(rest, 'T') && !take(rest, ' '))
    return refuse(kWhat, text, "no time follows the date", kHint);
  const auto clock = take_clock(rest);
  if (!clock) return refuse(kWhat, text, "the time of day is not hh:mm[:ss[.fraction]]", kHint);
  rest = trim(rest);
  if (!rest.empty() && rest != "Z" && rest != "UTC") {
    return refuse(kWhat, text, "only Z or UTC may follow the time", kHint);
  }
  return Time{*date} + *clock;
}

}  // namespace slowpath
