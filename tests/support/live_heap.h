// SPDX-License-Identifier: Apache-2.0
// How many bytes the test program that includes it holds by operator new, and the most so far.
// Replaces global operators: one source of a program may include it.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace slowpath::test {

inline std::atomic<std::size_t> live_bytes = 0, most_live_bytes = 0;

inline void* note_live(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = live_bytes += malloc_usable_size(memory);
  for (std::size_t most = most_live_bytes;
       now > most && !most_live_bytes.compare_exchange_weak(most, now);) {
  }
  return memory;
}

inline void let_live_go(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace slowpath::test

// Never inlined: the compiler would take malloc and delete for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return slowpath::test::note_live(std::malloc(size == 0 ? 1 : size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto to = static_cast<std::size_t>(alignment);
  return slowpath::test::note_live(std::aligned_alloc(to, (size + to - 1) / to * to));
}
// std::stable_sort asks for its buffer in this way.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  return memory == nullptr ? nullptr : slowpath::test::note_live(memory);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  slowpath::test::let_live_go(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  slowpath::test::let_live_go(memory);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  slowpath::test::let_live_go(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  slowpath::test::let_live_go(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  slowpath::test::let_live_go(memory);
}
