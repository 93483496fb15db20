// SPDX-License-Identifier: Apache-2.0
#include "machine/live/nft_value.h"

#include <linux/if_ether.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "machine/netlink.h"

namespace slowpath::machine {
namespace {

using firewall::Condition;
using firewall::Field;

constexpr std::size_t kMaxInterval = 1000;

/// Names are padded with zeroes; without one they are the beginning of a name.
std::string interface_pattern(Bytes bytes) {
  const std::string name = netlink::text_of(bytes);
  return name.size() < bytes.size() ? name : name + "*";
}

/// Each interval is one element where it begins and one that marks where it has ended.
bool add_intervals(const NftLoaded& from, const NftSet& set, Condition& condition) {
  const bool is_octet = from.field == Field::protocol || from.field == Field::icmp_type ||
                        from.field == Field::icmp_code;
  if (!is_octet || set.elements.size() > kMaxInterval) return false;
  std::vector<std::pair<std::uint64_t, bool>> edges;
  for (const NftElement& element : set.elements) {
    const auto value = nft_value_of(from, element.key);
    if (!value || !is_plain_key(from, element)) return false;
    edges.emplace_back(*value, !element.ends_interval);
  }
  std::ranges::sort(edges);  // an end comes before a beginning at the same place
  std::optional<std::uint64_t> begin;
  for (const auto& [value, begins] : edges) {
    if (begin && *begin < value) condition.ranges.emplace_back(*begin, value - 1);
    begin = begins ? std::optional(value) : std::nullopt;
  }
  if (begin) condition.ranges.emplace_back(*begin, 255);
  return !condition.ranges.empty();
}

}  // namespace

std::optional<std::uint64_t> nft_value_of(const NftLoaded& from, Bytes bytes) {
  const Field field = from.field;
  if (field == Field::ct_state) return netlink::read_struct<std::uint32_t>(bytes);
  if (from.is_ethertype) {
    const std::uint16_t type = bytes.size() < 2 ? std::uint16_t{} : load_be16(bytes.data());
    if (type == ETH_P_IP) return 4;
    return type == ETH_P_IPV6 ? std::optional<std::uint64_t>(6) : std::nullopt;
  }
  if (bytes.empty()) return std::nullopt;
  const auto octet = std::to_integer<std::uint64_t>(bytes[0]);
  if (field != Field::family) return octet;
  if (octet == NFPROTO_IPV4) return 4;
  return octet == NFPROTO_IPV6 ? std::optional<std::uint64_t>(6) : std::nullopt;
}

bool add_nft_bytes(const NftLoaded& from, Bytes bytes, const NftContext& context,
                   Condition& condition) {
  if (from.field == Field::in_interface || from.field == Field::out_interface) {
    if (!from.mask) {
      condition.names.push_back(interface_pattern(bytes));
      return true;
    }
    const auto index = netlink::read_struct<std::uint32_t>(bytes);
    std::string name = index ? context.interface_name(*index) : std::string();
    if (name.empty()) return false;
    condition.names.push_back(std::move(name));
    return true;
  }
  const auto value = nft_value_of(from, bytes);
  if (!value) return false;
  if (from.field == Field::ct_state && !condition.ranges.empty()) {
    condition.ranges.front().first |= *value;
  } else {
    condition.ranges.emplace_back(*value, *value);
  }
  return true;
}

bool is_plain_key(const NftLoaded& from, const NftElement& element) {
  const bool is_name = from.field == Field::in_interface || from.field == Field::out_interface;
  const std::size_t most = is_name && !from.mask ? 16 : 4;  // longer keys are of several fields
  return element.key.size() <= most && !from.is_type_and_code;
}

bool add_nft_set(const NftLoaded& from, const NftSet& set, const NftContext& context,
                 Condition& condition) {
  if (set.is_interval) return add_intervals(from, set, condition);
  for (const NftElement& element : set.elements) {
    if (!is_plain_key(from, element) || !add_nft_bytes(from, element.key, context, condition))
      return false;
  }
  return !set.elements.empty();
}

}  // namespace slowpath::machine
