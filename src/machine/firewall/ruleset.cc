// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/ruleset.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "machine/text/shapes.h"

namespace slowpath::machine::firewall {
namespace {

struct Named {
  std::string_view name;
  std::uint64_t value;
};

// /etc/protocols of Debian, those that rules name.
constexpr auto kProtocols = std::to_array<Named>({{"icmp", 1},
                                                  {"igmp", 2},
                                                  {"ipencap", 4},
                                                  {"tcp", 6},
                                                  {"udp", 17},
                                                  {"ipv6", 41},
                                                  {"gre", 47},
                                                  {"esp", 50},
                                                  {"ah", 51},
                                                  {"icmpv6", 58},
                                                  {"ospf", 89},
                                                  {"ipv6-icmp", 58},
                                                  {"sctp", 132},
                                                  {"udplite", 136},
                                                  {"vrrp", 112},
                                                  {"pim", 103},
                                                  {"dccp", 33},
                                                  {"ipcomp", 108},
                                                  {"ipv6-nonxt", 59}});

struct NamedIcmp {
  std::string_view name;
  std::uint64_t type;
  std::int32_t code;  // -1: any
};
// nft(8), ICMP TYPE TYPE; iptables -p icmp -h. IANA, ICMP Parameters.
constexpr auto kIcmp = std::to_array<NamedIcmp>({{"echo-reply", 0, -1},
                                                 {"pong", 0, -1},
                                                 {"destination-unreachable", 3, -1},
                                                 {"network-unreachable", 3, 0},
                                                 {"host-unreachable", 3, 1},
                                                 {"protocol-unreachable", 3, 2},
                                                 {"port-unreachable", 3, 3},
                                                 {"fragmentation-needed", 3, 4},
                                                 {"source-quench", 4, -1},
                                                 {"redirect", 5, -1},
                                                 {"echo-request", 8, -1},
                                                 {"ping", 8, -1},
                                                 {"router-advertisement", 9, -1},
                                                 {"router-solicitation", 10, -1},
                                                 {"time-exceeded", 11, -1},
                                                 {"ttl-exceeded", 11, -1},
                                                 {"ttl-zero-during-transit", 11, 0},
                                                 {"ttl-zero-during-reassembly", 11, 1},
                                                 {"parameter-problem", 12, -1},
                                                 {"timestamp-request", 13, -1},
                                                 {"timestamp-reply", 14, -1},
                                                 {"info-request", 15, -1},
                                                 {"info-reply", 16, -1},
                                                 {"address-mask-request", 17, -1},
                                                 {"address-mask-reply", 18, -1}});
// nft(8), ICMPV6 TYPE TYPE; ip6tables -p icmpv6 -h.
constexpr auto kIcmpV6 = std::to_array<NamedIcmp>({{"destination-unreachable", 1, -1},
                                                   {"no-route", 1, 0},
                                                   {"packet-too-big", 2, -1},
                                                   {"time-exceeded", 3, -1},
                                                   {"ttl-exceeded", 3, -1},
                                                   {"parameter-problem", 4, -1},
                                                   {"bad-header", 4, 0},
                                                   {"echo-request", 128, -1},
                                                   {"ping", 128, -1},
                                                   {"echo-reply", 129, -1},
                                                   {"mld-listener-query", 130, -1},
                                                   {"mld-listener-report", 131, -1},
                                                   {"mld-listener-done", 132, -1},
                                                   {"mld-listener-reduction", 132, -1},
                                                   {"nd-router-solicit", 133, -1},
                                                   {"router-solicitation", 133, -1},
                                                   {"nd-router-advert", 134, -1},
                                                   {"router-advertisement", 134, -1},
                                                   {"nd-neighbor-solicit", 135, -1},
                                                   {"neighbour-solicitation", 135, -1},
                                                   {"neighbor-solicitation", 135, -1},
                                                   {"nd-neighbor-advert", 136, -1},
                                                   {"neighbour-advertisement", 136, -1},
                                                   {"neighbor-advertisement", 136, -1},
                                                   {"nd-redirect", 137, -1},
                                                   {"redirect", 137, -1},
                                                   {"router-renumbering", 138, -1},
                                                   {"ind-neighbor-solicit", 141, -1},
                                                   {"ind-neighbor-advert", 142, -1},
                                                   {"mld2-listener-report", 143, -1}});
constexpr auto kStates = std::to_array<Named>({{"invalid", kInvalid},
                                               {"established", kEstablished},
                                               {"related", kRelated},
                                               {"new", kNew},
                                               {"untracked", kUntracked}});

constexpr auto kFields = std::to_array<std::string_view>(
    {"family", "protocol", "icmp type", "icmp code", "ct state", "in", "out", "rate", "other"});
constexpr auto kActions = std::to_array<std::string_view>(
    {"next", "accept", "drop", "jump", "goto", "return", "not understood"});

std::optional<std::uint64_t> octet(std::string_view word) {
  const auto number = text::whole_number(word);
  return number && *number <= 255 ? number : std::nullopt;
}

std::string values_of(const Condition& condition) {
  if (condition.field != Field::ct_state || condition.ranges.empty()) {
    std::vector<std::string> values(condition.names);
    for (const auto& [first, last] : condition.ranges)
      values.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
    return fmt::format("{}", fmt::join(values, "|"));
  }
  std::vector<std::string_view> states;
  for (const Named& each : kStates) {
    if ((condition.ranges.front().first & each.value) != 0) states.push_back(each.name);
  }
  return fmt::format("{}", fmt::join(states, ","));
}

}  // namespace

void link_chains(Ruleset& ruleset) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::size_t> places;
  for (std::size_t at = 0; at < ruleset.chains.size(); ++at) {
    const Chain& chain = ruleset.chains[at];
    places.try_emplace({chain.family, chain.table, chain.name}, at);
  }
  for (Chain& chain : ruleset.chains) {
    for (Rule& rule : chain.rules) {
      const auto found = places.find({chain.family, chain.table, rule.target});
      if (found != places.end() && !rule.target.empty()) rule.callee = found->second;
    }
  }
}

