// SPDX-License-Identifier: Apache-2.0
// What a rule of nft looks at, by the words that nft prints, and the words of its values.
#pragma once

#include <string_view>

#include "machine/firewall/ruleset.h"

namespace slowpath::machine::firewall {

/// A key in two words, or in one; "meta" in front is left out.
struct NftKey {
  std::string_view first, second;
  Field field;
  bool is_v6 = false;
};

/// The key that those two words are, or that the first one is alone; nullptr where nobody looks at
/// it.
const NftKey* find_nft_key(std::string_view first, std::string_view second);

/// Adds a value to what a condition of that key takes; false where the word is not known.
bool add_nft_value(const NftKey& key, std::string_view word, Condition& condition);

}  // namespace slowpath::machine::firewall
