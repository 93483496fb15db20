// SPDX-License-Identifier: Apache-2.0
// `ip -j link` and `ip -j addr`, with -d and -s.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "machine/text/ip_words.h"
#include "machine/text/json.h"
#include "machine/text/reader.h"

namespace slowpath::machine::text {
namespace {

using nlohmann::json;

/// -j prints one line, -p many.
bool recognises(const Output& rest) {
  if (!rest.lines.front().text.starts_with('[')) return false;
  for (const Line& line : rest.lines.first(std::min<std::size_t>(rest.lines.size(), 4))) {
    if (line.text.contains("\"ifindex\"") || line.text.contains("\"ifname\"")) return true;
  }
  return false;
}

void read_statistics(const json& link, InterfaceFacts& interface) {
  const json& sides = member_at(link, "stats64").is_object() ? member_at(link, "stats64")
                                                             : member_at(link, "stats");
  for (const char* side : {"rx", "tx"}) {
    const json& values = member_at(sides, side);
    if (!values.is_object()) continue;
    for (const auto& [key, value] : values.items()) {
      if (!value.is_number_unsigned()) continue;
      std::string name = std::string(side) + "_" + key;
      if (key == "multicast" || key == "collisions" || key == "carrier_changes") name = key;
      interface.statistics[name] = value.get<std::uint64_t>();
    }
  }
}

void read_addresses(const json& link, InterfaceFacts& interface) {
  const json& list = member_at(link, "addr_info");
  if (!list.is_array()) return;
  for (const json& each : list) {
    const auto address = address_of(text_at(each, "local"));
    if (address && std::ranges::count(interface.addresses, *address) == 0) {
      interface.addresses.push_back(*address);
    }
  }
}

void read_flags(const json& link, InterfaceFacts& interface) {
  const json& flags = member_at(link, "flags");
  if (!flags.is_array()) return;
  const auto has = [&flags](const char* flag) {
    return std::ranges::any_of(flags, [flag](const json& each) { return each == flag; });
  };
  interface.up = has("UP");
  if (*interface.up) interface.carrier = has("LOWER_UP");
  interface.promiscuous = has("PROMISC");
}

void read_info(const json& link, InterfaceFacts& interface) {
  const json& info = member_at(link, "linkinfo");
  const std::string kind = text_at(info, "info_kind");
  if (!is_kind(kind)) return;
  interface.kind = kind;
  const json& data = member_at(info, "info_data");
  if (!data.is_object()) return;
  for (const auto& [key, value] : data.items()) {
    if (value.is_object() || value.is_array()) continue;
    set_kind_property(interface, key,
                      value.is_string() ? value.get<std::string>() : json_text(value));
  }
}

void read_link(const json& link, InterfaceFacts& interface) {
  if (const auto index = number32_at(link, "ifindex")) interface.index = *index;
  if (const auto mtu = number32_at(link, "mtu")) interface.mtu_bytes = mtu;
  if (const auto most = number32_at(link, "max_mtu"); most && *most > 0) {
    interface.mtu_max_bytes = most;
  }
  if (const auto len = number32_at(link, "txqlen")) interface.tx_queue_len = len;
  if (const auto qdisc = text_at(link, "qdisc"); !qdisc.empty()) interface.qdisc = qdisc;
  if (const auto alias = text_at(link, "ifalias"); !alias.empty()) interface.alias = alias;
  if (const auto state = text_at(link, "operstate"); !state.empty()) {
    interface.properties["operstate"] = lower(state);
  }
  if (text_at(link, "link_type") == "loopback") interface.kind = "loopback";
  for (const auto& [key, property] :
       {std::pair{"parentbus", "parent_bus"}, std::pair{"parentdev", "parent_device"}}) {
    if (auto text = text_at(link, key); !text.empty()) interface.properties[property] = text;
  }
  interface.master = text_at(link, "master");
  interface.lower = text_at(link, "link");
  read_flags(link, interface);
  read_info(link, interface);
  read_addresses(link, interface);
  read_statistics(link, interface);
}

/// Returns the lines that were read, 0 where they are no list of links.
std::size_t read_list(Lines lines, Notes& notes) {
  const auto parsed = json_of(lines);
  if (!parsed || !parsed->value.is_array()) return 0;
  for (const json& link : parsed->value) {
    const std::string name = text_at(link, "ifname");
    // ip prints {} for what a filter left out.
    if (!name.empty()) read_link(link, notes.interface(name, lines.front()));
  }
  return parsed->line_count;
}

void read(const Output& output, Notes& notes) {
  bool is_cut = false;  // a list that cannot be read is searched for its end once only
  for (std::size_t at = 0; at < output.lines.size();) {
    const bool is_list = !is_cut && output.lines[at].text.starts_with('[');
    const std::size_t count = is_list ? read_list(output.lines.subspan(at), notes) : 0;
    if (count == 0) notes.not_understood(output.lines[at]);
    is_cut = is_cut || (is_list && count == 0);
    at += std::max<std::size_t>(count, 1);
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser ip_json;
const Recogniser ip_json{"ip_json", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
