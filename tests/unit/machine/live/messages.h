// SPDX-License-Identifier: Apache-2.0
// Hostile variants of bytes: cut at every length, and every byte replaced in turn. A parser must
// come through all of them; the assertions of the library and the sanitizers notice when it does
// not.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "machine/netlink.h"

namespace slowpath::machine::testing {

/// The bytes behind the nlmsghdr of a request that was built like an answer.
inline std::vector<std::byte> payload_of(netlink::Request& request) {
  constexpr std::size_t kHeader = 16;
  const Bytes bytes = request.finish(1).subspan(kHeader);
  return {bytes.begin(), bytes.end()};
}

/// Appends an attribute that holds a plain value.
template <typename T>
void add(netlink::Request& request, unsigned type, const T& value) {
  request.attribute(type, std::as_bytes(std::span{&value, 1}));
}

/// Calls with each variant, each in memory of its own size.
template <typename Parse>
void each_damage(Bytes bytes, const Parse& parse) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    parse(Bytes{cut});
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const auto value :
         {std::byte{0}, std::byte{1}, std::byte{3}, std::byte{0x7f}, std::byte{0xff}}) {
      std::vector<std::byte> changed(bytes.begin(), bytes.end());
      changed[at] = value;
      parse(Bytes{changed});
    }
  }
}

}  // namespace slowpath::machine::testing
