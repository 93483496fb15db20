// SPDX-License-Identifier: Apache-2.0
// Work handed from one thread to others in slots, in order: while they work on one, the next is
// filled. Few slots are used while all threads run, so that they stay in the cache; many where the
// others have to wait for a processor, so that nobody waits with them. What is in a slot is the
// owner's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace slowpath::flow {

/// One thread fills, the caller's; `workers` others each look at every slot, one slot after the
/// other. Without workers, or where the system gives no threads for them, the caller does it.
class Relay {
 public:
  /// Called for every slot handed over, by worker 0 to workers - 1.
  using Work = std::function<void(std::size_t slot, std::size_t worker)>;

  /// `slots`: how many there may be; with workers a power of two.
  Relay(std::size_t workers, std::size_t slots, Work work);
  /// Waits for what was handed over.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::size_t workers() const { return workers_.size(); }
  /// A slot that nobody works on, one that was in use shortly before if possible. Waits for one.
  [[nodiscard]] std::size_t free_slot();
  /// Gives the slot that free_slot() named last to the workers.
  void hand_over();
  /// Waits until all is done. Throws what a worker threw, after which nothing more is worked on.
  void drain();

 private:
  struct alignas(64) Worker {
    std::atomic<std::uint32_t> done{0};  // slots, wraps
    std::exception_ptr failure;          // before `done` is seen
    std::thread thread;
  };
  void start();
  void end();
  void serve(Worker& worker, std::size_t index);
  void wait_for(Worker& worker, std::uint32_t most_behind) const;

  void take_back_done();

  Work work_;
  // The slots handed over, by their number of order; the caller writes, workers read.
  std::vector<std::uint32_t> order_;
  // Of the caller alone.
  std::vector<std::uint32_t> free_;
  std::uint32_t used_slots_ = 0, taken_back_ = 0, filling_ = 0;
  alignas(64) std::atomic<std::uint32_t> handed_{0};  // slots, wraps
  std::atomic<bool> ending_{false};
  std::vector<Worker> workers_;
};

}  // namespace slowpath::flow
