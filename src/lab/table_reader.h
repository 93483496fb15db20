// SPDX-License-Identifier: Apache-2.0
// Reads one table of a scenario key by key. The first mistake is kept, with its line; a key that
// nobody asked for is one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/scenario_tree.h"

namespace slowpath::lab {

class TableReader {
 public:
  /// `table` must outlive the reader; null reads as an empty table. `where` is for messages:
  /// "[path]".
  TableReader(std::string_view scenario, const Node* table, std::string where);

  [[nodiscard]] bool has(std::string_view key) const;
  /// Line of a key, or of the table where it is missing.
  [[nodiscard]] std::uint32_t line_of(std::string_view key) const;

  std::string text(std::string_view key, std::string fallback = {});
  /// As text(), but missing or empty is a mistake.
  std::string required(std::string_view key);
  bool flag(std::string_view key, bool fallback = false);
  std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t low,
                      std::int64_t high);
  double ratio(std::string_view key, double fallback = 0);  // "10", "1.5"; not negative
  std::uint64_t bytes(std::string_view key, std::uint64_t fallback = 0);
  double rate_bps(std::string_view key, double fallback = 0);
  Duration duration(std::string_view key, Duration fallback = Duration{0});
  /// An array of values; a single value stands for an array of one.
  std::vector<std::string> list(std::string_view key);
  /// A table of values.
  std::map<std::string, std::string> values(std::string_view key);
  /// A table, or null if it is missing; an array of tables, empty if it is missing.
  const Node* table(std::string_view key);
  std::vector<const Node*> tables(std::string_view key);
  /// All values of this table that nobody has asked for. Tables and arrays among them are mistakes.
  std::map<std::string, std::string> remaining();

  /// Makes a mistake known that the caller found.
  void complain(std::string_view key, std::string cause, std::string hint = {});
  /// The first mistake so far.
  [[nodiscard]] Result<void> so_far() const;
  /// The first mistake, or the first key that nobody asked for; call after reading all.
  [[nodiscard]] Result<void> finish() const;

 private:
  const Node* find(std::string_view key);
  const Node* find_value(std::string_view key);
  void complain_at(std::uint32_t line, std::string cause, std::string hint = {});

  std::string scenario_, where_;
  const Node* table_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace slowpath::lab
