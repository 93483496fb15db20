// SPDX-License-Identifier: Apache-2.0
#include "cli/calc/sheet.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/format.h"
#include "base/json_text.h"

namespace slowpath::cli::calc {
namespace {

/// Characters, not bytes: "µs" is two wide.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string pad_left(std::string_view text, std::size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ') + std::string(text);
}

std::string pad_right(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string row_text(const std::vector<std::string>& cells,
                     const std::vector<std::size_t>& widths) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) text += "  " + pad_left(cells[i], widths[i]);
  return text;
}

std::vector<std::string> texts_of(const Row& row) {
  std::vector<std::string> texts;
  for (const Cell& cell : row) texts.push_back(cell.text);
  return texts;
}

}  // namespace

std::uint64_t whole(double value) {
  if (!(value > 0)) return 0;
  constexpr double kTooLarge = 0x1p64;
  return value < kTooLarge ? static_cast<std::uint64_t>(std::round(value))
                           : std::numeric_limits<std::uint64_t>::max();
}

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Cell rate_cell(double bits_per_second) {
  return {format_rate(bits_per_second), json_number(bits_per_second)};
}

Cell bytes_cell(double bytes) { return {format_bytes(bytes), json_number(bytes)}; }

Cell exact_bytes_cell(double bytes) {
  const std::uint64_t count = whole(std::ceil(bytes));
  return {format_count(count) + " bytes", count};
}

Cell seconds_cell(double seconds) { return {format_duration(seconds), json_number(seconds)}; }

Cell percent_cell(double share) {
  return {fmt::format("{:.2f} %", share * 100), json_number(share)};
}

Cell count_cell(double count) { return {format_count(whole(count)), whole(count)}; }

Cell loss_cell(double share) {
  if (share >= 1) return {"any", json_number(share)};
  return {fmt::format("{:.1e}  (1 packet in {})", share, format_count(whole(1 / share))),
          json_number(share)};
}

Cell text_cell(std::string text) {
  Json raw = text;
  return {std::move(text), std::move(raw)};
}

Sheet::Sheet(std::string_view calculation, std::string title) {
  json_["schema"] = "slowpath.calc.v1";
  json_["calculation"] = calculation;
  json_["summary"] = title;
  lines_.push_back({{}, std::move(title)});
}

void Sheet::row(std::string_view label, std::string_view key, Cell cell) {
  json_[std::string(key)] = std::move(cell.raw);
  lines_.push_back({std::string(label), std::move(cell.text)});
}

void Sheet::heading(std::string_view text) {
  lines_.push_back({});
  if (!text.empty()) lines_.push_back({{}, std::string(text)});
}

void Sheet::table(std::string_view title, std::string_view key, const std::vector<Column>& columns,
                  const std::vector<Row>& rows, std::size_t most_shown) {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths;
  for (const Column& column : columns) {
    headings.emplace_back(column.heading);
    widths.push_back(width_of(column.heading));
  }
  Json list = Json::array();
  for (const Row& row : rows) {
    SLOWPATH_ASSERT(row.size() == columns.size());
    Json object;
    for (std::size_t i = 0; i < row.size(); ++i) {
      object[std::string(columns[i].key)] = row[i].raw;
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
    list.push_back(std::move(object));
  }
  json_[std::string(key)] = std::move(list);

  heading(title);
  lines_.push_back({{}, row_text(headings, widths)});
  const bool all = rows.size() <= most_shown;
  for (std::size_t i = 0; i < (all ? rows.size() : most_shown); ++i) {
    lines_.push_back({{}, row_text(texts_of(rows[i]), widths)});
  }
  if (all) return;
  lines_.push_back({{}, fmt::format("  … {} more", rows.size() - most_shown - 1)});
  lines_.push_back({{}, row_text(texts_of(rows.back()), widths)});
}

void Sheet::note(std::string text) {
  json_["notes"].push_back(text);
  lines_.push_back({{}, std::move(text)});
}

std::string Sheet::to_text() const {
  std::size_t label_width = 0;
  for (const Line& line : lines_) label_width = std::max(label_width, width_of(line.label));
  std::string text;
  for (const Line& line : lines_) {
    if (!line.label.empty()) text += "  " + pad_right(line.label, label_width) + "  ";
    text += line.text + '\n';
  }
  return text;
}

std::string Sheet::to_json() const { return json_document(json_); }

}  // namespace slowpath::cli::calc
