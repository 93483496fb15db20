// SPDX-License-Identifier: Apache-2.0
#include "wire/ends_key.h"

#include <algorithm>

#include "base/bytes.h"

namespace slowpath::wire {
namespace {

Endpoint endpoint_of(std::uint8_t version, const std::uint64_t* words, std::uint64_t port) {
  Endpoint end;
  end.address.version = version;
  const std::size_t count = version == 4 ? 4 : 16;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t word = version == 4 ? words[0] << 16 : words[i / 8];
    end.address.bytes[i] = static_cast<std::uint8_t>(word >> (56 - i % 8 * 8));
  }
  end.port = static_cast<std::uint16_t>(port);
  return end;
}

}  // namespace

EndsKey key_of(const Endpoint& first, const Endpoint& second, bool& first_is_lower) {
  const auto word = [](const Endpoint& end, std::size_t i) {
    return load_be64(reinterpret_cast<const std::byte*>(end.address.bytes.data()) + i * 8);
  };
  EndsKey key{};
  key.version = first.address.version;
  if (key.version == 4) {
    const std::uint64_t a = word(first, 0) >> 32 << 16 | first.port;
    const std::uint64_t b = word(second, 0) >> 32 << 16 | second.port;
    first_is_lower = a <= b;
    key.words[0] = std::min(a, b);
    key.words[1] = std::max(a, b);
    return key;
  }
  first_is_lower = word(first, 0) != word(second, 0)   ? word(first, 0) < word(second, 0)
                   : word(first, 1) != word(second, 1) ? word(first, 1) < word(second, 1)
                                                       : first.port <= second.port;
  const Endpoint& low = first_is_lower ? first : second;
  const Endpoint& high = first_is_lower ? second : first;
  key.words = {word(low, 0), word(low, 1), word(high, 0), word(high, 1),
               std::uint64_t{low.port} << 16 | high.port};
  return key;
}

std::array<Endpoint, 2> ends_of(const EndsKey& key) {
  const std::uint64_t* const words = key.words.data();
  if (key.version == 4) {
    return {endpoint_of(4, words, words[0]), endpoint_of(4, words + 1, words[1])};
  }
  return {endpoint_of(6, words, words[4] >> 16), endpoint_of(6, words + 2, words[4])};
}

}  // namespace slowpath::wire
