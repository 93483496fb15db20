// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_supply.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace slowpath::capture {
namespace {

constexpr std::size_t kBufferLen = 256u << 10;  // four times a Linux pipe's own buffer
constexpr int kStopCheckMs = 200;

class PlainSupply final : public ByteSupply {
 public:
  explicit PlainSupply(std::unique_ptr<StoredBytes> stored) : stored_(std::move(stored)) {}

  std::size_t read(std::span<std::byte> out) override {
    const Bytes from = stored_->peek();
    const std::size_t len = std::min(from.size(), out.size());
    if (len != 0) std::memcpy(out.data(), from.data(), len);
    stored_->consume(len);
    return len;
  }
  [[nodiscard]] std::string problem() const override { return stored_->problem(); }
  [[nodiscard]] std::uint64_t position() const override { return stored_->position(); }

 private:
  std::unique_ptr<StoredBytes> stored_;
};

}  // namespace

DescriptorBytes::DescriptorBytes(int fd, const std::atomic<bool>* stop,
                                 const std::atomic<bool>* closing)
    : fd_(fd), stop_(stop), closing_(closing), buffer_(kBufferLen) {}

DescriptorBytes::~DescriptorBytes() { close(fd_); }

// Waits for input in short turns, so that a stop that arrives between the check and the wait is
// seen.
bool DescriptorBytes::read_more() {
  if (begin_ == end_) begin_ = end_ = 0;
  SLOWPATH_ASSERT(end_ < buffer_.size());
  while (!ended_) {
    if (stop_ != nullptr || closing_ != nullptr) {
      if (is_told_to_end()) break;
      pollfd waiting{fd_, POLLIN, 0};
      const int ready = poll(&waiting, 1, kStopCheckMs);
      if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    }
    const ssize_t got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
      return true;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
      // A descriptor that the shell left non-blocking: wait instead of spinning.
      pollfd waiting{fd_, POLLIN, 0};
      poll(&waiting, 1, kStopCheckMs);
      continue;
    }
    if (got < 0) problem_ = std::string("reading failed: ") + std::strerror(errno);
    break;
  }
  ended_ = true;
  return false;
}

Bytes DescriptorBytes::peek() {
  if (begin_ == end_) read_more();
  return {buffer_.data() + begin_, end_ - begin_};
}

Bytes DescriptorBytes::peek_at_least(std::size_t len) {
  SLOWPATH_ASSERT(begin_ + len <= buffer_.size());
  while (end_ - begin_ < len && read_more()) {
  }
  return {buffer_.data() + begin_, end_ - begin_};
}

void DescriptorBytes::consume(std::size_t len) {
  begin_ += len;
  position_ += len;
}

std::unique_ptr<ByteSupply> make_plain_supply(std::unique_ptr<StoredBytes> stored) {
  return std::make_unique<PlainSupply>(std::move(stored));
}

}  // namespace slowpath::capture
