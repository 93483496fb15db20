// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_table.h"

#include <cstring>
#include <utility>

namespace slowpath::flow {
namespace {

constexpr std::size_t kFirstSize = 1024;

// Folded multiply, after wyhash's mixing step: two 64-bit words to one. The factors go in once
// more: whoever makes one of them zero makes the product zero, but not the result the same.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  a ^= 0x9e3779b97f4a7c15u;
  b ^= 0xc2b2ae3d27d4eb4fu;
  const auto product = static_cast<unsigned __int128>(a) * b;
  return a ^ b ^ static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_of(const Endpoint& end) {
  std::uint64_t words[2];
  std::memcpy(words, end.address.bytes.data(), sizeof words);
  return mix(words[0] ^ std::uint64_t{end.port} << 48, words[1] ^ end.address.version);
}

}  // namespace

std::uint64_t hash_of(const Endpoint& a, const Endpoint& b) {
  const std::uint64_t x = hash_of(a), y = hash_of(b);
  return mix(x + y, x ^ y);
}

FlowTable::FlowTable() : slots_(kFirstSize) {}

void FlowTable::put(std::uint64_t hash, Connection& connection) {
  if ((size_ + 1) * 2 > slots_.size()) grow();
  place({hash, &connection});
  ++size_;
}

void FlowTable::place(const Slot& slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = slot.hash & mask;
  while (slots_[i].connection != nullptr) i = (i + 1) & mask;
  slots_[i] = slot;
}

void FlowTable::clear() {
  slots_.assign(kFirstSize, {});
  size_ = 0;
}

void FlowTable::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : old) {
    if (slot.connection != nullptr) place(slot);
  }
}

}  // namespace slowpath::flow
