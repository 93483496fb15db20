// SPDX-License-Identifier: Apache-2.0
#include "capture/spool.h"

#include <sys/mman.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace slowpath::capture {
namespace {

// What is let go and given back are multiples of a large page, of x86-64 and of arm64 with 4 KiB
// pages: the kernel may use them where it has some at hand. They are not asked for (MADV_HUGEPAGE):
// finding one can take longer than decompressing two megabytes.
constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;
// Addresses are only numbers until they are written to, but they are used once. So many last for
// days of a pipe at the speed of a full analysis; with less than the least a ring is better.
constexpr std::uint64_t kMostAddresses = std::uint64_t{1} << 46;
constexpr std::uint64_t kLeastAddresses = std::uint64_t{1} << 36;
// Written to in such steps: a limit on committed memory (vm.overcommit_memory) counts what may be
// written to, not what is reserved.
constexpr std::uint64_t kAllowStep = std::uint64_t{64} << 20;
// Small enough to be in the second-level cache when it is written to.
constexpr std::uint64_t kPopulateStep = std::uint64_t{512} << 10;
// How far a reader that waits sees to memory ahead of what is written: two of the largest reads.
constexpr std::uint64_t kPopulateAhead = std::uint64_t{8} << 20;
// How far a reader is shown at a time: between two looks at what can be let go.
constexpr std::uint64_t kSliceLen = std::uint64_t{16} << 20;
// Letting go less than this makes the reader's helpers wait too often.
constexpr std::uint64_t kWorthLettingGo = std::uint64_t{8} << 20;

constexpr std::uint64_t round_down(std::uint64_t bytes) { return bytes / kLargePage * kLargePage; }

}  // namespace

Spool::Spool(SpoolOptions options)
    : most_bytes_(round_down(std::max(options.most_bytes, kLeastBytes))), passes_(options.passes) {}

std::shared_ptr<Spool> Spool::make(SpoolOptions options) {
  std::shared_ptr<Spool> spool(new Spool(options));
  if (!spool->reserve()) return nullptr;
  try {
    // Before there is a supply: one whose thread fails could be read by nobody else.
    spool->thread_ = std::thread([raw = spool.get()] { raw->write_all(); });
  } catch (const std::system_error&) {
    return nullptr;
  }
  return spool;
}

void Spool::start(std::unique_ptr<ByteSupply> supply, SourceInfo described, bool interactive) {
  SLOWPATH_ASSERT(!supply_);
  const std::lock_guard lock(mutex_);
  supply_ = std::move(supply);
  described_ = std::move(described);
  interactive_ = interactive;
  passes_ = passes_ && described_.file_bytes != 0;
  room_.notify_all();
}

Spool::~Spool() {
  end();
  if (mapped_ != nullptr) munmap(mapped_, mapped_len_);
}

bool Spool::reserve() {
  for (std::uint64_t bytes = kMostAddresses; bytes >= kLeastAddresses; bytes /= 2) {
    const auto len = static_cast<std::size_t>(bytes + kLargePage);
    void* const got =
        mmap(nullptr, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) continue;
    mapped_ = got;
    mapped_len_ = len;
    const auto address = reinterpret_cast<std::uintptr_t>(got);
    memory_ = static_cast<std::byte*>(got) + (round_down(address + kLargePage - 1) - address);
    reserved_ = bytes;
    return true;
  }
  return false;
}

// The thread. Its read() fills a stretch that no reader looks at before it is published.
void Spool::write_all() {
  if (!wait_for_supply()) return;
  try {
    while (const std::size_t room = wait_for_room()) {
      const std::size_t got = supply_->read({memory_ + written_.load(), room});
      if (got == 0) break;
      publish(got);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  problem_ = supply_->problem();
  stored_position_ = supply_->position();
  ended_ = true;
  blocked_ = false;
  came_.notify_all();
}

// False: what was opened needs none.
bool Spool::wait_for_supply() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return supply_ || closing_.load(); });
  return supply_ != nullptr;
}

// 0: nothing more is to be written.
std::size_t Spool::wait_for_room() {
  const std::uint64_t written = written_.load(std::memory_order_relaxed);
  const auto has_room = [&] {
    return written - released_.load() < most_bytes_ && allow_writing(written + 1);
  };
  while (!closing_.load(std::memory_order_relaxed) && !has_room()) {
    std::unique_lock lock(mutex_);
    exhausted_ = written == reserved_;
    blocked_ = true;
    came_.notify_all();
    room_.wait(lock, [&] { return closing_.load() || !blocked_; });
  }
  if (closing_.load(std::memory_order_relaxed)) return 0;
  const std::uint64_t left = most_bytes_ - (written - released_.load());
  const std::uint64_t room = std::min({std::uint64_t{supply_->good_read_len()},
                                       std::max(written, kPopulateStep), left, allowed_ - written});
  while (populate_to(written + room)) {
  }
  return static_cast<std::size_t>(room);
}

bool Spool::allow_writing(std::uint64_t until) {
  if (until <= allowed_) return true;
  const std::uint64_t step = std::min(kAllowStep, reserved_ - allowed_);
  if (step == 0) return false;
  if (mprotect(memory_ + allowed_, step, PROT_READ | PROT_WRITE) != 0) return false;
  allowed_ += step;
  return true;
}

// One step of pages, in one call rather than by a fault for each. False: there is nothing to do.
bool Spool::populate_to([[maybe_unused]] std::uint64_t end) {
#ifdef MADV_POPULATE_WRITE  // Linux 5.14
  std::uint64_t from = populated_.load();
  std::uint64_t to = 0;
  do {
    if (from >= end) return false;
    to = std::min(from + kPopulateStep, allowed_.load());
  } while (!populated_.compare_exchange_weak(from, to));
  madvise(memory_ + from, to - from, MADV_POPULATE_WRITE);
  return true;
#else
  return false;
#endif
}