std::string name_of(const Chain& chain) {
  return fmt::format("{} {} {}", chain.family, chain.table, chain.name);
}

std::optional<std::uint64_t> protocol_number(std::string_view word) {
  if (const auto number = octet(word)) return number;
  const auto* found = std::ranges::find(kProtocols, word, &Named::name);
  return found == kProtocols.end() ? std::nullopt : std::optional(found->value);
}

std::optional<IcmpKind> icmp_kind(std::string_view word, bool is_v6) {
  const std::size_t slash = word.find('/');
  if (const auto type = octet(word.substr(0, slash))) {
    if (slash == std::string_view::npos) return IcmpKind{*type, std::nullopt};
    const auto code = octet(word.substr(slash + 1));
    return code ? std::optional(IcmpKind{*type, code}) : std::nullopt;
  }
  const auto find = [word](const auto& table) -> std::optional<IcmpKind> {
    const auto* found = std::ranges::find(table, word, &NamedIcmp::name);
    if (found == table.end()) return std::nullopt;
    IcmpKind kind{found->type, std::nullopt};
    if (found->code >= 0) kind.code = static_cast<std::uint64_t>(found->code);
    return kind;
  };
  return is_v6 ? find(kIcmpV6) : find(kIcmp);
}

std::optional<std::uint64_t> state_bit(std::string_view word) {
  const std::string name = text::lower(word);
  const auto* found = std::ranges::find(kStates, std::string_view(name), &Named::name);
  return found == kStates.end() ? std::nullopt : std::optional(found->value);
}

std::string describe(const Rule& rule) {
  std::vector<std::string> parts;
  for (const Condition& each : rule.conditions) {
    const std::string values = values_of(each);
    parts.push_back(fmt::format("{}{}{}{}", each.negated ? "not " : "",
                                kFields.at(static_cast<std::size_t>(each.field)),
                                values.empty() ? "" : " ", values));
  }
  std::string result(kActions.at(static_cast<std::size_t>(rule.action)));
  if (!rule.target.empty()) result += " " + rule.target;
  if (rule.clamps_mss) result = "set MSS";
  if (rule.translates) result = "translate";
  return parts.empty() ? result : fmt::format("{}: {}", fmt::join(parts, ", "), result);
}

}  // namespace slowpath::machine::firewall
