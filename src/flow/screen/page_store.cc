// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/page_store.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace slowpath::flow {
namespace {

constexpr std::size_t kLargePage = std::size_t{2}
                                   << 20;  // of x86-64, and of arm64 with 4 KiB pages
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
    left_ = round_up(bytes, kLargePage);
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

// A large page begins at a multiple of its size: what is mapped too much before and behind goes.
std::byte* PageStore::map(std::size_t bytes) {
  const std::size_t with_margin = bytes + kLargePage;
  void* const got = mmap(nullptr, with_margin, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(got);
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t before = round_up(address, kLargePage) - address;
  if (before != 0) munmap(begin, before);
  if (before != kLargePage) munmap(begin + before + bytes, kLargePage - before);
  std::byte* const aligned = begin + before;
  madvise(aligned, bytes, MADV_HUGEPAGE);  // A wish: without it only slower.
  mapped_.push_back({aligned, bytes});
  const std::size_t now = mapped_bytes_ += bytes;
  for (std::size_t most = most_mapped_bytes_;
       now > most && !most_mapped_bytes_.compare_exchange_weak(most, now);) {
  }
  return aligned;
}

}  // namespace slowpath::flow
