// SPDX-License-Identifier: Apache-2.0
#include "lab/scenario_parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "lab/table_reader.h"

namespace slowpath::lab {
namespace {

struct Quantity {
  double number = 0;
  std::string unit;
};

std::optional<Quantity> split_quantity(std::string_view text) {
  Quantity quantity;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, quantity.number);
  if (code != std::errc{} || quantity.number < 0) return std::nullopt;
  quantity.unit = std::string(stop, end);
  return quantity;
}

/// How many of `small` make one of `large`: 1000 of "us" and "ms". None where they are units of
/// different quantities.
std::optional<double> unit_ratio(const std::string& small, const std::string& large) {
  if (small == large) return 1;
  // A large number keeps what rounds to whole bytes or nanoseconds exact.
  const auto a = "1000" + small, b = "1000" + large;
  if (const auto x = parse_duration(a), y = parse_duration(b); x && y) {
    return to_seconds(*y) / to_seconds(*x);
  }
  if (const auto x = parse_size(a), y = parse_size(b); x && y) {
    return static_cast<double>(*y) / static_cast<double>(*x);
  }
  if (const auto x = parse_rate(a), y = parse_rate(b); x && y) return *y / *x;
  return std::nullopt;
}

std::string three_digits(double value) {
  const int magnitude = value > 0 ? static_cast<int>(std::floor(std::log10(value))) : 0;
  auto text = fmt::format("{:.{}f}", value, std::max(0, 2 - magnitude));
  if (text.contains('.')) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::size_t name_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_name(text.substr(length, 1))) ++length;
  return length;
}

/// One entry of [parameters]: a value, or a table with how it may be drawn.
class ParameterReader {
 public:
  ParameterReader(std::string_view scenario, const std::string& name, const Node& node)
      : scenario_(scenario),
        node_(node),
        reader_(scenario, node.is_table() ? &node : nullptr, fmt::format("parameter {}", name)) {
    parameter_.name = name;
  }

  Result<Parameter> read(Random* draw) {
    if (!is_name(parameter_.name)) {
      return fail_at(scenario_, node_.line,
                     fmt::format("\"{}\" cannot be a parameter's name", parameter_.name),
                     "letters a to z, digits and _ can");
    }
    if (node_.is_value()) {
      parameter_.value = node_.text;
      return parameter_;
    }
    read_table();
    if (const auto read = reader_.finish(); !read) return std::unexpected(read.error());
    if (const auto drawn = draw_value(draw); !drawn) {
      const auto& error = drawn.error();
      return fail_at(
          scenario_, node_.line,
          fmt::format("parameter {} {}: {}", parameter_.name, error.attempt, error.cause));
    }
    return parameter_;
  }

 private:
  void read_table() {
    parameter_.value = reader_.required("value");
    const auto bounds = reader_.list("draw");
    if (bounds.size() == 2) {
      parameter_.low = bounds[0];
      parameter_.high = bounds[1];
    } else if (!bounds.empty()) {
      reader_.complain("draw", "draw is a list of two values");
    }
    parameter_.choices = reader_.list("choices");
    if (!bounds.empty() && !parameter_.choices.empty()) {
      reader_.complain("choices", "a parameter has either draw or choices");
    }
    const auto scale = reader_.text("scale", "logarithmic");
    parameter_.logarithmic = scale != "linear";
    if (scale != "linear" && scale != "logarithmic") {
      reader_.complain("scale", fmt::format("scale \"{}\" is not logarithmic or linear", scale));
    }
  }

  Result<void> draw_value(Random* draw) {
    // Bounds are checked even where nothing is drawn.
    Random unused{1};
    auto& random = draw == nullptr ? unused : *draw;
    if (!parameter_.low.empty()) {
      auto drawn = draw_between(parameter_.low, parameter_.high, parameter_.logarithmic, random);
      if (!drawn) return std::unexpected(drawn.error());
      if (draw != nullptr) parameter_.value = std::move(*drawn);
    } else if (!parameter_.choices.empty()) {
      const auto& choice = parameter_.choices[random.below(parameter_.choices.size())];
      if (draw != nullptr) parameter_.value = choice;
    }
    return {};
  }

  std::string_view scenario_;
  const Node& node_;
  TableReader reader_;
  Parameter parameter_;
};

/// Puts parameters into all values of a tree.
class Substitution {
 public:
  Substitution(std::string_view scenario, const std::vector<Parameter>& parameters)
      : scenario_(scenario), parameters_(parameters) {}

  Result<void> apply(Node& node) {
    if (node.is_value()) return apply_to_value(node);
    for (auto& [key, field] : node.fields) {
      if (const auto done = apply(field); !done) return done;
    }
    for (auto& item : node.items) {
      if (const auto done = apply(item); !done) return done;
    }
    return {};
  }
  [[nodiscard]] bool was_used(const std::string& name) const { return used_.contains(name); }