// Whoever decompresses is waited for: its pages are better made by who waits. At first no more than
// was written, as many inputs are small.
void Spool::populate_ahead() {
  const auto has_all = [this] {
    const std::uint64_t written = written_.load(), ahead = std::min(written, kPopulateAhead);
    const std::uint64_t end =
        std::min({written + ahead, allowed_.load(), released_.load() + most_bytes_});
    return ended_.load() || blocked_.load() || !populate_to(end);
  };
  while (!has_all()) {
  }
}

void Spool::publish(std::size_t len) {
  const std::lock_guard lock(mutex_);
  stored_position_ = supply_->position();
  written_.fetch_add(len, std::memory_order_release);
  came_.notify_all();
}

bool Spool::wait_for(std::uint64_t bytes, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, time, [&] { return ended_ || blocked_ || written() >= bytes; });
}

// Waits until the input was written to `until`; says how far it was. What begins at `needed_from`
// is still used by the reader.
std::uint64_t Spool::read_to(std::uint64_t until, std::uint64_t needed_from) {
  // Once told, the end stays: what came behind a gap would be taken for what follows.
  if (overflowed()) return written_.load(std::memory_order_acquire);
  if (blocked_.load(std::memory_order_relaxed)) (void)make_room(needed_from, kWorthLettingGo);
  std::uint64_t written = written_.load(std::memory_order_acquire);
  while (written < until) {
    populate_ahead();
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] {
      written = written_.load(std::memory_order_acquire);
      return written >= until || ended_ || blocked_;
    });
    if (written >= until) break;
    if (ended_) {
      if (failure_) std::rethrow_exception(failure_);
      break;
    }
    lock.unlock();
    if (make_room(needed_from, kLargePage)) continue;
    overflowed_ = true;
    break;
  }
  return written;
}

bool Spool::make_room(std::uint64_t needed_from, std::uint64_t least) {
  {
    const std::lock_guard lock(mutex_);
    if (!passes_ || exhausted_) return false;
  }
  const std::uint64_t from = released_.load();
  const std::uint64_t to =
      needed_from > kRetainedBytes ? round_down(needed_from - kRetainedBytes) : 0;
  if (to < from + least) return false;
  if (before_letting_go_) before_letting_go_();
  // Mapped anew rather than emptied: what is not writable does not count as committed.
  SLOWPATH_ASSERT(mmap(memory_ + from, to - from, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                       0) != MAP_FAILED);
  const std::lock_guard lock(mutex_);
  released_ = to;
  blocked_ = false;
  room_.notify_all();
  return true;
}

Bytes Spool::bytes_at(std::uint64_t offset, std::size_t len) const {
  const std::uint64_t written = written_.load(std::memory_order_acquire);
  if (offset < released_.load() || offset > written || len > written - offset) return {};
  return {memory_ + offset, len};
}

void Spool::pass_on() {
  const std::lock_guard lock(mutex_);
  passes_ = true;
  overflowed_ = false;
  before_letting_go_ = nullptr;
}

void Spool::end() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    room_.notify_all();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  const std::uint64_t used = round_down(written() + kLargePage - 1);
  std::byte* const rest = memory_ + used;
  std::byte* const mapped_end = static_cast<std::byte*>(mapped_) + mapped_len_;
  munmap(rest, static_cast<std::size_t>(mapped_end - rest));
  mapped_len_ -= static_cast<std::size_t>(mapped_end - rest);
}

std::string Spool::problem() const {
  if (overflowed()) return "no memory is left to keep it in";
  return ended_.load() ? problem_ : std::string();
}

/// Shows a spool from its beginning on.
class SpoolWindow final : public ByteWindow {
 public:
  explicit SpoolWindow(std::shared_ptr<Spool> spool) : spool_(std::move(spool)) {
    at_ = end_ = spool_->memory_;
    origin_ = reinterpret_cast<std::uintptr_t>(at_);
  }

  [[nodiscard]] Bytes bytes_at(std::uint64_t offset, std::size_t len) const override {
    return spool_->bytes_at(offset, len);
  }
  // As much of the stored input as the part that was read of the plain bytes.
  [[nodiscard]] std::uint64_t position() const override {
    const std::uint64_t stored = spool_->stored_position_.load();
    const std::uint64_t written = spool_->written();
    if (written <= offset()) return stored;
    const double part = static_cast<double>(offset()) / static_cast<double>(written);
    return static_cast<std::uint64_t>(part * static_cast<double>(stored));
  }
  [[nodiscard]] bool is_stable() const override { return spool_->is_complete(); }
  [[nodiscard]] bool may_wait() const override {
    return spool_->interactive_ && !spool_->ended_.load();
  }
  [[nodiscard]] std::string problem() const override { return spool_->problem(); }

 private:
  std::size_t refill(std::size_t len) override {
    SLOWPATH_ASSERT(len <= kMaxEnsure);
    const std::uint64_t position = offset();
    const std::uint64_t written = spool_->read_to(position + len, batch_begin());
    end_ = at_ + std::min(written - position, std::max<std::uint64_t>(len, kSliceLen));
    return unread();
  }

  std::shared_ptr<Spool> spool_;
};

std::unique_ptr<ByteWindow> make_spool_window(std::shared_ptr<Spool> spool) {
  return std::make_unique<SpoolWindow>(std::move(spool));
}

}  // namespace slowpath::capture
