// SPDX-License-Identifier: Apache-2.0
#include "fix/route_item.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace slowpath::fix {
namespace {

constexpr std::array kMetrics{
    RouteMetric{"mtu", RTAX_MTU},           RouteMetric{"advmss", RTAX_ADVMSS},
    RouteMetric{"initcwnd", RTAX_INITCWND}, RouteMetric{"initrwnd", RTAX_INITRWND},
    RouteMetric{"window", RTAX_WINDOW},     RouteMetric{"rto_min", RTAX_RTO_MIN},
    RouteMetric{"quickack", RTAX_QUICKACK},
};

std::optional<RouteDestination> parse_destination(std::string_view text) {
  if (text == "default") return RouteDestination{AF_INET, 0, {}};
  if (text == "default6") return RouteDestination{AF_INET6, 0, {}};
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  RouteDestination to;
  to.family = address.contains(':') ? AF_INET6 : AF_INET;
  to.address.version = to.family == AF_INET ? 4 : 6;
  if (inet_pton(to.family, address.c_str(), to.address.bytes.data()) != 1) return std::nullopt;
  to.length = static_cast<unsigned char>(to.address_bits());
  if (slash == std::string_view::npos) return to;
  unsigned length = 0;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (code != std::errc() || end != digits.data() + digits.size() || length > to.length)
    return std::nullopt;
  to.length = static_cast<unsigned char>(length);
  return to;
}

}  // namespace

std::size_t RouteDestination::address_bits() const { return family == AF_INET ? 32 : 128; }

const RouteMetric* find_route_metric(std::string_view word) {
  const auto found = std::ranges::find(kMetrics, word, &RouteMetric::word);
  return found == kMetrics.end() ? nullptr : &*found;
}

std::optional<RouteItem> parse_route_item(std::string_view item) {
  const std::size_t at = item.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<RouteDestination> to = parse_destination(item.substr(at + 1));
  if (!to) return std::nullopt;
  return RouteItem{item.substr(0, at), *to};
}

bool is_told_word(std::string_view word) {
  return word == kGatewayWord || word == kProtocolWord || word == kSourceWord;
}

bool is_route_item(std::string_view item) {
  const std::optional<RouteItem> parsed = parse_route_item(item);
  return parsed && (is_told_word(parsed->word) || find_route_metric(parsed->word) != nullptr);
}

std::string destination_of(std::string_view text) {
  if (text == "::/0") return "default6";
  if (text == "0.0.0.0/0") return "default";
  const std::optional<RouteDestination> to = parse_destination(text);
  if (!to) return {};
  if (to->address.version == 0) return std::string(text);
  return fmt::format("{}/{}", to_string(to->address), to->length);
}

}  // namespace slowpath::fix
