// SPDX-License-Identifier: Apache-2.0
#include "detect/host_values.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slowpath::detect {
namespace {

using Values = std::map<std::string, std::string>;

std::string text_of(bool value) { return value ? "yes" : "no"; }
std::string text_of(std::uint32_t value) { return std::to_string(value); }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return fmt::format("{:g}", value); }

template <typename T>
void put(Values& values, const char* name, const std::optional<T>& value) {
  if (value) values[name] = text_of(*value);
}
void put(Values& values, const char* name, const std::string& value) {
  if (!value.empty()) values[name] = value;
}

/// Other parts of a Linux than its network say nothing here, and change by themselves.
bool is_setting(const std::string& key) {
  constexpr std::array kOthers{"kernel.", "fs.",    "dev.",    "user.",
                               "abi.",    "debug.", "sunrpc.", "crypto."};
  // A rule's words differ by who printed it; what it does is told beside.
  const bool is_rule = key.starts_with("firewall.") && key.ends_with(".rule");
  return key != "net.netfilter.nf_conntrack_count" && !is_rule &&
         std::ranges::none_of(kOthers, [&](const char* other) { return key.starts_with(other); });
}

void put_queues(Values& values, const InterfaceFacts& interface) {
  put(values, "rx ring", interface.rings.rx);
  put(values, "tx ring", interface.rings.tx);
  put(values, "rx channels", interface.channels.rx);
  put(values, "tx channels", interface.channels.tx);
  put(values, "combined channels", interface.channels.combined);
  const CoalesceFacts& coalesce = interface.coalesce;
  put(values, "rx-usecs", coalesce.rx_us);
  put(values, "rx-frames", coalesce.rx_frames);
  put(values, "tx-usecs", coalesce.tx_us);
  put(values, "tx-frames", coalesce.tx_frames);
  put(values, "adaptive-rx", coalesce.adaptive_rx);
  put(values, "adaptive-tx", coalesce.adaptive_tx);
  put(values, "RSS hash", interface.rss.hash);
  if (!interface.rss.indirection.empty())
    values["RSS table"] = fmt::format("{}", fmt::join(interface.rss.indirection, " "));
  for (const auto& [traffic, fields] : interface.rss.fields)
    values["RSS fields of " + traffic] = fields;
}

Values values_of(const InterfaceFacts& interface) {
  Values values;
  put(values, "kind", interface.kind);
  put(values, "mtu", interface.mtu_bytes);
  put(values, "up", interface.up);
  put(values, "carrier", interface.carrier);
  put(values, "promiscuous", interface.promiscuous);
  put(values, "driver", interface.driver);
  put(values, "driver version", interface.driver_version);
  put(values, "firmware", interface.firmware);
  put(values, "speed in bit/s", interface.speed_bps);
  put(values, "duplex", interface.duplex);
  put(values, "txqueuelen", interface.tx_queue_len);
  put(values, "qdisc", interface.qdisc);
  put(values, "master", interface.master);
  put(values, "lower", interface.lower);
  std::vector<std::string> addresses;
  for (const IpAddress& address : interface.addresses) addresses.push_back(to_string(address));
  std::ranges::sort(addresses);
  if (!addresses.empty()) values["addresses"] = fmt::format("{}", fmt::join(addresses, " "));
  for (const auto& [name, state] : interface.features) values[name] = state.on ? "on" : "off";
  for (const auto& [name, value] : interface.properties) values.emplace(name, value);
  put_queues(values, interface);
  return values;
}

/// Only a list of all has the loopback interface, with its number; `ethtool` and `ip link show DEV`
/// are asked for one.
std::set<std::string> listed_in(const MachineFacts& facts) {
  const auto is_loopback = [](const InterfaceFacts& interface) {
    return interface.index != 0 && (interface.kind == "loopback" || interface.name == "lo" ||
                                    interface.name.starts_with("Loopback"));
  };
  std::set<std::string> names;
  if (std::ranges::none_of(facts.interfaces, is_loopback)) return names;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.index != 0) names.insert(interface.name);
  }
  return names;
}

/// A default route has no address that tells its family; its gateway does.
bool is_default_of_ipv6(const RouteFacts& route) {
  return route.destination.version == 0 && route.gateway && route.gateway->version == 6;
}

/// Which list a route stands in: `ip route` and `ip -6 route` print one family, and one table.
std::string list_of(const RouteFacts& route) {
  const bool is_ipv6 = route.destination.version == 6 || is_default_of_ipv6(route);
  return fmt::format("{} {}", is_ipv6 ? "IPv6" : "IPv4", route.table);
}

std::string name_of(const RouteFacts& route) {
  std::string name = "default";
  if (route.destination.version != 0)
    name = fmt::format("{}/{}", to_string(route.destination), route.prefix_len);
  if (is_default_of_ipv6(route)) name += "6";
  if (route.metric) name += fmt::format(" metric {}", *route.metric);
  if (!route.table.empty() && route.table != "main") name += " table " + route.table;
  return name;
}

std::string value_of(const RouteFacts& route) {
  Values values;
  put(values, "mtu", route.mtu_bytes);
  put(values, "mtu lock", route.mtu_locked);
  put(values, "advmss", route.advmss);
  put(values, "initcwnd", route.initcwnd);
  put(values, "initrwnd", route.initrwnd);
  put(values, "window", route.window);
  put(values, "quickack", route.quickack);
  put(values, "rto_min", route.rto_min_s);
  put(values, "congctl", route.congestion_control);
  std::string text = route.type;
  if (route.gateway)
    text += fmt::format("{}via {}", text.empty() ? "" : " ", to_string(*route.gateway));
  if (!route.interface.empty())
    text += fmt::format("{}dev {}", text.empty() ? "" : " ", route.interface);
  for (const auto& [name, value] : values) text += fmt::format(" {} {}", name, value);
  return text;
}

}  // namespace

HostValues values_of(const MachineFacts& facts) {
  HostValues values;
  for (const auto& [key, told] : facts.settings) {
    if (is_setting(key)) values.settings[key] = told.value;
  }
  for (const InterfaceFacts& interface : facts.interfaces)
    values.interfaces[interface.name] = values_of(interface);
  values.listed_interfaces = listed_in(facts);
  for (const RouteFacts& route : facts.routes) {
    // `ip route get` tells no table: it answers for one address, and lists nothing.
    if (route.is_exception || route.table == "local" || route.table.empty()) continue;
    // Several next hops under one name stand one behind the other.
    std::string& text = values.routes[list_of(route)][name_of(route)];
    const std::string value = value_of(route);
    // Two commands may have printed the same route.
    if (!("; " + text + "; ").contains("; " + value + "; "))
      text += (text.empty() ? "" : "; ") + value;
  }
  for (const std::string& line : facts.packages) values.packages[line] = "installed";
  if (facts.os != "Linux") put(values.host, "system", facts.os);  // uname's word says nothing
  put(values.host, "kernel", facts.kernel);
  put(values.host, "virtualization", facts.virtualization);
  if (facts.clock_source) values.host["clock source"] = *facts.clock_source;
  return values;
}

}  // namespace slowpath::detect
