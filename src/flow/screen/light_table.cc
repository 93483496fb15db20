// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/light_table.h"

#include <algorithm>
#include <memory>
#include <span>

#include "flow/screen/signs.h"

namespace slowpath::flow {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kLeastRecords = 16;

}  // namespace

LightTable::LightTable(std::size_t most_records, PageStore& store)
    : most_records_(std::max(most_records, kLeastRecords)), store_(&store) {
  make_slots(kFirstSlots);
}

LightTable::Slot* LightTable::find_slot(const wire::EndsKey& key, std::uint64_t hash) {
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t i = slot_of(hash); slots_[i].record != kNoRecord; i = (i + 1) & mask_) {
    if (slots_[i].tag == tag && (*this)[slots_[i].record].has_key(key)) return &slots_[i];
  }
  return nullptr;
}

LightRecord* LightTable::find(const wire::EndsKey& key, std::uint64_t hash) {
  const Slot* const slot = find_slot(key, hash);
  return slot == nullptr ? nullptr : &(*this)[slot->record];
}

void LightTable::add(const wire::LightPacket& packet) {
  Slot* const slot = find_slot(packet.key, packet.hash);
  if (slot != nullptr) [[likely]] {
    LightRecord& known = (*this)[slot->record];
    if (!is_new_use(known, packet)) [[likely]]
      return add_to(known, packet);
  }
  add_to(make(packet, slot), packet);
}

LightRecord& LightTable::make(const wire::LightPacket& packet, Slot* known) {
  if (size_ == most_records_) {
    let_oldest_go();
    known = find_slot(packet.key, packet.hash);
  }
  const auto index = static_cast<std::uint32_t>(size_++);
  if (index / kBlock == blocks_.size()) {
    blocks_.push_back(static_cast<LightRecord*>(store_->take(kBlock * sizeof(LightRecord))));
  }
  LightRecord& made = (*this)[index];
  begin_record(made, packet);
  if (known != nullptr) {
    made.previous = known->record;
    known->record = index;
    ++version_;
    return made;
  }
  if ((used_slots_ + 1) * 2 > mask_ + 1) grow();
  place(packet.hash, index);
  ++used_slots_;
  return made;
}

void LightTable::place(std::uint64_t hash, std::uint32_t record) {
  std::size_t i = slot_of(hash);
  while (slots_[i].record != kNoRecord) i = (i + 1) & mask_;
  slots_[i] = {tag_of(hash), record};
}

void LightTable::make_slots(std::size_t count) {
  slots_ = static_cast<Slot*>(store_->take(count * sizeof(Slot)));
  mask_ = count - 1;
  std::uninitialized_fill_n(slots_, count, Slot{});
}

void LightTable::place_again(const std::vector<std::uint32_t>& newest) {
  for (const std::uint32_t record : newest) place(wire::hash_of((*this)[record].key()), record);
}

// Every record that is the newest of its four-tuple has a slot; the others hang on those.
void LightTable::grow() {
  std::vector<std::uint32_t> newest;
  newest.reserve(used_slots_);
  const std::size_t before = mask_ + 1;
  for (const Slot& slot : std::span(slots_, before)) {
    if (slot.record != kNoRecord) newest.push_back(slot.record);
  }
  store_->give_back(slots_, before * sizeof(Slot));
  make_slots(2 * before);
  place_again(newest);
}

// Keeps the half that was heard last, in order. An earlier use of a four-tuple that is let go is
// forgotten by the later one.
void LightTable::let_oldest_go() {
  std::vector<Time> times;
  times.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) times.push_back((*this)[i].last);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  const Time oldest_kept = *middle;
  std::vector<std::uint32_t> moved(size_, kNoRecord);
  std::size_t kept = 0, equals_left = size_ - size_ / 2;
  for (std::size_t i = 0; i < size_; ++i) equals_left -= (*this)[i].last > oldest_kept;
  for (std::size_t i = 0; i < size_; ++i) {
    LightRecord& record = (*this)[i];
    bool keep = record.last > oldest_kept;
    if (!keep && record.last == oldest_kept && equals_left > 0) {
      keep = true;
      --equals_left;
    }
    if (!keep) {
      ++let_go_.connections;
      let_go_.packets += record.packets();
      let_go_.bytes += record.bytes();
      let_go_.with_signs += judge_signs(record).grave != 0;
      continue;
    }
    moved[i] = static_cast<std::uint32_t>(kept);
    if (record.previous != kNoRecord) record.previous = moved[record.previous];
    if (kept != i) (*this)[kept] = record;
    ++kept;
  }
  std::vector<std::uint32_t> newest;
  for (const Slot& slot : std::span(slots_, mask_ + 1)) {
    if (slot.record != kNoRecord && moved[slot.record] != kNoRecord) {
      newest.push_back(moved[slot.record]);
    }
  }
  size_ = kept;
  used_slots_ = newest.size();
  ++version_;
  std::fill_n(slots_, mask_ + 1, Slot{});
  place_again(newest);
}

}  // namespace slowpath::flow
