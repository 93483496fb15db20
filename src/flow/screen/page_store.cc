// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/page_store.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace slowpath::flow {
namespace {

// Mapped at a time: the system's call is as dear as hundreds of records.
constexpr std::size_t kStep = std::size_t{2} << 20;
constexpr std::size_t kAlignment = 128;

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

PageStore::~PageStore() {
  for (const Stretch& stretch : mapped_) {
    munmap(stretch.begin, stretch.bytes);
    mapped_bytes_ -= stretch.bytes;
  }
}

void* PageStore::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes = round_up(bytes, kAlignment);
  const auto same = std::ranges::find(free_, bytes, &Stretch::bytes);
  if (same != free_.end()) {
    std::byte* const memory = same->begin;
    *same = free_.back();
    free_.pop_back();
    return memory;
  }
  if (bytes > left_) {
    // What was left of the last one is lost: less than what is asked for.
    left_ = round_up(bytes, kStep);
    next_ = map(left_);
  }
  std::byte* const memory = next_;
  next_ += bytes;
  left_ -= bytes;
  return memory;
}

void PageStore::give_back(void* memory, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  free_.push_back({static_cast<std::byte*>(memory), round_up(bytes, kAlignment)});
}

// Large pages are not asked for (MADV_HUGEPAGE). Who looks up fetches ahead, and with small ones
// screening takes as long; but a large one may have to be made first, from others by compaction, or
// by a host that took the guest's free memory back: 2 ms for each MiB were seen, 0.35 with small.
std::byte* PageStore::map(std::size_t bytes) {
  void* const got = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(got);
  mapped_.push_back({begin, bytes});
  const std::size_t now = mapped_bytes_ += bytes;
  for (std::size_t most = most_mapped_bytes_;
       now > most && !most_mapped_bytes_.compare_exchange_weak(most, now);) {
  }
  return begin;
}

}  // namespace slowpath::flow
