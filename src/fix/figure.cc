// SPDX-License-Identifier: Apache-2.0
#include "fix/figure.h"

#include <cctype>
#include <charconv>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/json_text.h"

namespace slowpath::fix {
namespace {

using Json = nlohmann::json;

/// What `slowpath test --json` says (docs/slowpath.test.v1.schema.json).
std::optional<Figure> figure_of_test(const Json& json) {
  const auto items = [](const Json& of, const char* key) {
    const auto found = of.is_object() ? of.find(key) : of.end();
    return found != of.end() && found->is_array() ? *found : Json::array();
  };
  std::optional<Figure> slowest;
  bool wrong = false;
  for (const Json& run : items(json, "runs")) {
    for (const Json& flow : items(run, "flows")) {
      const Json::json_pointer differing("/integrity/differing_bytes");
      wrong |= flow.contains(differing) && flow.at(differing).is_number() &&
               flow.at(differing).get<double>() > 0;
      const Json::json_pointer rate("/goodput_bps");
      if (!flow.contains(rate) || !flow.at(rate).is_number()) continue;
      const double value = flow.at(rate).get<double>();
      if (!slowest || value < slowest->value) slowest = Figure{value, true, false};
    }
  }
  if (slowest) slowest->bytes_wrong = wrong;
  return slowest;
}

std::optional<double> rate_in_json(const Json& json) {
  for (const char* pointer :
       {"/end/sum_received/bits_per_second", "/end/sum/bits_per_second", "/goodput_bps"}) {
    const Json::json_pointer at(pointer);
    if (json.contains(at) && json.at(at).is_number()) return json.at(at).get<double>();
  }
  return std::nullopt;
}

bool is_part_of_number(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.';
}

/// The number that ends before `end`, with where it begins; "1.5e+03" too.
struct Number {
  double value = 0;
  std::size_t begin = 0;
};
std::optional<Number> number_before(std::string_view text, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && is_part_of_number(text[begin - 1])) --begin;
  if (begin == end) return std::nullopt;
  if (begin >= 3 && (text[begin - 1] == '+' || text[begin - 1] == '-') &&
      (text[begin - 2] == 'e' || text[begin - 2] == 'E') && is_part_of_number(text[begin - 3])) {
    begin -= 2;
    while (begin > 0 && is_part_of_number(text[begin - 1])) --begin;
  }
  Number number{0, begin};
  const auto [rest, code] = std::from_chars(text.data() + begin, text.data() + end, number.value);
  if (code != std::errc() || rest != text.data() + end) return std::nullopt;
  return number;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// What the unit that begins at `at` makes of one: 1e6 for "Mbit/s", 8 * 1024 for "KiB/s".
std::optional<double> factor_of(std::string_view text) {
  double factor = 1;
  constexpr std::string_view kPrefixes = "KMGT";
  if (!text.empty()) {
    const std::size_t power =
        kPrefixes.find(static_cast<char>(std::toupper(static_cast<unsigned char>(text.front()))));
    if (power != std::string_view::npos) {
      text.remove_prefix(1);
      const bool binary = text.starts_with('i');
      if (binary) text.remove_prefix(1);
      for (std::size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
    }
  }
  for (const std::string_view bytes : {"Bytes/s", "bytes/s", "Byte/s", "B/s"}) {
    if (text.starts_with(bytes)) return factor * 8;
  }
  for (const std::string_view bits : {"bits/s", "bit/s", "bps", "b/s"}) {
    if (text.starts_with(bits)) return factor;
  }
  return std::nullopt;
}

/// The last rate of one line.
std::optional<double> rate_in_line(std::string_view line) {
  std::optional<double> rate;
  for (std::size_t end = 1; end <= line.size(); ++end) {
    if (!is_part_of_number(line[end - 1]) || (end < line.size() && is_part_of_number(line[end])))
      continue;
    std::size_t unit = end;
    if (unit < line.size() && line[unit] == ' ') ++unit;
    const std::optional<double> factor = factor_of(line.substr(unit));
    const std::optional<Number> number = number_before(line, end);
    if (factor && number) rate = number->value * *factor;
  }
  return rate;
}

std::optional<double> last_number_in(std::string_view output) {
  const std::size_t last = output.find_last_of("0123456789");
  if (last == std::string_view::npos) return std::nullopt;
  const std::optional<Number> number = number_before(output, last + 1);
  return number ? std::optional(number->value) : std::nullopt;
}

}  // namespace

std::optional<double> last_rate_in(std::string_view output) {
  std::optional<double> rate, received;
  for (const std::string_view line : lines_of(output)) {
    const std::optional<double> of_line = rate_in_line(line);
    if (!of_line) continue;
    rate = of_line;
    if (line.ends_with("receiver")) received = of_line;
  }
  return received ? received : rate;
}

std::optional<Figure> figure_in(const std::string& output) {
  const auto as = [](std::optional<double> value, bool is_rate) {
    return value ? std::optional(Figure{*value, is_rate, false}) : std::nullopt;
  };
  const std::size_t brace = output.find('{');
  if (brace != std::string::npos) {
    const Json json = parse_json(std::string_view(output).substr(brace));
    const std::optional<Figure> tested = figure_of_test(json);
    if (!json.is_discarded()) return tested ? tested : as(rate_in_json(json), true);
  }
  if (const std::optional<double> rate = last_rate_in(output)) return as(rate, true);
  return as(last_number_in(output), false);
}

}  // namespace slowpath::fix
