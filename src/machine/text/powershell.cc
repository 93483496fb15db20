// SPDX-License-Identifier: Apache-2.0
#include "machine/text/powershell.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::size_t kMaxLookAhead = 60;  // Get-NetAdapter | Format-List * prints fewer

/// "InitialRto(ms)" and "BaseProcessor: [Group:Number]" are InitialRto and BaseProcessor.
std::string property_name(std::string_view shown) {
  return std::string(trim(shown.substr(0, shown.find_first_of("(:"))));
}

/// "Name    : value": the name begins the line and the colon has blanks around it.
std::optional<Pair> list_pair(std::string_view line) {
  if (line.empty() || line.front() == ' ') return std::nullopt;
  std::size_t colon = line.find(" : ");
  if (colon == std::string_view::npos && line.ends_with(" :")) colon = line.size() - 2;
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = trim(line.substr(0, colon));
  if (!name.contains('[') && name.contains(' ')) return std::nullopt;
  return Pair{name, trim(line.substr(std::min(colon + 2, line.size())))};
}

bool is_table_rule(std::string_view line) { return line.contains("--") && is_word_of(line, "- "); }

bool is_table_at(Lines lines, std::size_t at) {
  return at + 1 < lines.size() && !is_table_rule(lines[at].text) &&
         is_table_rule(lines[at + 1].text);
}

bool line_names(std::string_view line, std::string_view property) {
  const auto pair = list_pair(line);
  return pair && property_name(pair->key) == property;
}

/// Returns the number of lines that the table takes.
std::size_t read_table(Lines lines, std::vector<PowerShellObject>& objects) {
  const auto columns = columns_of_rule(lines[1].text);
  const auto names = cells_of(lines[0].text, columns);
  std::size_t at = 2;
  for (; at < lines.size() && !lines[at].text.empty(); ++at) {
    if (list_pair(lines[at].text) || is_table_at(lines, at)) break;
    const auto cells = cells_of(lines[at].text, columns);
    PowerShellObject& object = objects.emplace_back();
    object.line = lines[at];
    for (std::size_t column = 0; column < names.size(); ++column) {
      object.properties.emplace_back(property_name(names[column]), cells[column]);
    }
  }
  return at;
}

}  // namespace

std::string_view PowerShellObject::value(std::string_view name) const {
  const auto found =
      std::ranges::find(properties, name, &std::pair<std::string, std::string>::first);
  return found == properties.end() ? std::string_view{} : std::string_view(found->second);
}

bool PowerShellObject::has(std::string_view name) const {
  return std::ranges::count(properties, name, &std::pair<std::string, std::string>::first) > 0;
}

bool begins_powershell(Lines lines, std::string_view property) {
  if (is_table_at(lines, 0)) {
    const Words words = words_of(lines[0].text);
    return std::ranges::any_of(
        words, [property](std::string_view word) { return property_name(word) == property; });
  }
  if (!list_pair(lines[0].text)) return false;
  for (const Line& line : lines.first(std::min(lines.size(), kMaxLookAhead))) {
    if (line.text.empty()) return false;
    if (line_names(line.text, property)) return true;
  }
  return false;
}

std::vector<PowerShellObject> powershell_objects(const Output& output, Notes& notes) {
  std::vector<PowerShellObject> objects;
  bool is_open = false;  // lines may still be added to the last object
  for (std::size_t at = 0; at < output.lines.size(); ++at) {
    const Line& line = output.lines[at];
    if (line.text.empty()) {
      is_open = false;
      continue;
    }
    if (is_table_at(output.lines, at)) {
      at += read_table(output.lines.subspan(at), objects) - 1;
      is_open = false;
      continue;
    }
    if (const auto pair = list_pair(line.text)) {
      std::string name = property_name(pair->key);
      if (!is_open || objects.back().has(name)) {
        objects.emplace_back().line = line;
        is_open = true;
      }
      objects.back().properties.emplace_back(std::move(name), pair->value);
    } else if (is_open && (line.text.front() == ' ' || is_word_of(line.text, "0123456789:/ \t"))) {
      objects.back().properties.back().second += " " + std::string(trim(line.text));
    } else {
      notes.not_understood(line);
    }
  }
  return objects;
}

}  // namespace slowpath::machine::text
