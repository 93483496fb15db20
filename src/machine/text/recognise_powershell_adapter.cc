// SPDX-License-Identifier: Apache-2.0
// Get-NetAdapter and what it has for each adapter: advanced properties, RSS, large send offload,
// checksums, receive segment coalescing, SR-IOV, and Get-NetIPInterface. What Linux knows too is
// also put under ethtool's names, so that one rule serves both.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "machine/text/powershell.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Cmdlet {
  std::string_view name;
  std::string_view property;  // that no other cmdlet has
  void (*read)(const PowerShellObject& object, InterfaceFacts& interface) = nullptr;
};

void set_feature(InterfaceFacts& interface, const std::string& name, std::optional<bool> on) {
  if (on) interface.features[name].on = *on;
}

void set_from(std::optional<std::uint32_t>& field, std::string_view text) {
  if (const auto value = whole_number32(text)) field = value;
}

/// "{1}" is how a table shows a list of one.
std::string_view unbraced(std::string_view value) {
  if (value.starts_with('{') && value.ends_with('}')) return value.substr(1, value.size() - 2);
  return value;
}

/// Registry keywords of NDIS ("standardized INF keywords") that have a place of their own.
void read_keyword(std::string_view keyword, std::string_view value, InterfaceFacts& interface) {
  constexpr auto kSwitches = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"*LsoV2IPv4", "tx-tcp-segmentation"},
       {"*LsoV2IPv6", "tx-tcp6-segmentation"},
       {"*RSS", "rx-hashing"},
       {"*RscIPv4", "rx-lro"}});
  const auto number = whole_number32(value);
  for (const auto& [name, feature] : kSwitches) {
    if (keyword == name && number) set_feature(interface, std::string(feature), *number != 0);
  }
  // 0 off, 1 transmit, 2 receive, 3 both.
  if (keyword == "*TCPChecksumOffloadIPv4" && number) {
    set_feature(interface, "tx-checksum-ipv4", (*number & 1) != 0);
    set_feature(interface, "rx-checksum", (*number & 2) != 0);
  }
  if (keyword == "*ReceiveBuffers") set_from(interface.rings.rx, value);
  if (keyword == "*TransmitBuffers") set_from(interface.rings.tx, value);
  if (keyword == "*NumRssQueues") set_from(interface.channels.rx, value);
}

void read_advanced(const PowerShellObject& object, InterfaceFacts& interface) {
  const std::string_view shown = object.value("DisplayName");
  const std::string_view keyword = object.value("RegistryKeyword");
  const std::string_view value = unbraced(object.value("RegistryValue"));
  if (!shown.empty()) {
    interface.properties[std::string(shown)] = object.value("DisplayValue");
  }
  if (keyword.empty() || value.empty()) return;
  interface.properties[std::string(keyword)] = value;
  read_keyword(keyword, value, interface);
}

/// "0:0 0:2 0:4": group and number of the processor of each bucket.
void read_indirection(std::string_view table, RssFacts& rss) {
  rss.indirection.clear();
  for (const std::string_view word : words_of(table)) {
    if (const auto number = whole_number32(word.substr(word.find(':') + 1))) {
      rss.indirection.push_back(*number);
    }
  }
}

void read_rss(const PowerShellObject& object, InterfaceFacts& interface) {
  set_feature(interface, "rx-hashing", truth_of(object.value("Enabled")));
  set_from(interface.channels.rx, object.value("NumberOfReceiveQueues"));
  if (object.has("IndirectionTable")) {
    read_indirection(object.value("IndirectionTable"), interface.rss);
  }
}

void read_lso(const PowerShellObject& object, InterfaceFacts& interface) {
  set_feature(interface, "tx-tcp-segmentation", truth_of(object.value("IPv4Enabled")));
  set_feature(interface, "tx-tcp6-segmentation", truth_of(object.value("IPv6Enabled")));
}

void read_checksum(const PowerShellObject& object, InterfaceFacts& interface) {
  const std::string state = lower(object.value("TcpIPv4Enabled"));
  if (!state.ends_with("enabled") && state != "disabled") return;
  const bool on = state != "disabled";
  set_feature(interface, "tx-checksum-ipv4", on && state.contains("tx"));
  set_feature(interface, "rx-checksum", on && state.contains("rx"));
}

