// SPDX-License-Identifier: Apache-2.0
#include "machine/live/routes.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "machine/live/host_files.h"

namespace slowpath::machine {
namespace {

using netlink::Attributes;

// rta_cacheinfo counts in USER_HZ, which is 100 on every platform Linux has but Alpha.
double user_ticks_per_second() {
  static const long ticks = sysconf(_SC_CLK_TCK);
  return ticks > 0 ? static_cast<double>(ticks) : 100.0;
}

void apply_metrics(const Attributes& metrics, RouteFacts& route) {
  route.mtu_bytes = metrics.u32(RTAX_MTU);
  route.initcwnd = metrics.u32(RTAX_INITCWND);
  route.initrwnd = metrics.u32(RTAX_INITRWND);
  route.advmss = metrics.u32(RTAX_ADVMSS);
  route.window = metrics.u32(RTAX_WINDOW);
  if (const auto quickack = metrics.u32(RTAX_QUICKACK)) route.quickack = *quickack != 0;
  if (const auto rto_min = metrics.u32(RTAX_RTO_MIN)) route.rto_min_s = *rto_min / 1000.0;
  // A bit for each locked metric, as in `ip route ... mtu lock 1400`.
  const std::uint32_t locked = metrics.u32(RTAX_LOCK).value_or(0);
  if (route.mtu_bytes) route.mtu_locked = (locked & (1U << RTAX_MTU)) != 0;
  route.congestion_control = metrics.text(RTAX_CC_ALGO);
}

std::string table_name(std::uint32_t table) {
  switch (table) {
    case RT_TABLE_MAIN:
      return "main";
    case RT_TABLE_LOCAL:
      return "local";
    case RT_TABLE_DEFAULT:
      return "default";
    case RT_TABLE_UNSPEC:
      return "";
    default:
      return std::to_string(table);
  }
}

// None for the types that are no way to anywhere.
std::optional<std::string> type_name(unsigned type) {
  switch (type) {
    case RTN_UNICAST:
      return "";
    case RTN_BLACKHOLE:
      return "blackhole";
    case RTN_UNREACHABLE:
      return "unreachable";
    case RTN_PROHIBIT:
      return "prohibit";
    case RTN_THROW:
      return "throw";
    default:
      return std::nullopt;
  }
}

std::string name_of(const InterfaceNames& names, std::uint32_t index) {
  const auto found = names.find(index);
  return found == names.end() ? std::string{} : found->second;
}

// RTA_GATEWAY, or RTA_VIA for a gateway of the other family (struct rtvia).
std::optional<IpAddress> gateway_of(const Attributes& attributes) {
  if (const auto bytes = attributes.find(RTA_GATEWAY)) return address_of(*bytes);
  const auto via = attributes.find(RTA_VIA);
  if (!via || via->size() < sizeof(std::uint16_t)) return std::nullopt;
  return address_of(via->subspan(sizeof(std::uint16_t)));
}

// struct rtnexthop, attributes, the next struct rtnexthop ...
std::vector<RouteFacts> each_next_hop(Bytes hops, const RouteFacts& whole,
                                      const InterfaceNames& names) {
  std::vector<RouteFacts> routes;
  for (;;) {
    const auto hop = netlink::read_struct<rtnexthop>(hops);
    if (!hop || hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > hops.size()) return routes;
    RouteFacts route = whole;
    route.interface = name_of(names, static_cast<std::uint32_t>(hop->rtnh_ifindex));
    route.gateway = gateway_of(Attributes{hops.first(hop->rtnh_len).subspan(sizeof(rtnexthop))});
    routes.push_back(std::move(route));
    hops = hops.subspan(std::min<std::size_t>((hop->rtnh_len + 3U) & ~3U, hops.size()));
  }
}

int read_family(netlink::Socket& socket, unsigned char family, bool exceptions,
                const InterfaceNames& names, std::vector<RouteFacts>& routes) {
  netlink::Request request{RTM_GETROUTE, NLM_F_DUMP};
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_flags = exceptions ? static_cast<unsigned>(RTM_F_CLONED) : 0U;
  request.body(header);
  const auto lists = netlink::read_list(
      socket, request,
      [&](const netlink::Message& message) -> std::optional<std::vector<RouteFacts>> {
        if (message.type != RTM_NEWROUTE) return std::nullopt;
        return parse_route(message.payload, names);
      });
  if (!lists) return lists.error();
  for (const auto& list : *lists) {
    for (const RouteFacts& route : list) {
      if (route.is_exception == exceptions) routes.push_back(route);
    }
  }
  return 0;
}

}  // namespace

std::vector<RouteFacts> parse_route(Bytes payload, const InterfaceNames& names) {
  const auto header = netlink::read_struct<rtmsg>(payload);
  if (!header || (header->rtm_family != AF_INET && header->rtm_family != AF_INET6)) return {};
  auto type = type_name(header->rtm_type);
  if (!type) return {};
  const Attributes attributes = netlink::attributes_after(payload, sizeof(rtmsg));
  RouteFacts route;
  route.type = *std::move(type);
  const auto destination = attributes.find(RTA_DST);
  if (destination) route.destination = address_of(*destination).value_or(IpAddress{});
  route.prefix_len = header->rtm_dst_len;
  route.is_exception = (header->rtm_flags & RTM_F_CLONED) != 0;
  route.gateway = gateway_of(attributes);
  route.interface = name_of(names, attributes.u32(RTA_OIF).value_or(0));
  route.metric = attributes.u32(RTA_PRIORITY);
  route.table = table_name(attributes.u32(RTA_TABLE).value_or(header->rtm_table));
  apply_metrics(attributes.nested(RTA_METRICS), route);
  const auto cache = attributes.find(RTA_CACHEINFO);
  const auto info = cache ? netlink::read_struct<rta_cacheinfo>(*cache) : std::nullopt;
  if (info && info->rta_expires > 0) route.expires_s = info->rta_expires / user_ticks_per_second();
  const bool is_ipv6 = header->rtm_family == AF_INET6;
  route.origin.where = is_ipv6 ? "rtnetlink: ip -6 route" : "rtnetlink: ip route";
  if (route.is_exception) route.origin.where += " show cache";
  if (const auto hops = attributes.find(RTA_MULTIPATH)) return each_next_hop(*hops, route, names);
  return {std::move(route)};
}

void read_routes(netlink::Socket& route_socket, MachineFacts& machine) {
  const InterfaceNames names = names_of(machine.interfaces);
  struct Part {
    unsigned char family;
    bool exceptions;
    const char* what;
  };
  static constexpr Part kParts[] = {{AF_INET, false, "IPv4 routes"},
                                    {AF_INET6, false, "IPv6 routes"},
                                    {AF_INET, true, "IPv4 path MTU exceptions"},
                                    {AF_INET6, true, "IPv6 path MTU exceptions"}};
  for (const Part& part : kParts) {
    const int error =
        read_family(route_socket, part.family, part.exceptions, names, machine.routes);
    if (error != 0) add_unread(machine.unread, part.what, error, "cap_net_admin");
  }
}

std::optional<std::uint32_t> find_route_interface(netlink::Socket& route_socket,
                                                  const IpAddress& destination) {
  const std::size_t size = destination.version == 4 ? 4 : 16;
  netlink::Request request{RTM_GETROUTE, 0};
  rtmsg header{};
  header.rtm_family = destination.version == 4 ? AF_INET : AF_INET6;
  header.rtm_dst_len = static_cast<unsigned char>(size * 8);
  request.body(header);
  request.attribute(RTA_DST, std::as_bytes(std::span{destination.bytes}).first(size));
  std::optional<std::uint32_t> index;
  (void)route_socket.ask(request, [&](const netlink::Message& message) {
    if (message.type != RTM_NEWROUTE) return;
    index = netlink::attributes_after(message.payload, sizeof(rtmsg)).u32(RTA_OIF);
  });
  return index;
}

}  // namespace slowpath::machine
