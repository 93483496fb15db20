// SPDX-License-Identifier: Apache-2.0
// What registers of nf_tables hold, and the bytes that they are compared with, as conditions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "machine/firewall/ruleset.h"
#include "machine/live/nft_expressions.h"

namespace slowpath::machine {

/// What a register holds.
struct NftLoaded {
  firewall::Field field = firewall::Field::other;
  bool is_type_and_code = false;      // both octets of ICMP
  bool is_ethertype = false;          // of a family
  std::optional<std::uint64_t> mask;  // bits that were kept of it
};

/// The value of a field in its register: numbers of the packet in network order, those of the
/// kernel in its own. Nothing where it has no number, or the bytes are too few.
std::optional<std::uint64_t> nft_value_of(const NftLoaded& from, Bytes bytes);
/// Adds what a register is compared with; false where it is not understood.
bool add_nft_bytes(const NftLoaded& from, Bytes bytes, const NftContext& context,
                   firewall::Condition& condition);
/// Whether an element's key is of that one field alone.
bool is_plain_key(const NftLoaded& from, const NftElement& element);
/// Adds all elements of a set, which is not empty; false where one is not understood.
bool add_nft_set(const NftLoaded& from, const NftSet& set, const NftContext& context,
                 firewall::Condition& condition);

}  // namespace slowpath::machine
