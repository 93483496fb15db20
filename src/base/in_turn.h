// SPDX-License-Identifier: Apache-2.0
// Things that are made by several threads at once and used one after the other, in their order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/in_parallel.h"

namespace slowpath {

/// Calls make(i) once for each i below `count`, as in_parallel() does, and use(i, what came of it)
/// in the order of the numbers, one at a time. A thread that made something waits until it is used:
/// no more than `threads` of them are held. Throws the first thing that a call threw.
template <typename Make, typename Use>
void in_turn(std::size_t count, std::size_t threads, const Make& make, const Use& use) {
  std::mutex mutex;
  std::condition_variable next;
  std::size_t turn = 0;
  bool failed = false;
  in_parallel(count, threads, [&](std::size_t i) {
    try {
      auto made = make(i);
      // What comes before it was begun before it, by another thread or this one.
      {
        std::unique_lock lock(mutex);
        next.wait(lock, [&] { return turn == i || failed; });
        if (failed) return;
      }
      use(i, std::move(made));
      const std::lock_guard lock(mutex);
      ++turn;
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        failed = true;
      }
      next.notify_all();
      throw;
    }
    next.notify_all();
  });
}

}  // namespace slowpath
