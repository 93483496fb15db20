// SPDX-License-Identifier: Apache-2.0
#include "fix/route_knob.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "facts/address.h"
#include "fix/refusal.h"
#include "fix/route_item.h"
#include "machine/netlink.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Attributes;

std::unexpected<Error> refused(const std::string& attempt, int code) {
  return refused_by_kernel(code == EINVAL ? ErrorKind::usage : ErrorKind::environment, attempt,
                           code);
}

Result<netlink::Socket> open_socket(const std::string& attempt) {
  std::expected<netlink::Socket, int> socket = netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) return refused(attempt, socket.error());
  return std::move(*socket);
}

/// One route as the kernel told it.
struct Route {
  rtmsg header{};
  std::vector<std::byte> rest;  // its attributes

  [[nodiscard]] Attributes attributes() const { return Attributes{rest}; }
  [[nodiscard]] std::uint32_t priority() const {
    return attributes().u32(RTA_PRIORITY).value_or(0);
  }
};

std::optional<Route> parse_route(const netlink::Message& message) {
  const auto header = netlink::read_struct<rtmsg>(message.payload);
  if (message.type != RTM_NEWROUTE || !header) return std::nullopt;
  constexpr std::size_t kHeader = (sizeof(rtmsg) + 3U) & ~3U;
  if (message.payload.size() < kHeader) return std::nullopt;
  const Bytes rest = message.payload.subspan(kHeader);
  return Route{*header, {rest.begin(), rest.end()}};
}

bool leads_to(const Route& route, const RouteDestination& to) {
  const Attributes attributes = route.attributes();
  if (route.header.rtm_type != RTN_UNICAST || route.header.rtm_dst_len != to.length ||
      route.header.rtm_tos != 0 || (route.header.rtm_flags & RTM_F_CLONED) != 0 ||
      attributes.u32(RTA_TABLE).value_or(route.header.rtm_table) != RT_TABLE_MAIN)
    return false;
  const std::optional<Bytes> dst = attributes.find(RTA_DST);
  return dst ? std::ranges::equal(*dst, to.bytes()) : to.length == 0;
}

/// The route to there that is used, if there is one. Errors: where it cannot be told apart.
Result<std::optional<Route>> find_route(netlink::Socket& socket, const Knob& knob,
                                        const RouteDestination& to, const std::string& attempt) {
  const unsigned index = if_nametoindex(knob.interface.c_str());
  if (index == 0) return refused(attempt, ENODEV);
  netlink::Request request{RTM_GETROUTE, NLM_F_DUMP};
  rtmsg header{};
  header.rtm_family = to.family;
  request.body(header);
  const auto all = netlink::read_list(socket, request, parse_route);
  if (!all) return refused(attempt, all.error());
  std::optional<Route> best;
  bool several = false;
  for (const Route& route : *all) {
    if (!leads_to(route, to)) continue;
    if (best && best->priority() < route.priority()) continue;
    several = best && best->priority() == route.priority();
    best = route;
  }
  if (!best) return std::nullopt;
  const Attributes attributes = best->attributes();
  if (several || attributes.find(RTA_MULTIPATH))
    return fail(ErrorKind::usage, attempt, "the route has several next hops",
                "change it by hand: ip route show, ip route change");
  if (attributes.find(RTA_ENCAP))
    return fail(ErrorKind::usage, attempt, "the route has an encapsulation",
                "change it by hand: ip route show, ip route change");
  const auto info = attributes.find(RTA_CACHEINFO);
  const auto cache = info ? netlink::read_struct<rta_cacheinfo>(*info) : std::nullopt;
  if (cache && cache->rta_expires > 0)
    return fail(ErrorKind::usage, attempt, "a router advertises this route and renews it",
                "make a route to a single host instead: METRIC@ADDRESS");
  if (attributes.u32(RTA_OIF) != index) {
    std::array<char, IF_NAMESIZE> name{};
    if_indextoname(attributes.u32(RTA_OIF).value_or(0), name.data());
    return fail(
        ErrorKind::usage, attempt,
        fmt::format("packets to there leave by {}, not by {}", name.data(), knob.interface));
  }
  return best;
}

std::string text_of(const Route& route, const RouteMetric& metric) {
  const Attributes metrics = route.attributes().nested(RTA_METRICS);
  const auto value = metrics.u32(metric.type);
  if (!value) return std::string(kNoMetric);
  const bool locked = (metrics.u32(RTAX_LOCK).value_or(0) >> metric.type & 1U) != 0;
  return fmt::format("{}{}", *value, locked ? kLockSuffix : "");
}

