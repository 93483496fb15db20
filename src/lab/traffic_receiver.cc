// SPDX-License-Identifier: Apache-2.0
// The receiving application.
#include "lab/traffic_receiver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace slowpath::lab {

StreamReceiver::StreamReceiver(const TransferEnd& end, int direction)
    : end_(end), pattern_(end.pattern_seed(direction)), buffer_(end.plan.receiver.read_size) {
  if (!end.plan.verify || end.plan.bytes > kHashed) return;
  void* memory = mmap(nullptr, kHashed, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;  // Compared all the same.
  kept_ = static_cast<std::byte*>(memory);
  // Page faults now, not while bytes come.
  if (end.plan.bytes > 0) madvise(kept_, end.plan.bytes, MADV_POPULATE_WRITE);
}

StreamReceiver::~StreamReceiver() {
  if (kept_) munmap(kept_, kHashed);
}

bool StreamReceiver::read_some(int socket, std::uint64_t most) {
  const auto want = std::min<std::uint64_t>(most, buffer_.size());
  if (kept_ && bytes_ + want > kHashed) {
    munmap(std::exchange(kept_, nullptr), kHashed);
  }
  auto* to = kept_ ? kept_ + bytes_ : buffer_.data();
  const auto count = recv(socket, to, want, 0);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return true;
    error_ = std::string{"read: "} + std::strerror(errno);
    return false;
  }
  if (count == 0) {
    saw_end_ = true;
    return false;
  }
  last_byte_ns_ = steady_ns();
  if (end_.plan.verify) check_.take({to, static_cast<std::size_t>(count)});
  bytes_ += static_cast<std::uint64_t>(count);
  if (end_.plan.receiver.quickack) {
    const int on = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }
  return true;
}

void StreamReceiver::pace() {
  const auto& plan = end_.plan.receiver;
  const auto deadline = end_.deadline_ns();
  if (plan.stall_after > 0 && bytes_ >= plan.stall_after && !stalled_) {
    stalled_ = true;
    sleep_until_ns(std::min(steady_ns() + plan.stall_for.count(), deadline));
  }
  if (plan.read_rate_bps <= 0 || bytes_ == 0) return;
  if (paced_from_ns_ == 0) paced_from_ns_ = steady_ns();
  const auto due =
      static_cast<std::int64_t>(static_cast<double>(bytes_) * 8e9 / plan.read_rate_bps);
  sleep_until_ns(std::min(paced_from_ns_ + due, deadline));
}

void StreamReceiver::run(int socket) {
  while (read_some(socket, UINT64_MAX)) {
    if (end_.is_late() || has_enough()) return;
    pace();
    // The sender goes at the limit: a read after it would send a window update to nobody.
    if (end_.is_late()) return;
  }
}

bool StreamReceiver::read_exactly(int socket, std::uint64_t length) {
  const auto until = bytes_ + length;
  while (bytes_ < until) {
    if (end_.is_late()) return false;
    if (!read_some(socket, until - bytes_)) return false;
  }
  return true;
}

ReceiverReport StreamReceiver::report(std::uint64_t wanted, std::int64_t ended_ns) const {
  ReceiverReport report;
  report.bytes = bytes_;
  report.complete = wanted == 0 ? error_.empty() : bytes_ == wanted;
  // What did not come was waited for.
  const bool all = wanted != 0 && report.complete;
  report.ended_ns = all ? last_byte_ns_ : std::min(ended_ns, end_.deadline_ns());
  report.wrong = check_.wrong();
  report.differences = check_.differences();
  if (kept_) {
    report.found_sha256 = sha256_hex(Bytes{kept_, bytes_});
    report.expected_sha256 = sha256_hex(pattern_, bytes_);
  }
  return report;
}

}  // namespace slowpath::lab
