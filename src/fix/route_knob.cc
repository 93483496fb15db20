// SPDX-License-Identifier: Apache-2.0
#include "fix/route_knob.h"

#include <arpa/inet.h>
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
#include "machine/netlink.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Attributes;

struct Metric {
  std::string_view word;
  unsigned type;
};
constexpr std::array kMetrics{
    Metric{"mtu", RTAX_MTU},           Metric{"advmss", RTAX_ADVMSS},
    Metric{"initcwnd", RTAX_INITCWND}, Metric{"initrwnd", RTAX_INITRWND},
    Metric{"window", RTAX_WINDOW},     Metric{"rto_min", RTAX_RTO_MIN},
    Metric{"quickack", RTAX_QUICKACK},
};
constexpr std::string_view kGateway = "via", kLock = " lock";

const Metric* find_metric(std::string_view word) {
  const auto found = std::ranges::find(kMetrics, word, &Metric::word);
  return found == kMetrics.end() ? nullptr : &*found;
}

struct Destination {
  unsigned char family = AF_INET;
  unsigned char length = 0;
  IpAddress address;

  [[nodiscard]] std::size_t address_bytes() const { return family == AF_INET ? 4 : 16; }
  [[nodiscard]] bool is_host() const { return length == address_bytes() * 8; }
  [[nodiscard]] Bytes bytes() const {
    return std::as_bytes(std::span(address.bytes)).first(address_bytes());
  }
};

std::optional<Destination> parse_destination(std::string_view text) {
  Destination to;
  if (text == "default") return to;
  if (text == "default6") return Destination{AF_INET6, 0, {}};
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  to.family = address.contains(':') ? AF_INET6 : AF_INET;
  to.address.version = to.family == AF_INET ? 4 : 6;
  if (inet_pton(to.family, address.c_str(), to.address.bytes.data()) != 1) return std::nullopt;
  to.length = static_cast<unsigned char>(to.address_bytes() * 8);
  if (slash == std::string_view::npos) return to;
  unsigned length = 0;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (code != std::errc() || end != digits.data() + digits.size() || length > to.length)
    return std::nullopt;
  to.length = static_cast<unsigned char>(length);
  return to;
}

/// METRIC@DESTINATION, taken apart.
struct Item {
  std::string_view word;
  Destination to;
};
std::optional<Item> parse_item(std::string_view item) {
  const std::size_t at = item.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<Destination> to = parse_destination(item.substr(at + 1));
  if (!to) return std::nullopt;
  return Item{item.substr(0, at), *to};
}

std::unexpected<Error> refused(const std::string& attempt, int code) {
  const bool forbidden = code == EPERM || code == EACCES;
  return fail(code == EINVAL ? ErrorKind::usage : ErrorKind::environment, attempt,
              std::strerror(code), forbidden ? "this needs cap_net_admin: run it as root" : "");
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

bool leads_to(const Route& route, const Destination& to) {
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
                                        const Destination& to, const std::string& attempt) {
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

std::string text_of(const Route& route, const Metric& metric) {
  const Attributes metrics = route.attributes().nested(RTA_METRICS);
  const auto value = metrics.u32(metric.type);
  if (!value) return std::string(kNoMetric);
  const bool locked = (metrics.u32(RTAX_LOCK).value_or(0) >> metric.type & 1U) != 0;
  return fmt::format("{}{}", *value, locked ? kLock : "");
}

std::string gateway_of(const Route& route) {
  const std::optional<Bytes> gateway = route.attributes().find(RTA_GATEWAY);
  IpAddress address;
  if (!gateway || gateway->size() > address.bytes.size()) return std::string(kNoMetric);
  std::memcpy(address.bytes.data(), gateway->data(), gateway->size());
  address.version = gateway->size() == 4 ? 4 : 6;
  return to_string(address);
}

/// What a metric shall be.
struct Wanted {
  std::optional<std::uint32_t> value;
  bool locked = false;
};
Result<Wanted> parse_value(std::string_view text, const std::string& attempt) {
  Wanted wanted;
  if (text == kNoMetric) return wanted;
  wanted.locked = text.ends_with(kLock);
  if (wanted.locked) text.remove_suffix(kLock.size());
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number == 0)
    return fail(ErrorKind::usage, attempt, fmt::format("'{}' is no number above zero", text));
  wanted.value = number;
  return wanted;
}

/// The metrics of `route` with one of them as wanted.
void add_metrics(netlink::Request& request, const Route& route, const Metric& metric,
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

Result<void> change_route(netlink::Socket& socket, const Route& route, const Metric& metric,
                          const Wanted& wanted, const std::string& attempt) {
  netlink::Request request{RTM_NEWROUTE, NLM_F_REPLACE};
  request.body(settable(route.header));
  add_identity(request, route, false);
  add_metrics(request, route, metric, wanted);
  if (const int code = send(socket, request); code != 0) return refused(attempt, code);
  return {};
}

/// The route of the table that packets to this host take (RTM_F_FIB_MATCH, since Linux 4.12).
Result<Route> route_taken(netlink::Socket& socket, const Destination& to,
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

Result<void> make_route(netlink::Socket& socket, const Knob& knob, const Destination& to,
                        const Metric& metric, const Wanted& wanted, const std::string& attempt) {
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
  if (route.header.rtm_protocol != kRouteProtocol)
    return fail(ErrorKind::usage, attempt, "somebody else made this route: it is left alone");
  netlink::Request request{RTM_DELROUTE, 0};
  request.body(settable(route.header));
  add_identity(request, route, false);
  if (const int code = send(socket, request); code != 0) return refused(attempt, code);
  return {};
}

}  // namespace

bool is_route_metric(std::string_view word) { return find_metric(word) != nullptr; }

bool is_route_item(std::string_view item) {
  const std::optional<Item> parsed = parse_item(item);
  return parsed && (parsed->word == kGateway || is_route_metric(parsed->word));
}

std::string destination_of(std::string_view text) {
  if (text == "::/0") return "default6";
  if (text == "0.0.0.0/0") return "default";
  const std::optional<Destination> to = parse_destination(text);
  if (!to) return {};
  if (to->address.version == 0) return std::string(text);
  return fmt::format("{}/{}", to_string(to->address), to->length);
}

Result<std::string> read_route(const Knob& knob) {
  const std::string attempt = "cannot read " + to_string(knob);
  const std::optional<Item> item = parse_item(knob.item);
  if (!item) return fail(ErrorKind::usage, attempt, "no such form");
  Result<netlink::Socket> socket = open_socket(attempt);
  if (!socket) return std::unexpected(socket.error());
  const Result<std::optional<Route>> route = find_route(*socket, knob, item->to, attempt);
  if (!route) return std::unexpected(route.error());
  const Metric* metric = find_metric(item->word);
  if (metric != nullptr) return *route ? text_of(**route, *metric) : std::string(kNoRoute);
  if (*route) return gateway_of(**route);
  const Result<Route> taken = route_taken(*socket, item->to, attempt);
  if (!taken) return std::unexpected(taken.error());
  return gateway_of(*taken);
}

Result<void> write_route(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to {}", to_string(knob), value);
  const std::optional<Item> item = parse_item(knob.item);
  const Metric* metric = item ? find_metric(item->word) : nullptr;
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