std::string address_in(const Route& route, unsigned attribute) {
  const std::optional<Bytes> bytes = route.attributes().find(attribute);
  IpAddress address;
  if (!bytes || bytes->size() > address.bytes.size()) return std::string(kNoMetric);
  std::memcpy(address.bytes.data(), bytes->data(), bytes->size());
  address.version = bytes->size() == 4 ? 4 : 6;
  return to_string(address);
}

std::string protocol_of(const Route& route) {
  switch (route.header.rtm_protocol) {
    case RTPROT_KERNEL:
      return "kernel";
    case RTPROT_BOOT:
      return "boot";
    case RTPROT_STATIC:
      return "static";
    case RTPROT_RA:
      return "ra";
    case RTPROT_DHCP:
      return "dhcp";
    default:
      return std::to_string(route.header.rtm_protocol);
  }
}

/// What is only read.
std::string told_of(const Route& route, std::string_view word) {
  if (word == kProtocolWord) return protocol_of(route);
  return address_in(route, word == kSourceWord ? RTA_PREFSRC : RTA_GATEWAY);
}

/// What a metric shall be.
struct Wanted {
  std::optional<std::uint32_t> value;
  bool locked = false;
};
Result<Wanted> parse_value(std::string_view text, const std::string& attempt) {
  Wanted wanted;
  if (text == kNoMetric) return wanted;
  wanted.locked = text.ends_with(kLockSuffix);
  if (wanted.locked) text.remove_suffix(kLockSuffix.size());
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number == 0)
    return fail(ErrorKind::usage, attempt, fmt::format("'{}' is no number above zero", text));
  wanted.value = number;
  return wanted;
}

/// The metrics of `route` with one of them as wanted.
void add_metrics(netlink::Request& request, const Route& route, const RouteMetric& metric,
                 const Wanted& wanted) {
  const Attributes metrics = route.attributes().nested(RTA_METRICS);
  std::uint32_t locks = metrics.u32(RTAX_LOCK).value_or(0) & ~(1U << metric.type);
  if (wanted.locked) locks |= 1U << metric.type;
  bool any = wanted.value || locks != 0;
  for (const auto& attribute : metrics)
    any |= attribute.type != metric.type && attribute.type != RTAX_LOCK;
  if (!any) return;
  const std::size_t nest = request.begin_nest(RTA_METRICS);
  for (const auto& attribute : metrics) {
    if (attribute.type != metric.type && attribute.type != RTAX_LOCK)
      request.attribute(attribute.type, attribute.payload);
  }
  if (wanted.value) request.attribute_u32(metric.type, *wanted.value);
  if (locks != 0) request.attribute_u32(RTAX_LOCK, locks);
  request.end_nest(nest);
}

/// All that makes the route this one, so that only its metrics change.
void add_identity(netlink::Request& request, const Route& route, bool new_destination) {
  const Attributes attributes = route.attributes();
  const bool by_object = attributes.find(RTA_NH_ID).has_value();
  for (const auto& attribute : attributes) {
    switch (attribute.type) {
      case RTA_METRICS:
      case RTA_CACHEINFO:
        break;
      case RTA_DST:
      case RTA_PRIORITY:
      case RTA_TABLE:
        if (!new_destination) request.attribute(attribute.type, attribute.payload);
        break;
      case RTA_OIF:
      case RTA_GATEWAY:
      case RTA_VIA:
        // A next hop object says it all, and the kernel takes not both.
        if (!by_object) request.attribute(attribute.type, attribute.payload);
        break;
      default:
        request.attribute(attribute.type, attribute.payload);
    }
  }
}

int send(netlink::Socket& socket, netlink::Request& request) {
  return socket.ask(request, [](const netlink::Message&) {});
}

rtmsg settable(rtmsg header) {
  header.rtm_flags &= RTNH_F_ONLINK;
  return header;
}

Result<void> change_route(netlink::Socket& socket, const Route& route, const RouteMetric& metric,
                          const Wanted& wanted, const std::string& attempt) {
  netlink::Request request{RTM_NEWROUTE, NLM_F_REPLACE};
  request.body(settable(route.header));
  add_identity(request, route, false);
  add_metrics(request, route, metric, wanted);
  if (const int code = send(socket, request); code != 0) return refused(attempt, code);
  return {};
}

