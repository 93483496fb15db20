// SPDX-License-Identifier: Apache-2.0
// Aligned columns for a terminal. The last column is wrapped under itself where a line would be too
// long; no line is broken at kNoBreak of layout.h.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace slowpath::report {

enum class Align { left, right };

class Table {
 public:
  struct Column {
    std::string head;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell a column.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  /// Lines ended by newlines, indented by `indent` blanks.
  [[nodiscard]] std::string text(std::size_t width, std::size_t indent = 0) const;
  /// The same as a Markdown table.
  [[nodiscard]] std::string markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace slowpath::report
