// SPDX-License-Identifier: Apache-2.0
#include "lab/table_reader.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/format.h"

namespace slowpath::lab {

TableReader::TableReader(std::string_view scenario, const Node* table, std::string where)
    : scenario_(scenario), where_(std::move(where)), table_(table) {
  if (table_ == nullptr || table_->is_table()) return;
  const auto* no_table = table_;
  table_ = nullptr;
  complain_at(no_table->line, fmt::format("{} is a table", where_));
}

void TableReader::complain_at(std::uint32_t line, std::string cause, std::string hint) {
  if (!error_) error_ = fail_at(scenario_, line, std::move(cause), std::move(hint)).error();
}

void TableReader::complain(std::string_view key, std::string cause, std::string hint) {
  complain_at(line_of(key), std::move(cause), std::move(hint));
}

bool TableReader::has(std::string_view key) const {
  return table_ != nullptr && table_->find(key) != nullptr;
}

std::uint32_t TableReader::line_of(std::string_view key) const {
  if (table_ == nullptr) return 0;
  const auto* node = table_->find(key);
  return node == nullptr ? table_->line : node->line;
}

const Node* TableReader::find(std::string_view key) {
  if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
  return table_ == nullptr ? nullptr : table_->find(key);
}

const Node* TableReader::find_value(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr || node->is_value()) return node;
  complain(key, fmt::format("{} of {} is a single value", key, where_));
  return nullptr;
}

std::string TableReader::text(std::string_view key, std::string fallback) {
  const auto* node = find_value(key);
  return node ? node->text : std::move(fallback);
}

std::string TableReader::required(std::string_view key) {
  auto value = text(key);
  if (value.empty()) complain(key, fmt::format("{} has no {}", where_, key));
  return value;
}

bool TableReader::flag(std::string_view key, bool fallback) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  if (node->text != "true" && node->text != "false") {
    complain(key, fmt::format("{} = \"{}\" of {} is not true or false", key, node->text, where_));
  }
  return node->text == "true";
}

std::int64_t TableReader::number(std::string_view key, std::int64_t fallback, std::int64_t low,
                                 std::int64_t high) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  std::int64_t number = 0;
  const auto* end = node->text.data() + node->text.size();
  const auto [stop, code] = std::from_chars(node->text.data(), end, number);
  if (code == std::errc{} && stop == end && number >= low && number <= high) return number;
  complain(key, fmt::format("{} = \"{}\" of {} is not a whole number from {} to {}", key,
                            node->text, where_, low, high));
  return fallback;
}

double TableReader::ratio(std::string_view key, double fallback) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  double ratio = 0;
  const auto* end = node->text.data() + node->text.size();
  const auto [stop, code] = std::from_chars(node->text.data(), end, ratio);
  if (code == std::errc{} && stop == end && ratio >= 0) return ratio;
  complain(key, fmt::format("{} = \"{}\" of {} is not a number", key, node->text, where_));
  return fallback;
}

std::uint64_t TableReader::bytes(std::string_view key, std::uint64_t fallback) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  if (const auto parsed = parse_size(node->text)) return *parsed;
  complain(key,
           fmt::format("{} = \"{}\" of {} is not a size, such as 64KiB", key, node->text, where_));
  return fallback;
}

double TableReader::rate_bps(std::string_view key, double fallback) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  if (const auto parsed = parse_rate(node->text)) return *parsed;
  complain(key, fmt::format("{} = \"{}\" of {} is not a rate, such as 10Mbit/s", key, node->text,
                            where_));
  return fallback;
}

Duration TableReader::duration(std::string_view key, Duration fallback) {
  const auto* node = find_value(key);
  if (node == nullptr) return fallback;
  if (const auto parsed = parse_duration(node->text)) return *parsed;
  complain(key,
           fmt::format("{} = \"{}\" of {} is not a time, such as 20ms", key, node->text, where_));
  return fallback;
}

std::vector<std::string> TableReader::list(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return {};
  if (node->is_value()) return {node->text};
  std::vector<std::string> values;
  for (const auto& item : node->items) {
    if (item.is_value()) values.push_back(item.text);
  }
  if (!node->is_array() || values.size() != node->items.size()) {
    complain(key, fmt::format("{} of {} is a list of values", key, where_));
  }
  return values;
}

std::map<std::string, std::string> TableReader::values(std::string_view key) {
  std::map<std::string, std::string> values;
  const auto* node = find(key);
  if (node == nullptr) return values;
  for (const auto& [name, value] : node->fields) {
    if (value.is_value()) values.emplace(name, value.text);
  }
  if (!node->is_table() || values.size() != node->fields.size()) {
    complain(key, fmt::format("{} of {} is a table of values", key, where_),
             "put names with dots in quotes");
  }
  return values;
}

const Node* TableReader::table(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr || node->is_table()) return node;
  complain(key, fmt::format("{} of {} is a table", key, where_));
  return nullptr;
}

std::vector<const Node*> TableReader::tables(std::string_view key) {
  std::vector<const Node*> tables;
  const auto* node = find(key);
  if (node == nullptr) return tables;
  for (const auto& item : node->items) {
    if (item.is_table()) tables.push_back(&item);
  }
  if (!node->is_array() || tables.size() != node->items.size()) {
    complain(key, fmt::format("{} of {} is a list of tables: [[{}]]", key, where_, key));
  }
  return tables;
}

std::map<std::string, std::string> TableReader::remaining() {
  std::map<std::string, std::string> values;
  if (table_ == nullptr) return values;
  for (const auto& [key, node] : table_->fields) {
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    if (!node.is_value()) complain(key, fmt::format("{} of {} is a single value", key, where_));
    values.emplace(key, node.text);
    asked_.push_back(key);
  }
  return values;
}

Result<void> TableReader::so_far() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<void> TableReader::finish() const {
  if (error_ || table_ == nullptr) return so_far();
  for (const auto& [key, node] : table_->fields) {
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    return fail_at(scenario_, node.line, fmt::format("{} has no key \"{}\"", where_, key),
                   suggest(key, {asked_.begin(), asked_.end()}));
  }
  return {};
}

}  // namespace slowpath::lab
