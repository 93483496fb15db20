// SPDX-License-Identifier: Apache-2.0
// What a calculation answers: labelled values, small tables and remarks, shown as one screen of
// text or as JSON. Values are given twice, as text and raw; keys carry the unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slowpath::cli::calc {

using Json = nlohmann::ordered_json;

/// Whole numbers for display: rounded, and kept within 64 bits.
std::uint64_t whole(double value);

/// A number that JSON can hold: null where it is not finite.
Json json_number(double value);

/// A value as people read it and as programs do.
struct Cell {
  std::string text;
  Json raw;
};

// A quantity in both forms; the key of the row or column says the same unit as here.
Cell rate_cell(double bits_per_second);  // bit/s
Cell bytes_cell(double bytes);           // bytes, "64 KiB"
Cell exact_bytes_cell(double bytes);     // bytes, "65 536 bytes", rounded up to whole ones
Cell seconds_cell(double seconds);       // s
Cell percent_cell(double share);         // 0..1
Cell count_cell(double count);           // whole, "12 345"
Cell loss_cell(double share);            // 0..1, "2.0e-06 (1 in 500 000)"
Cell text_cell(std::string text);

struct Column {
  std::string_view heading;
  std::string_view key;
};

using Row = std::vector<Cell>;

/// One answer, built in the order in which it is shown.
class Sheet {
 public:
  /// `calculation` is the subcommand's word; the title is the answer in one line.
  Sheet(std::string_view calculation, std::string title);

  /// "label   text", and a key of the JSON document.
  void row(std::string_view label, std::string_view key, Cell cell);
  /// A heading over the rows that follow; of the text only.
  void heading(std::string_view text);
  /// An array of objects in JSON; the title may be empty. Each row has a cell for each column.
  /// Every row is shown, or the first `most_shown` and the last.
  void table(std::string_view title, std::string_view key, const std::vector<Column>& columns,
             const std::vector<Row>& rows, std::size_t most_shown = 40);
  /// A remark below what came before; collected under "notes" in JSON.
  void note(std::string text);

  [[nodiscard]] std::string to_text() const;
  /// One document with "schema": "slowpath.calc.v1", ended by a newline.
  [[nodiscard]] std::string to_json() const;

 private:
  struct Line {
    std::string label;  // empty: the text stands alone
    std::string text;
  };

  std::vector<Line> lines_;
  Json json_;
};

}  // namespace slowpath::cli::calc
