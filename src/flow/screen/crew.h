// SPDX-License-Identifier: Apache-2.0
// A few threads that do the same work on different parts, and wait for each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace slowpath::flow {

/// `size` threads, of which the caller is one: a crew of one is a plain call.
class Crew {
 public:
  explicit Crew(std::size_t size);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Calls work(0) ... work(size - 1), each on a thread of its own, and returns when all are done.
  template <typename Work>
  void run(Work&& work) {
    if (threads_.empty()) return work(std::size_t{0});
    run_all(std::ref(work));
  }

 private:
  void run_all(std::function<void(std::size_t)> work);
  void serve(std::size_t index);
  /// Waits until `value` is no longer `before`; looks for a while before it sleeps.
  static void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t before);

  std::function<void(std::size_t)> work_;
  std::atomic<std::uint32_t> task_{0};     // its number
  std::atomic<std::uint32_t> working_{0};  // threads besides the caller that have not finished it
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

}  // namespace slowpath::flow
