// SPDX-License-Identifier: Apache-2.0
// The light records of one shard: open addressing over blocks of records that never move. Bounded:
// when it is full the connections that were idle longest are only counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flow/screen/light_record.h"

namespace slowpath::flow {

/// What is left of connections whose records were given up.
struct LetGo {
  std::uint64_t connections = 0, packets = 0, bytes = 0;
  std::uint64_t with_signs = 0;  // which a full analysis might have judged
};

class LightTable {
 public:
  /// `most_records` are kept at a time, at least a few.
  explicit LightTable(std::size_t most_records);

  /// Brings into the cache where the slot of `hash` is, then (later) what it leads to.
  void prefetch_slot(std::uint64_t hash) const { __builtin_prefetch(&slots_[slot_of(hash)]); }
  void prefetch_record(std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t tag = tag_of(hash);
    std::size_t at = slot_of(hash);
    while (slots_[at].record != kNoRecord && slots_[at].tag != tag) at = (at + 1) & mask;
    if (slots_[at].record == kNoRecord) return;
    const auto* record = reinterpret_cast<const char*>(&(*this)[slots_[at].record]);
    __builtin_prefetch(record, 1);
    __builtin_prefetch(record + 64, 1);
    __builtin_prefetch(record + 128, 1);
  }
  /// Counts a TCP packet for its connection, which is made where there is none.
  void add(const wire::LightPacket& packet);
  /// The newest connection with this key, or nullptr.
  [[nodiscard]] LightRecord* find(const wire::EndsKey& key, std::uint64_t hash);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const LightRecord& operator[](std::size_t i) const {
    return blocks_[i / kBlock][i % kBlock];
  }
  [[nodiscard]] LightRecord& operator[](std::size_t i) { return blocks_[i / kBlock][i % kBlock]; }
  [[nodiscard]] const LetGo& let_go() const { return let_go_; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return blocks_.size() * kBlock * sizeof(LightRecord) + slots_.capacity() * sizeof(Slot);
  }

 private:
  static constexpr std::size_t kBlock = 64;
  struct Slot {
    std::uint32_t tag = 0;  // of the hash; a free slot has no record
    std::uint32_t record = kNoRecord;
  };
  [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash) & (slots_.size() - 1);
  }
  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 20) | 1;
  }
  [[nodiscard]] Slot* find_slot(const wire::EndsKey& key, std::uint64_t hash);
  LightRecord& make(const wire::LightPacket& packet, Slot* known);
  void place(std::uint64_t hash, std::uint32_t record);
  void rehash(std::size_t slots);
  void let_oldest_go();

  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<LightRecord[]>> blocks_;
  std::size_t size_ = 0;
  std::size_t used_slots_ = 0;
  std::size_t most_records_;
  LetGo let_go_;
};

}  // namespace slowpath::flow
