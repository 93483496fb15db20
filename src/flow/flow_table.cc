// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_table.h"

#include <cstring>

namespace slowpath::flow {
namespace {

constexpr std::size_t kFirstSize = 1024;

// Folded multiply, after wyhash's mixing step: two 64-bit words to one.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xc2b2ae3d27d4eb4fu);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_of(const Endpoint& end) {
  std::uint64_t words[2];
  std::memcpy(words, end.address.bytes.data(), sizeof words);
  return mix(words[0] ^ end.port, words[1] ^ end.address.version);
}

}  // namespace

std::uint64_t hash_of(const FlowKey& key) { return mix(hash_of(key.low), hash_of(key.high)); }

FlowTable::FlowTable() : slots_(kFirstSize) {}

std::uint32_t* FlowTable::find(const FlowKey& key, std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].tag != 0; i = (i + 1) & mask) {
    if (slots_[i].tag == tag_of(hash) && slots_[i].key == key) return &slots_[i].value;
  }
  return nullptr;
}

void FlowTable::put(const FlowKey& key, std::uint64_t hash, std::uint32_t value) {
  if (std::uint32_t* known = find(key, hash)) {
    *known = value;
    return;
  }
  if ((size_ + 1) * 2 > slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].tag != 0) i = (i + 1) & mask;
  slots_[i].key = key;
  slots_[i].tag = tag_of(hash);
  slots_[i].value = value;
  ++size_;
}

void FlowTable::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_ = std::vector<Slot>(old.size() * 2);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.tag == 0) continue;
    std::size_t i = hash_of(slot.key) & mask;
    while (slots_[i].tag != 0) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

}  // namespace slowpath::flow