void read_rsc(const PowerShellObject& object, InterfaceFacts& interface) {
  const auto operational = truth_of(object.value("IPv4OperationalState"));
  const auto asked = truth_of(object.value("IPv4Enabled"));
  set_feature(interface, "rx-lro", operational ? operational : asked);
  if (asked && interface.features.contains("rx-lro")) {
    interface.features["rx-lro"].requested = asked;
  }
}

void read_ip_interface(const PowerShellObject& object, InterfaceFacts& interface) {
  const auto mtu_bytes = whole_number32(object.value("NlMtu"));
  if (!mtu_bytes || *mtu_bytes == 0xFFFF'FFFF) return;
  if (object.value("AddressFamily") == "IPv6") {
    interface.properties["ipv6.mtu"] = std::to_string(*mtu_bytes);
  } else {
    interface.mtu_bytes = mtu_bytes;
  }
}

void read_adapter(const PowerShellObject& object, InterfaceFacts& interface) {
  const std::string_view description = object.value("InterfaceDescription");
  if (!description.empty()) interface.alias = description;
  if (const auto index = whole_number32(object.value("ifIndex"))) interface.index = *index;
  if (const auto speed = rate_bps(object.value("LinkSpeed"))) {
    interface.speed_bps = static_cast<std::int64_t>(*speed);
  }
  const std::string status = lower(object.value("Status"));
  if (status == "up" || status == "disconnected") interface.carrier = status == "up";
  if (status == "up" || status == "disabled") interface.up = status == "up";
  set_from(interface.mtu_bytes, object.value("MtuSize"));
  if (!object.value("DriverFileName").empty()) interface.driver = object.value("DriverFileName");
  const std::string_view version = object.has("DriverVersionString")
                                       ? object.value("DriverVersionString")
                                       : object.value("DriverVersion");
  if (!version.empty()) interface.driver_version = version;
  if (const auto full = truth_of(object.value("FullDuplex"))) {
    interface.duplex = *full ? "full" : "half";
  }
}

void read_sriov(const PowerShellObject&, InterfaceFacts&) {}  // the properties say it

// Asked in this order: an adapter's own properties are also printed by others.
constexpr auto kCmdlets =
    std::to_array<Cmdlet>({{"Get-NetAdapterAdvancedProperty", "DisplayValue", read_advanced},
                           {"Get-NetAdapterAdvancedProperty", "RegistryKeyword", read_advanced},
                           {"Get-NetAdapterRss", "NumberOfReceiveQueues", read_rss},
                           {"Get-NetAdapterLso", "V1IPv4Enabled", read_lso},
                           {"Get-NetAdapterChecksumOffload", "TcpIPv4Enabled", read_checksum},
                           {"Get-NetAdapterRsc", "IPv4OperationalState", read_rsc},
                           {"Get-NetAdapterSriov", "SriovSupport", read_sriov},
                           {"Get-NetAdapterSriov", "NumVFs", read_sriov},
                           {"Get-NetIPInterface", "NlMtu", read_ip_interface},
                           {"Get-NetAdapter", "LinkSpeed", read_adapter}});

bool recognises(const Output& rest) {
  return std::ranges::any_of(kCmdlets, [&rest](const Cmdlet& cmdlet) {
    return begins_powershell(rest.lines, cmdlet.property);
  });
}

std::string_view name_of(const PowerShellObject& object) {
  for (const std::string_view property :
       {"Name", "InterfaceAlias", "ifAlias", "InterfaceDescription"}) {
    if (const auto value = object.value(property); !value.empty()) return value;
  }
  return {};
}

/// What has no place of its own stays under its cmdlet's name.
void keep_properties(const Cmdlet& cmdlet, const PowerShellObject& object,
                     InterfaceFacts& interface) {
  if (cmdlet.read == read_advanced) return;
  for (const auto& [property, value] : object.properties) {
    if (!value.empty() && property != "Name") {
      interface.properties[std::string(cmdlet.name) + "." + property] = value;
    }
  }
}

void read(const Output& output, Notes& notes) {
  for (const PowerShellObject& object : powershell_objects(output, notes)) {
    const auto* const cmdlet = std::ranges::find_if(
        kCmdlets, [&object](const Cmdlet& each) { return object.has(each.property); });
    const std::string_view name = name_of(object);
    if (cmdlet == kCmdlets.end() || name.empty()) {
      notes.not_understood(object.line);
      continue;
    }
    InterfaceFacts& interface = notes.interface(name, object.line);
    cmdlet->read(object, interface);
    keep_properties(*cmdlet, object, interface);
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser powershell_adapter;
const Recogniser powershell_adapter{"powershell_adapter", Platform::windows, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
