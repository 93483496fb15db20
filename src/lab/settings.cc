// SPDX-License-Identifier: Apache-2.0
// Values of a scenario's tables read by unit, and what could not be read or was not asked for.
#include "lab/settings.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/format.h"

namespace slowpath::lab {

const std::string* Settings::find(const std::string& key) {
  asked_.insert(key);
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

void Settings::complain(const std::string& key, const std::string& why) {
  if (error_) return;
  error_ = Error{.kind = ErrorKind::usage,
                 .attempt = fmt::format("cannot use {} = \"{}\" of {}", key, values_[key], where_),
                 .cause = why,
                 .hint = {}};
}

std::string Settings::text(const std::string& key, std::string fallback) {
  const auto* value = find(key);
  return value ? *value : std::move(fallback);
}

std::string Settings::choice(const std::string& key, std::string fallback,
                             const std::vector<std::string>& choices) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (std::ranges::find(choices, *value) != choices.end()) return *value;
  complain(key, fmt::format("it is one of {}", fmt::join(choices, ", ")));
  return fallback;
}

bool Settings::flag(const std::string& key, bool fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (*value == "true") return true;
  if (*value != "false") complain(key, "it is true or false");
  return false;
}

std::int64_t Settings::number(const std::string& key, std::int64_t fallback, std::int64_t low,
                              std::int64_t high) {
  const auto* value = find(key);
  if (!value) return fallback;
  std::int64_t number = 0;
  const auto* end = value->data() + value->size();
  const auto [stop, code] = std::from_chars(value->data(), end, number);
  if (code == std::errc{} && stop == end && number >= low && number <= high) return number;
  complain(key, fmt::format("it is a whole number from {} to {}", low, high));
  return fallback;
}

Duration Settings::duration(const std::string& key, Duration fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (const auto parsed = parse_duration(*value)) return *parsed;
  complain(key, "it is a time, such as 20ms");
  return fallback;
}

std::uint64_t Settings::bytes(const std::string& key, std::uint64_t fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (const auto parsed = parse_size(*value)) return *parsed;
  complain(key, "it is a size, such as 64KiB");
  return fallback;
}

double Settings::rate_bps(const std::string& key, double fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (const auto parsed = parse_rate(*value)) return *parsed;
  complain(key, "it is a rate, such as 10Mbit/s");
  return fallback;
}

double Settings::share(const std::string& key, double fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (const auto parsed = parse_share(*value)) return *parsed;
  complain(key, "it is a share, such as 1%");
  return fallback;
}

Result<void> Settings::check() const {
  if (error_) return std::unexpected(*error_);
  for (const auto& [key, value] : values_) {
    if (asked_.contains(key)) continue;
    return fail(ErrorKind::usage, fmt::format("cannot use {} of {}", key, where_),
                "there is no such key", fmt::format("known are {}", fmt::join(asked_, ", ")));
  }
  return {};
}

}  // namespace slowpath::lab
