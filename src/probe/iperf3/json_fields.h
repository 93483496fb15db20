// SPDX-License-Identifier: Apache-2.0
// Values of a JSON object whose types nobody can be trusted with. A value that is absent or has
// another type is nothing.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace slowpath::probe::iperf3 {

using Json = nlohmann::ordered_json;

inline std::optional<double> number_at(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_number()) return std::nullopt;
  const double value = at->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

/// cJSON writes whole numbers as doubles where they are large.
inline std::optional<std::uint64_t> count_at(const Json& json, const char* key) {
  const std::optional<double> value = number_at(json, key);
  constexpr double kMost = 9.2e18;
  if (!value || *value < 0 || *value > kMost) return std::nullopt;
  const auto at = json.find(key);
  return at->is_number_unsigned() ? at->get<std::uint64_t>() : static_cast<std::uint64_t>(*value);
}

/// true, or a number that is not 0: cJSON writes either.
inline bool flag_at(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end()) return false;
  if (at->is_boolean()) return at->get<bool>();
  return number_at(json, key).value_or(0) != 0;
}

inline std::string text_at(const Json& json, const char* key, std::size_t most) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_string()) return {};
  return at->get_ref<const std::string&>().substr(0, most);
}

}  // namespace slowpath::probe::iperf3
