// SPDX-License-Identifier: Apache-2.0
// Memory for tables that grow to hundreds of megabytes and go all at once: not cleared twice, and
// given back to the system as a whole.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace slowpath::flow {

/// Hands out stretches of memory, aligned to a cache line pair (128 bytes), zero or used before.
/// Given back as a whole by the destructor. Any thread.
class PageStore {
 public:
  PageStore() = default;
  PageStore(const PageStore&) = delete;
  PageStore& operator=(const PageStore&) = delete;
  ~PageStore();

  /// Throws std::bad_alloc where the system has no more.
  void* take(std::size_t bytes);
  /// Keeps `memory`, of which `bytes` were taken, for who takes as many again.
  void give_back(void* memory, std::size_t bytes);

  /// The most bytes that all stores of the program had mapped at a time since this was last asked:
  /// an allocator's own account has nothing of them.
  static std::size_t take_most_mapped() { return most_mapped_bytes_.exchange(mapped_bytes_); }

 private:
  struct Stretch {
    std::byte* begin = nullptr;
    std::size_t bytes = 0;
  };
  std::byte* map(std::size_t bytes);

  static inline std::atomic<std::size_t> mapped_bytes_ = 0, most_mapped_bytes_ = 0;

  std::mutex mutex_;
  std::vector<Stretch> mapped_;
  std::vector<Stretch> free_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace slowpath::flow
