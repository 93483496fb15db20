// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/hash_seed.h"

namespace slowpath::flow {
namespace {

constexpr std::size_t kFirstSize = 1024;

std::uint64_t hash_of(const Endpoint& end) {
  std::uint64_t words[2];
  std::memcpy(words, end.address.bytes.data(), sizeof words);
  return seeded_hash(seeded_hash(words[0], words[1]),
                     std::uint64_t{end.port} << 8 | end.address.version);
}

}  // namespace

std::uint64_t hash_of(const Endpoint& a, const Endpoint& b) {
  const auto [lower, higher] = std::minmax({hash_of(a), hash_of(b)});
  return seeded_hash(lower, higher);
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
