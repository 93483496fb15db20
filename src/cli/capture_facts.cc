// SPDX-License-Identifier: Apache-2.0
#include "cli/capture_facts.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/format.h"
#include "wire/frame.h"

namespace slowpath::cli {
namespace {

std::string words_of(wire::LinkType type) {
  switch (type) {
    case wire::LinkType::null_loopback:
    case wire::LinkType::loop:
      return "loopback";
    case wire::LinkType::ethernet:
      return "Ethernet";
    case wire::LinkType::ppp:
    case wire::LinkType::ppp_hdlc:
    case wire::LinkType::ppp_with_direction:
      return "PPP";
    case wire::LinkType::ppp_ether:
      return "PPPoE";
    case wire::LinkType::raw_bsd:
    case wire::LinkType::raw_openbsd:
    case wire::LinkType::raw:
      return "raw IP";
    case wire::LinkType::ipv4:
      return "raw IPv4";
    case wire::LinkType::ipv6:
      return "raw IPv6";
    case wire::LinkType::ieee80211:
      return "802.11";
    case wire::LinkType::ieee80211_radiotap:
      return "802.11 with radiotap";
    case wire::LinkType::linux_sll:
      return "Linux cooked";
    case wire::LinkType::linux_sll2:
      return "Linux cooked v2";
    case wire::LinkType::fddi:
      return "FDDI";
  }
  // The field is 16 bits of the file's choice.
  return fmt::format("link type {}", static_cast<unsigned>(type));
}

std::string link_type_of(const capture::SourceInfo& info) {
  if (info.interfaces.empty()) return "unknown";
  const wire::LinkType first = info.interfaces.front().link_type;
  const bool all_alike = std::ranges::all_of(
      info.interfaces, [&](const capture::InterfaceInfo& it) { return it.link_type == first; });
  return all_alike ? words_of(first) : "several";
}

}  // namespace

void fill_from_source(CaptureFacts& facts, const InputName& name, const capture::SourceInfo& info) {
  facts.file = name.file;
  facts.name = name.place;
  facts.format = info.format;
  if (!info.compression.empty()) facts.format += ", " + info.compression;
  facts.link_type = link_type_of(info);
  facts.damaged_bytes = info.damaged_bytes;
  facts.damage_count = info.damage_count;
  for (const capture::Damage& damage : info.damage) {
    facts.damage.push_back(fmt::format("at offset {:#x}: {} ({} lost)", damage.offset, damage.what,
                                       format_bytes(static_cast<double>(damage.bytes_lost))));
  }
  facts.cut_short = info.cut_short;
  facts.reported_drops = info.reported_drops;
  facts.comments = info.comments;
  for (const capture::InterfaceInfo& interface : info.interfaces) {
    facts.snap_len = std::max(facts.snap_len, interface.snap_len);
  }
}

}  // namespace slowpath::cli
