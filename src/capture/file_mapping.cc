// SPDX-License-Identifier: Apache-2.0
#include "capture/file_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>

#include <fmt/format.h>

namespace slowpath::capture {
namespace {

// Made zero at a time: of a disk no more than needs be is lost, of a file that was made shorter
// many gigabytes are gone by a few thousand signals.
constexpr std::uintptr_t kStretchLen = std::uintptr_t{1} << 20;

std::uintptr_t page_len() {
  static const auto len = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  return len;
}

struct sigaction previous{};  // written once, before the handler is there

}  // namespace

// Never freed, used again: the handler may look at it at any time.
struct FileMapping::Watch {
  std::atomic<std::uintptr_t> begin = 0, end = 0;  // 0: free
  std::atomic<std::uintptr_t> lost_from = 0;       // `end`: nothing is lost
  std::atomic<std::uintptr_t> brought_to = 0;      // pages before it were mapped once
  Watch* next = nullptr;

  static inline std::atomic<Watch*> all = nullptr;

  /// Who watches this place, if anybody, and what was watched when that was looked up.
  struct Found {
    Watch* watch = nullptr;
    std::uintptr_t begin = 0, end = 0;
  };
  static Found over(std::uintptr_t at) {
    for (Watch* watch = all.load(); watch != nullptr; watch = watch->next) {
      const std::uintptr_t begin = watch->begin.load(), end = watch->end.load();
      if (begin <= at && at < end) return {watch, begin, end};
    }
    return {};
  }
};

// Called by the handler of a signal: atomics without locks, and system calls. False: nobody maps a
// file there, or it cannot be helped.
bool FileMapping::put_zeros(std::uintptr_t at) {
  const Watch::Found found = Watch::over(at);
  if (found.watch == nullptr) return false;
  const std::uintptr_t from = at / page_len() * page_len();
  const std::uintptr_t to = std::min(found.end, (at / kStretchLen + 1) * kStretchLen);
  void* const memory = reinterpret_cast<void*>(from);
  if (mmap(memory, to - from, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
      memory) {
    return false;
  }
  std::uintptr_t lost = found.watch->lost_from.load();
  while (from < lost && !found.watch->lost_from.compare_exchange_weak(lost, from)) {
  }
  return true;
}

void FileMapping::handle_bus_errors() {
  (void)page_len();  // not for the first time in the handler
  struct sigaction action{};
  action.sa_sigaction = [](int number, siginfo_t* info, void*) {
    const int error = errno;
    const bool is_fault = info->si_code > 0;  // else it was sent by a program
    if (!is_fault || !put_zeros(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
      // A fault is met again when this returns.
      sigaction(number, &previous, nullptr);
      if (!is_fault) raise(number);
    }
    errno = error;
  };
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, nullptr, &previous);
  sigaction(SIGBUS, &action, nullptr);
}

FileMapping::Watch& FileMapping::watch(Bytes bytes) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (Watch::all.load() == nullptr) handle_bus_errors();
  Watch* found = Watch::all.load();
  while (found != nullptr && found->end.load() != 0) found = found->next;
  if (found == nullptr) {
    found = new Watch;
    found->next = Watch::all.load();
    Watch::all.store(found);
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  found->lost_from = begin + bytes.size();
  found->brought_to = begin;
  found->begin = begin;
  found->end = begin + bytes.size();
  return *found;
}

std::unique_ptr<FileMapping> FileMapping::make(int fd, std::size_t len) {
  void* const memory = mmap(nullptr, len, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, len, MADV_SEQUENTIAL);
  const Bytes bytes{static_cast<const std::byte*>(memory), len};
  return std::unique_ptr<FileMapping>(new FileMapping(bytes, watch(bytes)));
}

FileMapping::~FileMapping() {
  watch_.end = 0;
  munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::optional<std::uint64_t> FileMapping::lost_from(Bytes part) {
  const Watch::Found found = Watch::over(reinterpret_cast<std::uintptr_t>(part.data()));
  if (found.watch == nullptr) return {};
  const std::uintptr_t lost = found.watch->lost_from.load();
  return lost == found.end ? std::optional<std::uint64_t>() : lost - found.begin;
}

bool FileMapping::are_there(Bytes part) {
  if (part.empty()) return true;
  (void)*static_cast<const volatile std::byte*>(&part.front());
  (void)*static_cast<const volatile std::byte*>(&part.back());
  return !lost_from(part);
}

std::string FileMapping::problem_of(Bytes part) {
  const std::optional<std::uint64_t> lost = lost_from(part);
  if (!lost) return {};
  return fmt::format(
      "the file was made shorter while it was read, or its disk cannot be read: nothing is there "
      "at stored byte {}",
      *lost);
}

// What is not there (the file was made shorter) is an error here, and a signal when it is looked
// at.
void FileMapping::bring([[maybe_unused]] Bytes part) {
#ifdef MADV_POPULATE_READ  // Linux 5.14
  const auto at = reinterpret_cast<std::uintptr_t>(part.data());
  Watch* const watch = Watch::over(at).watch;
  if (watch == nullptr) return;
  const std::uintptr_t to = at + part.size();
  std::uintptr_t before = watch->brought_to.load();
  while (before < to && !watch->brought_to.compare_exchange_weak(before, to)) {
  }
  if (before >= to) return;
  const std::uintptr_t from = std::max(at, before);
  madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_READ);
#endif
}

void FileMapping::give_back(std::size_t offset, std::size_t len) {
  madvise(const_cast<std::byte*>(bytes_.data()) + offset, len, MADV_DONTNEED);
}

}  // namespace slowpath::capture
