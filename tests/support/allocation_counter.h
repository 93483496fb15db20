// SPDX-License-Identifier: Apache-2.0
// Counts every operator new of the test program that includes it. Replaces global operators: one
// source of a program may include it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace slowpath::test {

inline std::size_t allocations = 0;

inline void* count_allocation(std::size_t size) {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace slowpath::test

// Never inlined: the compiler would take malloc and delete for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = slowpath::test::count_allocation(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return slowpath::test::count_allocation(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
