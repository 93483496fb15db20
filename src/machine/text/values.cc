// SPDX-License-Identifier: Apache-2.0
// Numbers, rates, sizes, switches and addresses as commands write them.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

template <typename Number, typename... Base>
std::optional<Number> number_of(std::string_view text, Base... base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Where the number that a text begins with ends; of "6.7.0" that is 6.7.
std::size_t number_length(std::string_view text) {
  std::size_t separators = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool is_separator = text[at] == '.' || text[at] == ',';
    if (is_separator ? ++separators > 1 : text[at] < '0' || text[at] > '9') break;
  }
  return at;
}

/// 'K' is 1, 'M' 2, 'G' 3, 'T' 4, else 0.
int prefix_of(std::string_view unit) {
  if (unit.empty()) return 0;
  constexpr std::string_view kPrefixes = "kmgt";
  const std::size_t at = kPrefixes.find(lower(unit.substr(0, 1)));
  return at == std::string_view::npos ? 0 : static_cast<int>(at) + 1;
}

constexpr auto kTruths =
    std::to_array<std::pair<std::string_view, bool>>({{"on", true},
                                                      {"off", false},
                                                      {"enabled", true},
                                                      {"disabled", false},
                                                      {"true", true},
                                                      {"false", false},
                                                      {"yes", true},
                                                      {"no", false},
                                                      {"1", true},
                                                      {"0", false},
                                                      {"aktiviert", true},
                                                      {"deaktiviert", false},
                                                      {"ein", true},
                                                      {"aus", false},
                                                      {"ja", true},
                                                      {"nein", false},
                                                      {"activé", true},
                                                      {"désactivé", false},
                                                      {"active", true},
                                                      {"desactive", false},
                                                      {"activ\uFFFD", true},
                                                      {"d\uFFFDsactiv\uFFFD", false},
                                                      {"oui", true},
                                                      {"non", false},
                                                      {"habilitado", true},
                                                      {"deshabilitado", false},
                                                      {"activado", true},
                                                      {"desactivado", false},
                                                      {"ativado", true},
                                                      {"desativado", false},
                                                      {"desabilitado", false},
                                                      {"sim", true},
                                                      {"não", false},
                                                      {"有効", true},
                                                      {"無効", false},
                                                      {"オン", true},
                                                      {"オフ", false},
                                                      {"inactive", false}});

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    return number_of<std::uint64_t>(text.substr(2), 16);
  }
  return number_of<std::uint64_t>(text, 10);
}

std::optional<std::uint32_t> whole_number32(std::string_view text) {
  const auto value = whole_number(text);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint64_t> hex_number(std::string_view text) {
  return number_of<std::uint64_t>(text, 16);
}

std::optional<double> real_number(std::string_view text) {
  const auto value = number_of<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<double> leading_number(std::string_view text) {
  std::string digits(text.substr(0, number_length(text)));
  std::ranges::replace(digits, ',', '.');
  while (digits.ends_with('.')) digits.pop_back();
  return real_number(digits);
}

std::optional<double> rate_bps(std::string_view text) {
  text = trim(text);
  const auto value = leading_number(text);
  const std::string_view unit = trim(text.substr(number_length(text)));
  const int prefix = prefix_of(unit);
  const std::string_view base = unit.substr(prefix > 0 ? 1 : 0);
  if (!value || base.empty()) return std::nullopt;
  const bool bytes = base.starts_with("Byte") || base.starts_with("B/");
  if (!bytes && base.front() != 'b') return std::nullopt;
  return *value * std::pow(bytes ? 1024.0 : 1000.0, prefix) * (bytes ? 8.0 : 1.0);
}

std::optional<double> size_bytes(std::string_view text) {
  text = trim(text);
  const auto value = leading_number(text);
  if (!value) return std::nullopt;
  return *value * std::pow(1024.0, prefix_of(trim(text.substr(number_length(text)))));
}

std::optional<bool> truth_of(std::string_view text) {
  const std::string word = lower(trim(text));
  const auto found =
      std::ranges::find(kTruths, std::string_view(word), &std::pair<std::string_view, bool>::first);
  if (found == kTruths.end()) return std::nullopt;
  return found->second;
}

std::optional<IpAddress> address_of(std::string_view text) {
  if (text.size() > INET6_ADDRSTRLEN) return std::nullopt;
  return parse_address(text.substr(0, text.find('%')));
}

std::optional<Endpoint> endpoint_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (const auto zone = host.find('%'); zone != std::string::npos) {
    host.erase(zone, std::min(host.find(']', zone), host.size()) - zone);
  }
  std::string_view inner = host;
  if (inner.starts_with('[') && inner.ends_with(']')) inner = inner.substr(1, inner.size() - 2);
  Endpoint endpoint;
  if (inner != "*") {
    const auto address = address_of(inner);
    if (!address) return std::nullopt;
    endpoint.address = *address;
  }
  const std::string_view port = text.substr(colon + 1);
  const auto number = port == "*" ? std::optional<std::uint32_t>(0) : whole_number32(port);
  if (!number || *number > 65535) return std::nullopt;
  endpoint.port = static_cast<std::uint16_t>(*number);
  return endpoint;
}

}  // namespace slowpath::machine::text
