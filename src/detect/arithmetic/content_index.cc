// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/content_index.h"

#include <algorithm>
#include <bit>

namespace slowpath::arithmetic {
namespace {

constexpr std::uint64_t kBase = 0x9e3779b97f4a7c15u;  // odd, its bits well mixed

constexpr std::uint64_t value_of(std::byte byte) {
  return std::to_integer<std::uint64_t>(byte) + 1;
}

constexpr std::uint64_t mixed(std::uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93u;
  return hash ^ (hash >> 32);
}

bool is_one_byte_repeated(Bytes bytes) {
  return std::ranges::all_of(bytes, [&](std::byte byte) { return byte == bytes.front(); });
}

}  // namespace

std::uint64_t rolling_hash(Bytes bytes) {
  std::uint64_t hash = 0;
  for (const std::byte byte : bytes) hash = hash * kBase + value_of(byte);
  return hash;
}

ContentIndex::ContentIndex(std::size_t block_bytes, std::size_t blocks)
    : block_bytes_(block_bytes), slots_(std::bit_ceil(2 * blocks + 2)) {
  for (std::size_t i = 1; i < block_bytes; ++i) oldest_weight_ *= kBase;
}

void ContentIndex::insert(std::uint64_t hash, std::uint64_t offset) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = mixed(hash) & mask;
  while (slots_[at].used && slots_[at].hash != hash) at = (at + 1) & mask;
  if (!slots_[at].used && 2 * ++used_ > slots_.size()) return;  // more than there is room for
  slots_[at] = {hash, offset, true};
}

const ContentIndex::Slot* ContentIndex::lookup(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = mixed(hash) & mask; slots_[at].used; at = (at + 1) & mask) {
    if (slots_[at].hash == hash) return &slots_[at];
  }
  return nullptr;
}

void ContentIndex::add(Bytes content, std::uint64_t offset) {
  for (std::size_t i = 0; i + block_bytes_ <= content.size(); i += block_bytes_) {
    insert(rolling_hash(content.subspan(i, block_bytes_)), offset + i);
  }
}

void ContentIndex::add(std::span<const std::uint64_t> hashes, std::uint64_t offset) {
  for (std::size_t i = 0; i < hashes.size(); ++i) insert(hashes[i], offset + i * block_bytes_);
}

std::optional<ContentIndex::Found> ContentIndex::find(Bytes bytes, std::uint64_t offset) const {
  if (bytes.size() < block_bytes_) return std::nullopt;
  std::uint64_t hash = rolling_hash(bytes.first(block_bytes_));
  for (std::size_t at = 0;; ++at) {
    const Slot* slot = lookup(hash);
    if (slot != nullptr && slot->offset != offset + at &&
        !is_one_byte_repeated(bytes.subspan(at, block_bytes_))) {
      return Found{at, slot->offset};
    }
    if (at + block_bytes_ == bytes.size()) return std::nullopt;
    hash =
        (hash - value_of(bytes[at]) * oldest_weight_) * kBase + value_of(bytes[at + block_bytes_]);
  }
}

}  // namespace slowpath::arithmetic
