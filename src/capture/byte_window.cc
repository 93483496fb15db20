// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_window.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "capture/source.h"

namespace slowpath::capture {
namespace {

// How far a mapped file is shown at a time, and mapped ahead of that.
constexpr std::size_t kBringLen = 2u << 20;
// Between two looks at what can be given back.
constexpr std::size_t kSliceLen = 16u << 20;
// How much of a mapped file stays resident behind the position. Twice what a stream retains: a
// retransmission is compared with its original, and what was given back is read again when touched.
constexpr std::size_t kResidentBehind = 2 * kRetainedBytes;
// Decompressing this much at a time keeps it in the second-level cache until it is parsed.
constexpr std::size_t kReadLen = 256u << 10;
constexpr std::size_t kRingLen = 64u << 20;
static_assert(kRetainedBytes + ByteWindow::kMaxEnsure + kReadLen <= kRingLen);

}  // namespace

std::uint64_t ByteWindow::skip(std::uint64_t len) {
  std::uint64_t skipped = 0;
  while (skipped < len) {
    const std::uint64_t wanted = std::min<std::uint64_t>(len - skipped, kSliceLen);
    const std::size_t have = ensure(static_cast<std::size_t>(wanted));
    const std::size_t step = std::min(have, static_cast<std::size_t>(wanted));
    advance(step);
    skipped += step;
    if (step < wanted) break;
  }
  return skipped;
}

MemoryWindow::MemoryWindow(Bytes all) : all_(all) {
  at_ = end_ = all_.data();
  origin_ = reinterpret_cast<std::uintptr_t>(at_);
}

MemoryWindow::MemoryWindow(std::unique_ptr<FileMapping> mapping) : MemoryWindow(mapping->bytes()) {
  mapping_ = std::move(mapping);
}

Bytes MemoryWindow::bytes_at(std::uint64_t offset, std::size_t len) const {
  if (offset > all_.size() || len > all_.size() - offset) return {};
  const Bytes found = all_.subspan(static_cast<std::size_t>(offset), len);
  // Zeros in place of what is gone must not be taken for what was there.
  return FileMapping::are_there(found) ? found : Bytes{};
}

// Some way ahead of who reads: what a processor is asked to fetch of a page that is not mapped it
// does not fetch.
void MemoryWindow::bring_to(std::size_t position) {
  const std::size_t to = std::min(position / kBringLen * kBringLen, all_.size());
  if (to <= brought_) return;
  FileMapping::bring(all_.subspan(brought_, to - brought_));
  brought_ = to;
}

std::size_t MemoryWindow::refill(std::size_t len) {
  const auto position = static_cast<std::size_t>(offset());
  const std::size_t left = all_.size() - position;
  end_ = at_ + std::min(left, std::max(len, kBringLen));
  bring_to(static_cast<std::size_t>(end_ - all_.data()) + kBringLen);
  if (mapping_ && position > released_ + kResidentBehind + kSliceLen) {
    // Multiples of the slice are page-aligned, and so is the mapping.
    const std::size_t keep_from = (position - kResidentBehind) / kSliceLen * kSliceLen;
    mapping_->give_back(released_, keep_from - released_);
    released_ = keep_from;
  }
  return unread();
}

StreamWindow::StreamWindow(ByteRing ring, std::unique_ptr<ByteSupply> supply, bool interactive)
    : ring_(std::move(ring)), supply_(std::move(supply)), interactive_(interactive) {
  at_ = end_ = ring_.at(0);
  origin_ = reinterpret_cast<std::uintptr_t>(at_);
}

Result<std::unique_ptr<ByteWindow>> StreamWindow::make(std::unique_ptr<ByteSupply> supply,
                                                       bool interactive) {
  Result<ByteRing> ring = ByteRing::make(kRingLen);
  if (!ring) return std::unexpected(std::move(ring.error()));
  return std::unique_ptr<ByteWindow>(
      new StreamWindow(std::move(*ring), std::move(supply), interactive));
}

Bytes StreamWindow::bytes_at(std::uint64_t offset, std::size_t len) const {
  return ring_.view(offset, len);
}

std::size_t StreamWindow::refill(std::size_t len) {
  SLOWPATH_ASSERT(len <= kMaxEnsure);
  const std::uint64_t position = offset();
  while (!ended_ && ring_.written() - position < len) {
    const std::size_t got = supply_->read(ring_.room(kReadLen));
    ended_ = got == 0;
    ring_.commit(got);
  }
  // Step back into the first mapping, so that the second is touched at the seam only.
  at_ = ring_.at(position);
  end_ = at_ + (ring_.written() - position);
  origin_ = reinterpret_cast<std::uintptr_t>(at_) - position;
  return unread();
}

}  // namespace slowpath::capture
