// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/relay.h"

#include <algorithm>
#include <bit>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace slowpath::flow {
namespace {

// About the time that waking a thread takes; longer would cost whoever else needs the processor.
constexpr int kLooks = 100;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `value` is no longer `before`; looks for a while before it sleeps.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t before) {
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != before) return;
    pause_briefly();
  }
  value.wait(before, std::memory_order_acquire);
}

}  // namespace

Relay::Relay(std::size_t workers, std::size_t slots, Work work)
    : work_(std::move(work)), order_(slots), workers_(workers) {
  SLOWPATH_ASSERT(std::has_single_bit(slots));
  start();
}

Relay::~Relay() { end(); }

void Relay::start() {
  try {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i].thread = std::thread([this, i] { serve(workers_[i], i); });
    }
  } catch (const std::system_error&) {
    end();
    workers_ = std::vector<Worker>();
  }
}

void Relay::end() {
  for (Worker& worker : workers_) {
    if (worker.thread.joinable()) wait_for(worker, 0);
  }
  ending_.store(true);
  handed_.fetch_add(1);
  handed_.notify_all();
  for (Worker& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

// Until `worker` has all but `most_behind` of the slots behind it.
void Relay::wait_for(Worker& worker, std::uint32_t most_behind) const {
  const std::uint32_t handed = handed_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint32_t done = worker.done.load(std::memory_order_acquire);
    if (handed - done <= most_behind) return;
    wait_for_change(worker.done, done);
  }
}

// What all workers have behind them. A slot put on the stack last is taken first.
void Relay::take_back_done() {
  const std::uint32_t handed = handed_.load(std::memory_order_relaxed);
  std::uint32_t in_work = 0;
  for (const Worker& worker : workers_) {
    in_work = std::max(in_work, handed - worker.done.load(std::memory_order_acquire));
  }
  for (; taken_back_ != handed - in_work; ++taken_back_) {
    free_.push_back(order_[taken_back_ % order_.size()]);
  }
}

std::size_t Relay::free_slot() {
  if (workers_.empty()) return 0;
  take_back_done();
  if (free_.empty()) {
    if (used_slots_ < order_.size()) return filling_ = used_slots_++;
    for (Worker& worker : workers_) wait_for(worker, used_slots_ - 1);
    take_back_done();
  }
  filling_ = free_.back();
  free_.pop_back();
  return filling_;
}

void Relay::hand_over() {
  if (workers_.empty()) return work_(0, 0);
  order_[handed_.load(std::memory_order_relaxed) % order_.size()] = filling_;
  handed_.fetch_add(1, std::memory_order_release);
  handed_.notify_all();
}

void Relay::drain() {
  for (Worker& worker : workers_) wait_for(worker, 0);
  for (Worker& worker : workers_) {
    if (worker.failure) std::rethrow_exception(worker.failure);
  }
}

void Relay::serve(Worker& worker, std::size_t index) {
  for (std::uint32_t next = 0;; ++next) {
    wait_for_change(handed_, next);
    if (ending_.load() && handed_.load(std::memory_order_acquire) == next + 1) return;
    if (!worker.failure) {
      try {
        work_(order_[next % order_.size()], index);
      } catch (...) {
        worker.failure = std::current_exception();
      }
    }
    worker.done.store(next + 1, std::memory_order_release);
    worker.done.notify_one();
  }
}

}  // namespace slowpath::flow
