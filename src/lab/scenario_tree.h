// SPDX-License-Identifier: Apache-2.0
// A scenario's text as a plain tree that knows its lines, apart from the library that reads TOML.
// Parameters are put into it and tables merged in it before anything is understood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace slowpath::lab {

/// A table, an array or a value. Values are kept as text: 5001 is "5001", true is "true".
struct Node {
  enum class Kind : std::uint8_t { table, array, value };

  Kind kind = Kind::table;
  std::uint32_t line = 0;                              // 1-based; 0: not from a file
  std::string text{};                                  // of a value
  std::vector<std::pair<std::string, Node>> fields{};  // of a table, in the file's order
  std::vector<Node> items{};                           // of an array

  [[nodiscard]] bool is_table() const { return kind == Kind::table; }
  [[nodiscard]] bool is_array() const { return kind == Kind::array; }
  [[nodiscard]] bool is_value() const { return kind == Kind::value; }
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  /// The field of this key, made as an empty table if it was not there.
  Node& make(std::string_view key, std::uint32_t line_if_new);
};

/// Reads TOML 1.0. Errors: usage, with the line. Dates and times are refused: nothing here has one.
Result<Node> parse_scenario_tree(std::string_view name, std::string_view toml);

/// An Error of a line: "cannot read scenario NAME, line 12: CAUSE; HINT".
std::unexpected<Error> fail_at(std::string_view name, std::uint32_t line, std::string cause,
                               std::string hint = {});

/// "did you mean 'rate'?", or what there is where nothing is near.
std::string suggest(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace slowpath::lab
