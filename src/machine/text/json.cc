// SPDX-License-Identifier: Apache-2.0
#include "machine/text/json.h"

#include <cmath>
#include <limits>

#include "base/json_text.h"

namespace slowpath::machine::text {
namespace {

constexpr int kMaxDepth = 32;  // ip and iperf3 nest six deep; a parser must not be led to recurse

/// Where the value ends that begins with the first line, by its brackets; 0 where it does not.
std::size_t lines_of_value(Lines lines) {
  int depth = 0;
  bool in_string = false, escaped = false;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    for (const char each : lines[at].text) {
      if (escaped) {
        escaped = false;
      } else if (in_string) {
        escaped = each == '\\';
        in_string = each != '"';
      } else if (each == '"') {
        in_string = true;
      } else if (each == '[' || each == '{') {
        if (++depth > kMaxDepth) return 0;
      } else if (each == ']' || each == '}') {
        if (--depth == 0) return at + 1;
      }
    }
    if (depth == 0) return 0;
  }
  return 0;
}

}  // namespace

std::optional<JsonText> json_of(Lines lines) {
  const std::size_t count = lines_of_value(lines);
  if (count == 0) return std::nullopt;
  std::string text;
  for (const Line& line : lines.first(count)) text.append(line.text).push_back('\n');
  auto value = parse_json(text);
  if (value.is_discarded()) return std::nullopt;
  return JsonText{std::move(value), count};
}

const nlohmann::json& member_at(const nlohmann::json& object, const char* key) {
  static const nlohmann::json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::optional<double> real_at(const nlohmann::json& object, const char* key) {
  const auto& member = member_at(object, key);
  if (!member.is_number()) return std::nullopt;
  const double value = member.get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> number32_at(const nlohmann::json& object, const char* key) {
  const auto value = real_at(object, key);
  if (!value || *value < 0 || *value > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*value);
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto& member = member_at(object, key);
  return member.is_string() ? member.get<std::string>() : std::string{};
}

}  // namespace slowpath::machine::text
