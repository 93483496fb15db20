// SPDX-License-Identifier: Apache-2.0
// `esxcli system settings advanced list` (all, or one with -o), `esxcfg-advcfg -g`, and the lists
// of vmkernel interfaces and virtual switches, which share their shape: indented "Key: Value"
// lines.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Item {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  Line line;

  [[nodiscard]] std::string_view value(std::string_view key) const {
    const auto found =
        std::ranges::find(pairs, key, &std::pair<std::string_view, std::string_view>::first);
    return found == pairs.end() ? std::string_view{} : found->second;
  }
};

constexpr std::size_t kLookAhead = 12;

bool has_soon(Lines lines, std::string_view key) {
  for (const Line& line : lines.first(std::min(lines.size(), kLookAhead))) {
    if (trim(line.text).starts_with(key)) return true;
  }
  return false;
}

/// "Value of UseHwTSO is 1" (esxcfg-advcfg).
bool is_advcfg(std::string_view line) {
  if (!line.starts_with("Value of ")) return false;
  const Words words = words_of(line);
  return words.size() >= 4 && words[0] == "Value" && words[1] == "of" && words[3] == "is";
}

/// "vmk0" or "vSwitch0", alone, over "   Name: vmk0".
bool is_named_block(Lines lines) {
  if (lines.size() < 2 || lines[0].text.starts_with(' ')) return false;
  const auto pair = pair_of(lines[1].text);
  return pair && lines[1].text.starts_with("   ") && pair->key == "Name" &&
         pair->value == lines[0].text && has_soon(lines, "MTU:");
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return (first.starts_with(" ") && trim(first).starts_with("Path: /") &&
          has_soon(rest.lines, "Int Value:")) ||
         is_advcfg(first) || is_named_block(rest.lines);
}

void store_setting(const Item& item, Notes& notes) {
  const std::string key = "esx." + std::string(item.value("Path"));
  const bool is_text = item.value("Type") == "string";
  const std::string_view value = item.value(is_text ? "String Value" : "Int Value");
  const std::string_view usual = item.value(is_text ? "Default String Value" : "Default Int Value");
  notes.setting(key, value, item.line);
  if (!usual.empty()) notes.setting(key + ".default", usual, item.line);
}

/// An interface of the vmkernel or a switch: its MTU is one of the path's.
void store_interface(const Item& item, Notes& notes) {
  InterfaceFacts& interface = notes.interface(item.value("Name"), item.line);
  if (const auto mtu = whole_number32(item.value("MTU"))) interface.mtu_bytes = mtu;
  const bool is_switch = !item.value("Num Ports").empty();
  if (is_switch) interface.kind = "bridge";
  for (const auto& [key, value] : item.pairs) {
    if (!value.empty() && key != "Name") interface.properties[kebab(key)] = value;
  }
}

void store(const Item& item, Notes& notes) {
  if (item.pairs.empty()) return;
  if (item.value("Path").starts_with('/')) {
    store_setting(item, notes);
  } else if (!item.value("Name").empty()) {
    store_interface(item, notes);
  } else {
    notes.not_understood(item.line);
  }
}

bool read_advcfg(const Line& line, const Command& command, Notes& notes) {
  if (!is_advcfg(line.text)) return false;
  const Words words = words_of(line.text);
  const std::string_view asked = command.after("-g");
  const std::string_view path = asked.ends_with(words[2]) ? asked : words[2];
  notes.setting("esx." + std::string(path), between(line.text, " is ", "\n"), line);
  return true;
}

void read(const Output& output, Notes& notes) {
  Item item;
  const auto finish = [&] {
    store(item, notes);
    item = {};
  };
  for (std::size_t at = 0; at < output.lines.size(); ++at) {
    const Line& line = output.lines[at];
    if (line.text.empty() || read_advcfg(line, output.command, notes)) continue;
    if (is_named_block(output.lines.subspan(at))) {
      finish();
      continue;
    }
    const auto pair = pair_of(line.text);
    if (!pair || !line.text.starts_with(' ')) {
      notes.not_understood(line);
      continue;
    }
    if (pair->key == "Path") finish();
    if (item.pairs.empty()) item.line = line;
    item.pairs.emplace_back(pair->key, pair->value);
  }
  finish();
}

}  // namespace

namespace recognisers {
extern const Recogniser esxcli_settings;
const Recogniser esxcli_settings{"esxcli_settings", Platform::esxi, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
