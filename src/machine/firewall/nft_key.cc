// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/nft_key.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "machine/firewall/words.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::firewall {
namespace {

constexpr auto kKeys = std::to_array<NftKey>({{"l4proto", "", Field::protocol},
                                              {"nfproto", "", Field::family},
                                              {"iifname", "", Field::in_interface},
                                              {"oifname", "", Field::out_interface},
                                              {"iif", "", Field::in_interface},
                                              {"oif", "", Field::out_interface},
                                              {"ip", "protocol", Field::protocol},
                                              {"ip6", "nexthdr", Field::protocol, true},
                                              {"icmp", "type", Field::icmp_type},
                                              {"icmp", "code", Field::icmp_code},
                                              {"icmpv6", "type", Field::icmp_type, true},
                                              {"icmpv6", "code", Field::icmp_code, true},
                                              {"ct", "state", Field::ct_state}});

// nft(8), ICMP CODE TYPE and ICMPV6 CODE TYPE.
constexpr auto kCodes =
    std::to_array<std::pair<std::string_view, std::uint64_t>>({{"net-unreachable", 0},
                                                               {"host-unreachable", 1},
                                                               {"prot-unreachable", 2},
                                                               {"port-unreachable", 3},
                                                               {"frag-needed", 4},
                                                               {"net-prohibited", 9},
                                                               {"host-prohibited", 10},
                                                               {"admin-prohibited", 13}});
// The same words mean other numbers there.
constexpr auto kCodesV6 =
    std::to_array<std::pair<std::string_view, std::uint64_t>>({{"no-route", 0},
                                                               {"admin-prohibited", 1},
                                                               {"addr-unreachable", 3},
                                                               {"port-unreachable", 4},
                                                               {"policy-fail", 5},
                                                               {"reject-route", 6}});

std::optional<std::uint64_t> code_of(std::string_view word, bool is_v6) {
  if (const auto number = text::whole_number(word)) return number;
  const auto find = [word](const auto& table) -> std::optional<std::uint64_t> {
    for (const auto& [name, code] : table) {
      if (name == word) return code;
    }
    return std::nullopt;
  };
  return is_v6 ? find(kCodesV6) : find(kCodes);
}

}  // namespace

const NftKey* find_nft_key(std::string_view first, std::string_view second) {
  const auto* found = std::ranges::find_if(kKeys, [&](const NftKey& key) {
    return key.first == first && (key.second.empty() || key.second == second);
  });
  return found == kKeys.end() ? nullptr : found;
}

bool add_nft_value(const NftKey& key, std::string_view word, Condition& condition) {
  const auto number = [&](std::optional<std::uint64_t> value) {
    if (value) condition.ranges.emplace_back(*value, *value);
    return value.has_value();
  };
  switch (key.field) {
    case Field::in_interface:
    case Field::out_interface:
      condition.names.emplace_back(unquoted(word));
      return true;
    case Field::family:
      return number(word == "ipv4"   ? std::optional<std::uint64_t>(4)
                    : word == "ipv6" ? std::optional<std::uint64_t>(6)
                                     : std::nullopt);
    case Field::protocol:
      return number(protocol_number(word));
    case Field::icmp_type: {
      const auto kind = icmp_kind(word, key.is_v6);
      return number(kind && !kind->code ? std::optional(kind->type) : std::nullopt);
    }
    case Field::icmp_code:
      return number(code_of(word, key.is_v6));
    case Field::ct_state: {
      const auto bit = state_bit(word);
      if (bit && condition.ranges.empty()) condition.ranges.emplace_back(0, 0);
      if (bit) condition.ranges.front().first |= *bit;
      return bit.has_value();
    }
    case Field::below_rate:
    case Field::other:
      break;
  }
  return false;
}

}  // namespace slowpath::machine::firewall
