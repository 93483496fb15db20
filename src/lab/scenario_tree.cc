// SPDX-License-Identifier: Apache-2.0
// TOML by toml++, turned into our own tree: nothing else here includes that library, which is slow
// to compile.
#include "lab/scenario_tree.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/tomlplusplus.h"

namespace slowpath::lab {
namespace {

/// Turns what toml++ read into a Node; the first thing that has no place in one is kept.
class Converter {
 public:
  Node convert(const toml::node& from) {
    Node to{.line = from.source().begin.line};
    if (const auto* table = from.as_table()) {
      convert_fields(*table, to);
    } else if (const auto* array = from.as_array()) {
      to.kind = Node::Kind::array;
      for (const auto& item : *array) to.items.push_back(convert(item));
    } else {
      to.kind = Node::Kind::value;
      to.text = text_of(from);
    }
    return to;
  }
  /// Line of the first date or time; 0 if there is none.
  [[nodiscard]] std::uint32_t refused_line() const { return refused_line_; }

 private:
  /// toml++ sorts keys by name; a person wrote them in an order.
  void convert_fields(const toml::table& table, Node& to) {
    struct Field {
      toml::source_position at;
      std::string key;
      Node node;
    };
    std::vector<Field> fields;
    for (const auto& [key, value] : table) {
      fields.push_back({key.source().begin, std::string(key.str()), convert(value)});
    }
    std::ranges::stable_sort(fields, [](const Field& a, const Field& b) { return a.at < b.at; });
    for (auto& field : fields) {
      if (field.node.line == 0) field.node.line = field.at.line;
      to.fields.emplace_back(std::move(field.key), std::move(field.node));
    }
  }

  std::string text_of(const toml::node& from) {
    if (const auto* text = from.as_string()) return text->get();
    if (const auto* number = from.as_integer()) return fmt::to_string(number->get());
    if (const auto* number = from.as_floating_point()) return fmt::to_string(number->get());
    if (const auto* flag = from.as_boolean()) return flag->get() ? "true" : "false";
    if (refused_line_ == 0) refused_line_ = from.source().begin.line;
    return {};
  }

  std::uint32_t refused_line_ = 0;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(fields, key, &std::pair<std::string, Node>::first);
  return found == fields.end() ? nullptr : &found->second;
}

Node* Node::find(std::string_view key) {
  const auto found = std::ranges::find(fields, key, &std::pair<std::string, Node>::first);
  return found == fields.end() ? nullptr : &found->second;
}

Node& Node::make(std::string_view key, std::uint32_t line_if_new) {
  if (auto* node = find(key)) return *node;
  fields.emplace_back(std::string(key), Node{.line = line_if_new});
  return fields.back().second;
}

Result<Node> parse_scenario_tree(std::string_view name, std::string_view toml) {
  const auto parsed = toml::parse(toml);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail_at(name, error.source().begin.line, std::string(error.description()));
  }
  Converter converter;
  auto root = converter.convert(parsed.table());
  if (converter.refused_line() != 0) {
    return fail_at(name, converter.refused_line(), "no key has a date or time of day",
                   "write a duration as text, such as \"20ms\"");
  }
  return root;
}

std::unexpected<Error> fail_at(std::string_view name, std::uint32_t line, std::string cause,
                               std::string hint) {
  auto attempt = fmt::format("cannot read scenario {}", name);
  if (line != 0) attempt += fmt::format(", line {}", line);
  return fail(ErrorKind::usage, std::move(attempt), std::move(cause), std::move(hint));
}

std::string suggest(std::string_view typed, const std::vector<std::string_view>& known) {
  const std::string meant = did_you_mean(typed, known);
  return meant.empty() ? fmt::format("there are {}", fmt::join(known, ", ")) : meant;
}

}  // namespace slowpath::lab
