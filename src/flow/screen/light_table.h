// SPDX-License-Identifier: Apache-2.0
// The light records of one shard: open addressing over blocks of records that never move. Bounded:
// when it is full the connections that were idle longest are only counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flow/screen/light_record.h"
#include "flow/screen/page_store.h"

namespace slowpath::flow {

/// What is left of connections whose records were given up.
struct LetGo {
  std::uint64_t connections = 0, packets = 0, bytes = 0;
  std::uint64_t with_signs = 0;  // which a full analysis might have judged
};

/// Of one thread: those of two lie side by side, and share no cache line.
class alignas(64) LightTable {
 public:
  /// `most_records` are kept at a time, at least a few. `store` outlives this.
  LightTable(std::size_t most_records, PageStore& store);
  LightTable(LightTable&&) = default;

  /// Brings into the cache where the slot of `hash` is.
  void prefetch_slot(std::uint64_t hash) const { __builtin_prefetch(&slots_[slot_of(hash)]); }
  /// Then, later: the record that most likely has this hash, which is brought into the cache as far
  /// as a packet without anything odd needs it; or nullptr. Valid while version() stays.
  [[nodiscard]] LightRecord* guess(std::uint64_t hash) {
    const std::uint32_t tag = tag_of(hash);
    std::size_t at = slot_of(hash);
    while (slots_[at].record != kNoRecord && slots_[at].tag != tag) at = (at + 1) & mask_;
    if (slots_[at].record == kNoRecord) [[unlikely]]
      return nullptr;
    LightRecord* const record = &(*this)[slots_[at].record];
    __builtin_prefetch(record, 1);
    __builtin_prefetch(&record->totals, 1);
    return record;
  }
  /// Changes when a record may have moved, or is no longer the newest of its four-tuple.
  [[nodiscard]] std::uint32_t version() const { return version_; }

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
    return blocks_.size() * kBlock * sizeof(LightRecord) + (mask_ + 1) * sizeof(Slot);
  }

 private:
  static constexpr std::size_t kBlock = 64;
  struct Slot {
    std::uint32_t tag = 0;  // of the hash; a free slot has no record
    std::uint32_t record = kNoRecord;
  };
  [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash >> 1) & mask_;  // The lowest bit is always set.
  }
  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 20) | 1;
  }
  [[nodiscard]] Slot* find_slot(const wire::EndsKey& key, std::uint64_t hash);
  LightRecord& make(const wire::LightPacket& packet, Slot* known);
  void place(std::uint64_t hash, std::uint32_t record);
  void make_slots(std::size_t count);
  void place_again(const std::vector<std::uint32_t>& newest);
  void grow();
  void let_oldest_go();

  Slot* slots_ = nullptr;  // a power of two of them
  std::size_t mask_ = 0;
  std::vector<LightRecord*> blocks_;  // of kBlock each
  std::uint32_t version_ = 0;
  std::size_t size_ = 0;
  std::size_t used_slots_ = 0;
  std::size_t most_records_;
  PageStore* store_;
  LetGo let_go_;
};

}  // namespace slowpath::flow
