// SPDX-License-Identifier: Apache-2.0
// A fast hash of payload bytes: equal bytes, equal hash; unequal bytes differ but for one chance in
// 2^64.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace slowpath::flow::comparison {

/// Multiplies and folds eight bytes at a time (as wyhash does). Not for keeping out an adversary.
inline std::uint64_t payload_hash(Bytes bytes) {
  constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15u;
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = kOdd ^ bytes.size();
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8)
    hash = mix(hash ^ load_le64(bytes.data() + at), kOdd) + at;
  std::uint64_t rest = 0;
  for (; at < bytes.size(); ++at) rest = rest << 8 | load_u8(bytes.data() + at);
  return mix(hash ^ rest, kOdd);
}

}  // namespace slowpath::flow::comparison
