// SPDX-License-Identifier: Apache-2.0
// The same work on each of many things that have nothing to do with one another, by several threads
// at once. Who does which is left to chance: what comes of it must not depend on it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace slowpath {

/// Calls work(i) once for each i below `count`, by the calling thread and at most `threads` - 1
/// others, fewer where the system gives no more, and returns when all are done. Throws the first
/// thing that a call threw; what was not begun by then is left.
template <typename Work>
void in_parallel(std::size_t count, std::size_t threads, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  const auto serve = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(serve);
    } catch (const std::system_error&) {
      // A limit of the user or the container: those that there are do all of it.
    }
    serve();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace slowpath
