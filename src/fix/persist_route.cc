// SPDX-License-Identifier: Apache-2.0
#include "fix/persist_route.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "fix/interface_manager.h"
#include "fix/persist.h"
#include "fix/route_item.h"
#include "fix/route_knob.h"

namespace slowpath::fix {
namespace {

/// One metric of one route as it shall be, in the words of ip-route(8).
struct Metric {
  std::string interface, destination, word, value;  // value without " lock"
  bool is_locked = false, is_ipv6 = false;
  bool is_made = false;  // there is no such route yet: the step makes it
  std::string gateway;   // of packets to there; empty: on the link
  std::string source;    // address that they are sent from; empty: the route names none
  std::string protocol;  // who made the route, as the knob "proto" says
  bool by_dhcp = false;  // of a made one: DHCP brings its gateway, or the link's address
};

Result<std::string> read_word(Kernel& kernel, const Knob& knob, std::string_view word) {
  const std::string to = knob.item.substr(knob.item.find('@'));
  return kernel.read({KnobKind::route, knob.interface, std::string(word) + to});
}

/// Whether DHCP brought the default route by that interface, and with it the gateway.
bool is_by_dhcp(Kernel& kernel, const Metric& metric) {
  const auto told = [&](std::string_view word) {
    return kernel.read({KnobKind::route, metric.interface, fmt::format("{}@default", word)})
        .value_or("");
  };
  return !metric.is_ipv6 && told(kProtocolWord) == "dhcp" &&
         (metric.gateway.empty() || told(kGatewayWord) == metric.gateway);
}

Result<Metric> metric_of(Kernel& kernel, const Turn& turn) {
  const std::size_t at = turn.knob.item.find('@');
  Metric metric;
  metric.interface = turn.knob.interface;
  metric.word = turn.knob.item.substr(0, at);
  metric.destination = turn.knob.item.substr(at + 1);
  const std::optional<RouteItem> item = parse_route_item(turn.knob.item);
  metric.is_ipv6 = item && item->to.address_bits() == 128;
  if (metric.destination == "default6") metric.destination = "default";
  metric.value = turn.after;
  metric.is_locked = metric.value.ends_with(kLockSuffix);
  if (metric.is_locked) metric.value.resize(metric.value.size() - kLockSuffix.size());
  metric.is_made = turn.before == kNoRoute;
  const Result<std::string> gateway = read_word(kernel, turn.knob, kGatewayWord);
  if (!gateway) return std::unexpected(gateway.error());
  if (*gateway != kNoMetric) metric.gateway = *gateway;
  const Result<std::string> source = read_word(kernel, turn.knob, kSourceWord);
  if (!source) return std::unexpected(source.error());
  if (*source != kNoMetric) metric.source = *source;
  if (!metric.is_made) {
    const Result<std::string> protocol = read_word(kernel, turn.knob, kProtocolWord);
    if (!protocol) return std::unexpected(protocol.error());
    metric.protocol = *protocol;
  }
  metric.by_dhcp = metric.is_made && is_by_dhcp(kernel, metric);
  return metric;
}

/// In a shell, once the interface is up. A route that is there keeps all else that it has: what
/// `ip route show` prints, `ip route change` takes, but for what only says how the link is.
std::string script_for(const Metric& metric) {
  const std::string ip = metric.is_ipv6 ? "ip -6" : "ip -4";
  // ip(8) locks rto_min without being told, and takes milliseconds only with their unit.
  const std::string set =
      metric.value == kNoMetric ? ""
      : metric.word == "rto_min"
          ? fmt::format("rto_min {}ms", metric.value)
          : fmt::format("{} {}{}", metric.word, metric.is_locked ? "lock " : "", metric.value);
  if (metric.is_made) {
    const std::string via = metric.gateway.empty() ? "" : "via " + metric.gateway + " ",
                      src = metric.source.empty() ? "" : "src " + metric.source + " ";
    return fmt::format("{} route replace {} {}dev {} proto {} {}{}\n", ip, metric.destination, via,
                       metric.interface, kRouteProtocol, src, set);
  }
  return fmt::format(
      "route=$({0} route show exact {1} dev {2} | head -n 1 |\n"
      "  sed 's/ {3} \\(lock \\)\\{{0,1\\}}[^ ]*//; s/ rto_min lock / rto_min /; s/ linkdown//; s/ "
      "dead//')\n"
      "[ -z \"$route\" ] || {0} route change $route dev {2} {4}\n",
      ip, metric.destination, metric.interface, metric.word, set);
}

/// The keys of systemd.network(5); empty: it has none. Those for routes that
/// DHCP brings, which are for all of them, only as far as systemd 252 knows them.
struct NetworkdKeys {
  std::string_view word, route, dhcp;
};
constexpr std::array kNetworkdKeys{
    NetworkdKeys{"mtu", "MTUBytes", "RouteMTUBytes"},
    NetworkdKeys{"initcwnd", "InitialCongestionWindow", ""},
    NetworkdKeys{"initrwnd", "InitialAdvertisedReceiveWindow", ""},
    NetworkdKeys{"quickack", "QuickAck", ""},
    NetworkdKeys{"advmss", "TCPAdvertisedMaximumSegmentSize", ""},
};

NetworkdKeys keys_of(const std::string& word) {
  for (const NetworkdKeys& keys : kNetworkdKeys) {
    if (keys.word == word) return keys;
  }
  return {};
}

/// The sections of a drop-in, which a route of our own has. Routes of the network's own file cannot
/// be changed from beside it, and one that DHCP brings only with all the others.
Result<std::string> networkd_sections(const Entry& entry, const Metric& metric,
                                      const std::string& file) {
  const NetworkdKeys keys = keys_of(metric.word);
  if (metric.value == kNoMetric)
    return cannot_last(
        entry, "a drop-in of systemd.network(5) cannot take a route's metric away",
        fmt::format("take {} out of what sets it: {}, its drop-ins, or the DHCP server",
                    metric.word, file));
  const std::string value =
      metric.word == "quickack" ? (metric.value == "0" ? "no" : "yes") : metric.value;
  if (keys.route.empty() || metric.is_locked)
    return cannot_last(entry,
                       fmt::format("systemd.network(5) has no word for {}{}", metric.word,
                                   metric.is_locked ? " lock" : ""),
                       "have a script of networkd-dispatcher(8) run the command");
  if (metric.is_made) {
    // Before the lease there is neither the gateway nor the address: systemd waits for `_dhcp4`,
    // and takes the address of the lease.
    const std::string_view via = metric.by_dhcp ? "_dhcp4" : std::string_view(metric.gateway);
    const std::string gateway = metric.gateway.empty() ? "" : fmt::format("Gateway={}\n", via),
                      source = metric.source.empty() || metric.by_dhcp
                                   ? ""
                                   : "PreferredSource=" + metric.source + "\n";
    return fmt::format("[Route]\nDestination={}\n{}{}Protocol={}\n{}={}\n", metric.destination,
                       gateway, source, kRouteProtocol, keys.route, value);
  }
  if (metric.protocol == "dhcp" && !metric.is_ipv6 && !keys.dhcp.empty())
    return cannot_last(
        entry,
        fmt::format("{} of systemd.network(5) is for every route that DHCP brings, not "
                    "for this one alone",
                    keys.dhcp),
        fmt::format("where all of them may have it, add '{}={}' to [DHCPv4] of {}", keys.dhcp,
                    value, file));
  if (metric.protocol == "dhcp")
    return cannot_last(
        entry, "systemd.network(5) has no word for it on routes that DHCP brings",
        fmt::format("add '{}={}' to [DHCPv4] of {} if your systemd knows that key: the "
                    "log of systemd-networkd says so",
                    keys.route, value, file));
  return cannot_last(entry, fmt::format("a route of {} can only be changed there", file),
                     fmt::format("add '{}={}' to its section [Route]", keys.route, value));
}

/// One knob a step of routes, as plan.h has them; several are of one interface.
Result<std::string> sections_of(const Entry& entry, const std::vector<Metric>& metrics,
                                const std::string& file) {
  std::string text;
  for (const Metric& metric : metrics) {
    const Result<std::string> sections = networkd_sections(entry, metric, file);
    if (!sections) return sections;
    text += *sections;
  }
  return text;
}

/// /etc has a drop-in for the file wherever that lies itself.
std::string drop_in_folder(const std::string& file) {
  return "/etc/systemd/network/" + std::filesystem::path(file).filename().string() + ".d/";
}

}  // namespace

Result<MadeFile> route_file(Kernel& kernel, const Entry& entry, const std::string& header,
                            const std::string& root) {
  std::vector<Metric> metrics;
  for (const Turn& turn : entry.turns) {
    if (turn.knob.kind != KnobKind::route) continue;
    Result<Metric> metric = metric_of(kernel, turn);
    if (!metric) return std::unexpected(metric.error());
    metrics.push_back(std::move(*metric));
  }
  const std::string& interface = metrics.front().interface;
  std::string commands;
  for (const Metric& metric : metrics) commands += script_for(metric);
  if (is_ifupdowns(interface, root)) {
    return MadeFile{fmt::format("{}/etc/network/if-up.d/slowpath-{}", root, entry.id),
                    fmt::format("#!/bin/sh\n{}[ \"$IFACE\" = '{}' ] || exit 0\n{}", header,
                                interface, commands),
                    false};
  }
  if (const std::string file = networkd_file(interface, root); !file.empty()) {
    const Result<std::string> sections = sections_of(entry, metrics, file);
    if (!sections) return std::unexpected(sections.error());
    return MadeFile{fmt::format("{}{}90-slowpath-{}.conf", root, drop_in_folder(file), entry.id),
                    header + *sections, false};
  }
  if (is_network_managers(interface, root)) {
    return MadeFile{
        fmt::format("{}/etc/NetworkManager/dispatcher.d/90-slowpath-{}", root, entry.id),
        fmt::format("#!/bin/sh\n{}[ \"$1\" = '{}' ] && [ \"$2\" = up ] || exit 0\n{}", header,
                    interface, commands),
        false};
  }
  return cannot_last(
      entry,
      fmt::format("neither ifupdown, systemd-networkd nor NetworkManager has {} in hand",
                  interface),
      "add the command to what makes the route");
}

}  // namespace slowpath::fix
