// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/crew.h"

#include <utility>

namespace slowpath::flow {
namespace {

// About the time that waking a thread takes; longer would cost whoever else needs the processor.
constexpr int kLooks = 100;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Crew::Crew(std::size_t size) {
  for (std::size_t i = 1; i < size; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Crew::~Crew() {
  if (threads_.empty()) return;
  ending_.store(true);
  task_.fetch_add(1);
  task_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t before) {
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != before) return;
    pause_briefly();
  }
  value.wait(before, std::memory_order_acquire);
}

void Crew::run_all(std::function<void(std::size_t)> work) {
  work_ = std::move(work);
  working_.store(static_cast<std::uint32_t>(threads_.size()), std::memory_order_relaxed);
  task_.fetch_add(1, std::memory_order_release);
  task_.notify_all();
  work_(0);
  for (std::uint32_t left = working_.load(std::memory_order_acquire); left != 0;
       left = working_.load(std::memory_order_acquire)) {
    wait_for_change(working_, left);
  }
}

void Crew::serve(std::size_t index) {
  for (std::uint32_t done = 0;; ++done) {
    wait_for_change(task_, done);
    if (ending_.load()) return;
    work_(index);
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
  }
}

}  // namespace slowpath::flow