/// The route of the table that packets to this host take (RTM_F_FIB_MATCH, since Linux 4.12).
Result<Route> route_taken(netlink::Socket& socket, const RouteDestination& to,
                          const std::string& attempt) {
  netlink::Request request{RTM_GETROUTE, 0};
  rtmsg header{};
  header.rtm_family = to.family;
  header.rtm_dst_len = to.length;
  header.rtm_flags = RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE;
  request.body(header).attribute(RTA_DST, to.bytes());
  std::optional<Route> taken;
  const int code = socket.ask(request, [&](const netlink::Message& message) {
    if (std::optional<Route> route = parse_route(message)) taken = std::move(route);
  });
  if (code != 0) return refused(attempt, code);
  if (!taken || taken->header.rtm_type != RTN_UNICAST)
    return fail(ErrorKind::usage, attempt, "no route leads there");
  return std::move(*taken);
}

Result<void> make_route(netlink::Socket& socket, const Knob& knob, const RouteDestination& to,
                        const RouteMetric& metric, const Wanted& wanted,
                        const std::string& attempt) {
  if (!wanted.value || !to.is_host())
    return fail(ErrorKind::usage, attempt, "there is no such route",
                "'ip route show' lists those there are; one to a single host is made where there "
                "is none");
  Result<Route> taken = route_taken(socket, to, attempt);
  if (!taken) return std::unexpected(taken.error());
  const Attributes attributes = taken->attributes();
  if (attributes.find(RTA_MULTIPATH) || attributes.find(RTA_ENCAP) ||
      attributes.u32(RTA_OIF) != if_nametoindex(knob.interface.c_str()))
    return fail(ErrorKind::usage, attempt,
                fmt::format("packets to there do not leave by {} alone", knob.interface),
                "'ip route get' says how they go");
  rtmsg header = settable(taken->header);
  header.rtm_dst_len = to.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = kRouteProtocol;
  netlink::Request request{RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL};
  request.body(header).attribute(RTA_DST, to.bytes());
  add_identity(request, *taken, true);
  add_metrics(request, *taken, metric, wanted);
  if (const int code = send(socket, request); code != 0) return refused(attempt, code);
  return {};
}

Result<void> remove_route(netlink::Socket& socket, const Route& route, const std::string& attempt) {
  // systemd-networkd makes one of a drop-in again with DHCP's number, where DHCP brings the
  // gateway.
  if (route.header.rtm_protocol != kRouteProtocol && route.header.rtm_protocol != RTPROT_DHCP)
    return fail(ErrorKind::usage, attempt, "somebody else made this route: it is left alone");
  netlink::Request request{RTM_DELROUTE, 0};
  request.body(settable(route.header));
  add_identity(request, route, false);
  if (const int code = send(socket, request); code != 0) return refused(attempt, code);
  return {};
}

}  // namespace

Result<std::string> read_route(const Knob& knob) {
  const std::string attempt = "cannot read " + to_string(knob);
  const std::optional<RouteItem> item = parse_route_item(knob.item);
  if (!item) return fail(ErrorKind::usage, attempt, "no such form");
  Result<netlink::Socket> socket = open_socket(attempt);
  if (!socket) return std::unexpected(socket.error());
  const Result<std::optional<Route>> route = find_route(*socket, knob, item->to, attempt);
  if (!route) return std::unexpected(route.error());
  const RouteMetric* metric = find_route_metric(item->word);
  if (metric != nullptr) return *route ? text_of(**route, *metric) : std::string(kNoRoute);
  if (*route) return told_of(**route, item->word);
  const Result<Route> taken = route_taken(*socket, item->to, attempt);
  if (!taken) return std::unexpected(taken.error());
  return told_of(*taken, item->word);
}

Result<void> write_route(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to {}", to_string(knob), value);
  const std::optional<RouteItem> item = parse_route_item(knob.item);
  const RouteMetric* metric = item ? find_route_metric(item->word) : nullptr;
  if (metric == nullptr) return fail(ErrorKind::usage, attempt, "this can only be read");
  Result<netlink::Socket> socket = open_socket(attempt);
  if (!socket) return std::unexpected(socket.error());
  const Result<std::optional<Route>> route = find_route(*socket, knob, item->to, attempt);
  if (!route) return std::unexpected(route.error());
  if (value == kNoRoute) return *route ? remove_route(*socket, **route, attempt) : Result<void>{};
  const Result<Wanted> wanted = parse_value(value, attempt);
  if (!wanted) return std::unexpected(wanted.error());
  if (!*route) return make_route(*socket, knob, item->to, *metric, *wanted, attempt);
  return change_route(*socket, **route, *metric, *wanted, attempt);
}

}  // namespace slowpath::fix
