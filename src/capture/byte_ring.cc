// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace slowpath::capture {
namespace {

std::unexpected<Error> out_of_memory() {
  return fail(ErrorKind::environment, "cannot get memory for reading a stream",
              std::strerror(errno));
}

}  // namespace

Result<ByteRing> ByteRing::make(std::size_t capacity) {
  const int fd = memfd_create("slowpath-ring", MFD_CLOEXEC);
  if (fd < 0) return out_of_memory();
  void* both = MAP_FAILED;
  bool mapped = false;
  if (ftruncate(fd, static_cast<off_t>(capacity)) == 0) {
    both = mmap(nullptr, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (both != MAP_FAILED) {
    auto* first = static_cast<std::byte*>(both);
    const int access = PROT_READ | PROT_WRITE;
    mapped = mmap(first, capacity, access, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED &&
             mmap(first + capacity, capacity, access, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
  }
  const int reason = errno;
  close(fd);
  if (mapped) return ByteRing(static_cast<std::byte*>(both), capacity);
  if (both != MAP_FAILED) munmap(both, 2 * capacity);
  errno = reason;
  return out_of_memory();
}

ByteRing::ByteRing(ByteRing&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      capacity_(other.capacity_),
      written_(other.written_) {}

ByteRing::~ByteRing() {
  if (memory_ != nullptr) munmap(memory_, 2 * capacity_);
}

Bytes ByteRing::view(std::uint64_t position, std::size_t len) const {
  const std::uint64_t oldest = written_ > capacity_ ? written_ - capacity_ : 0;
  if (position < oldest || position > written_ || len > written_ - position) return {};
  return {at(position), len};
}

std::span<std::byte> ByteRing::room(std::size_t max) {
  const std::size_t begin = written_ % capacity_;
  return {memory_ + begin, std::min(max, capacity_ - begin)};
}

void ByteRing::append(Bytes bytes) {
  SLOWPATH_ASSERT(bytes.size() <= capacity_);
  while (!bytes.empty()) {
    const std::span<std::byte> free = room(bytes.size());
    std::memcpy(free.data(), bytes.data(), free.size());
    commit(free.size());
    bytes = bytes.subspan(free.size());
  }
}

}  // namespace slowpath::capture