 private:
  Result<void> apply_to_value(Node& node) {
    std::string text;
    std::string_view rest = node.text;
    for (auto dollar = rest.find('$'); dollar != std::string_view::npos; dollar = rest.find('$')) {
      text += rest.substr(0, dollar);
      rest.remove_prefix(dollar + 1);
      if (rest.starts_with('$')) {
        text += '$';
        rest.remove_prefix(1);
        continue;
      }
      const auto name = rest.substr(0, name_length(rest));
      const auto found = std::ranges::find(parameters_, name, &Parameter::name);
      if (found == parameters_.end()) {
        return fail_at(scenario_, node.line, fmt::format("there is no parameter \"${}\"", name),
                       "a dollar itself is written $$");
      }
      used_.insert(found->name);
      text += found->value;
      rest.remove_prefix(name.size());
    }
    node.text = text + std::string(rest);
    return {};
  }

  std::string_view scenario_;
  const std::vector<Parameter>& parameters_;
  std::set<std::string> used_;
};

}  // namespace

Result<std::string> draw_between(std::string_view low, std::string_view high, bool logarithmic,
                                 Random& random) {
  const auto attempt = fmt::format("cannot be drawn between {} and {}", low, high);
  auto a = split_quantity(low), b = split_quantity(high);
  if (!a || !b) return fail(ErrorKind::usage, attempt, "a bound begins with a number");
  if (a->number == 0 && a->unit.empty()) a->unit = b->unit;
  const auto ratio = unit_ratio(a->unit, b->unit);
  if (!ratio) return fail(ErrorKind::usage, attempt, "the bounds have units that do not agree");
  const double from = a->number, to = b->number * *ratio;  // both in the low bound's unit
  if (!(from < to)) return fail(ErrorKind::usage, attempt, "the first bound is the lower one");
  if (logarithmic && from <= 0) {
    return fail(ErrorKind::usage, attempt,
                "a logarithmic scale has no zero: write scale = \"linear\"");
  }
  const double drawn = logarithmic ? random.log_uniform(from, to) : random.uniform(from, to);
  const auto is_whole = [](std::string_view bound) {
    return bound.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const bool whole = is_whole(low) && is_whole(high);
  const bool in_high_unit = drawn >= *ratio;
  const double shown = in_high_unit ? drawn / *ratio : drawn;
  const auto digits = whole ? fmt::format("{:.0f}", shown) : three_digits(shown);
  // Rounding must not leave the bounds.
  const double rounded = std::strtod(digits.c_str(), nullptr) * (in_high_unit ? *ratio : 1);
  if (rounded <= from) return std::string(low);
  if (rounded >= to) return std::string(high);
  return digits + (in_high_unit ? b->unit : a->unit);
}

Result<std::vector<Parameter>> read_parameters(std::string_view scenario, const Node* table,
                                               const std::map<std::string, std::string>& overrides,
                                               Random* draw) {
  std::vector<Parameter> parameters;
  if (table != nullptr && !table->is_table()) {
    return fail_at(scenario, table->line, "[parameters] is a table");
  }
  if (table != nullptr) {
    for (const auto& [name, node] : table->fields) {
      auto parameter = ParameterReader{scenario, name, node}.read(draw);
      if (!parameter) return std::unexpected(parameter.error());
      parameters.push_back(std::move(*parameter));
    }
  }
  for (const auto& [name, value] : overrides) {
    const auto found = std::ranges::find(parameters, name, &Parameter::name);
    if (found != parameters.end()) {
      found->value = value;
      continue;
    }
    std::vector<std::string_view> names;
    for (const auto& parameter : parameters) names.push_back(parameter.name);
    return fail(
        ErrorKind::usage, fmt::format("cannot set {}={}", name, value),
        fmt::format("scenario {} has no such parameter", scenario),
        names.empty() ? "it has none at all" : fmt::format("it has {}", fmt::join(names, ", ")));
  }
  return parameters;
}

Result<void> substitute_parameters(std::string_view scenario,
                                   const std::vector<Parameter>& parameters, Node& root) {
  Substitution substitution{scenario, parameters};
  for (auto& [key, node] : root.fields) {
    if (key == "parameters") continue;
    if (const auto done = substitution.apply(node); !done) return done;
  }
  for (const auto& parameter : parameters) {
    if (substitution.was_used(parameter.name)) continue;
    return fail_at(scenario, root.find("parameters")->find(parameter.name)->line,
                   fmt::format("parameter {} is used nowhere", parameter.name),
                   fmt::format("write \"${}\" where it belongs", parameter.name));
  }
  return {};
}

}  // namespace slowpath::lab
