// SPDX-License-Identifier: Apache-2.0
#include "flow/ledger.h"

#include <algorithm>

#include "flow/room.h"

namespace slowpath::flow {
namespace {

// Popped segments are let go so many at a time at least: few, so that a flight stays in the cache.
constexpr std::size_t kLetGo = 64;

}  // namespace

void Ledger::push(const Segment& segment) {
  if (full()) pop();
  items_.push_back(segment);
}

void Ledger::pop() {
  if (recent_.size() < kRecent) {
    make_room(recent_, kRecent);
    recent_.push_back(items_[head_]);
  } else {
    recent_[recent_count_ % kRecent] = items_[head_];
  }
  ++recent_count_;
  ++head_;
  if (head_ == items_.size()) {
    items_.clear();
    head_ = 0;
  } else if (head_ > kLetGo && head_ > items_.size() / 2) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

std::size_t Ledger::first_ending_after(std::int64_t offset) const {
  const auto from = items_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto at =
      std::partition_point(from, items_.end(), [=](const Segment& s) { return s.end <= offset; });
  return static_cast<std::size_t>(at - items_.begin());
}

// Moves the shorter end. Losses are near the old end, so an insertion there must not move a whole
// flight.
void Ledger::insert(std::size_t position, const Segment& segment) {
  const auto at = items_.begin() + static_cast<std::ptrdiff_t>(position);
  if (head_ == 0 || position - head_ > items_.size() - position) {
    items_.insert(at, segment);
    return;
  }
  const auto front = items_.begin() + static_cast<std::ptrdiff_t>(head_);
  std::move(front, at, front - 1);
  *(at - 1) = segment;
  --head_;
}

void Ledger::split(std::int64_t offset) {
  const std::size_t i = first_ending_after(offset);
  if (i == items_.size() || items_[i].begin >= offset) return;
  if (full()) {
    pop();
    split(offset);
    return;
  }
  Segment right = items_[i];
  const std::int64_t cut = offset - right.begin;
  right.begin = offset;
  right.payload_at += static_cast<std::uint64_t>(cut);
  right.payload_skipped += static_cast<std::uint32_t>(cut);
  right.captured_len =
      right.captured_len > cut ? right.captured_len - static_cast<std::uint32_t>(cut) : 0;
  right.resent_bytes =
      right.resent_bytes > cut ? right.resent_bytes - static_cast<std::uint32_t>(cut) : 0;
  items_[i].end = offset;
  items_[i].captured_len =
      std::min<std::uint32_t>(items_[i].captured_len, static_cast<std::uint32_t>(cut));
  items_[i].resent_bytes =
      std::min<std::uint32_t>(items_[i].resent_bytes, static_cast<std::uint32_t>(cut));
  insert(i + 1, right);
}

std::span<Segment> Ledger::overlapping(std::int64_t begin, std::int64_t end) {
  const std::size_t first = first_ending_after(begin);
  const auto from = items_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto last =
      std::partition_point(from, items_.end(), [=](const Segment& s) { return s.begin < end; });
  return {items_.data() + first, static_cast<std::size_t>(last - from)};
}

}  // namespace slowpath::flow
