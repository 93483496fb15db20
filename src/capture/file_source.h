// SPDX-License-Identifier: Apache-2.0
// What the readers of file formats have in common: the window they read through, the account of
// what was read and lost, and the search for the next sound record after damage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "capture/byte_window.h"
#include "capture/source.h"

namespace slowpath::capture {

/// The largest captured frame that is believed. Linux builds super-frames of up to 512 KiB (BIG
/// TCP, GSO_MAX_SIZE); 16 MiB is Wireshark's own limit for a pcapng block.
inline constexpr std::uint32_t kMaxFrameLen = 16u << 20;
/// What a capture without a useful snap length may hold: libpcap's MAXIMUM_SNAPLEN.
inline constexpr std::uint32_t kUsualMaxFrameLen = 256u << 10;
/// Link type of frames whose format names one that has no LINKTYPE_ number.
inline constexpr auto kUnmappedLinkType = static_cast<wire::LinkType>(0xffff);

/// What an Error of opening `name` says was attempted.
inline std::string reading(const std::string& name) {
  return "cannot read " + (name == "-" ? "standard input" : name);
}

/// A Source that reads through a ByteWindow. Its next() and next_batch() call begin_batch() first.
class FileSource : public Source {
 public:
  [[nodiscard]] const SourceInfo& info() const final {
    info_.bytes_read = window_->offset();
    return info_;
  }
  [[nodiscard]] Bytes bytes_at(std::uint64_t byte_offset, std::size_t len) const final {
    return window_->bytes_at(byte_offset, len);
  }
  [[nodiscard]] std::uint64_t position() const final { return window_->position(); }
  [[nodiscard]] bool stable_bytes() const final { return window_->is_stable(); }

 protected:
  FileSource(std::unique_ptr<ByteWindow> window, SourceInfo info, std::uint16_t input)
      : window_(std::move(window)), info_(std::move(info)), input_(input) {}

  void begin_batch() {
    window_->begin_batch();
    frames_before_ = info_.frames;
  }
  /// What follows may be long and give no frame. False: the frames of this batch have to be handed
  /// out first, because their bytes may leave the window meanwhile; what follows is for the next.
  /// True: everything before is done with.
  bool may_go_far() {
    if (info_.frames != frames_before_) return false;
    window_->begin_batch();
    return true;
  }
  /// So much was read since the batch began that it ends, or begins anew where it has no frame.
  [[nodiscard]] bool is_batch_long() const {
    return window_->offset() > window_->batch_begin() + kRetainedBytes / 4;
  }

  void count_damage(std::uint64_t offset, std::uint64_t bytes_lost, std::string what);
  /// The input ended inside a record of `record_len` bytes that begins at `offset`.
  void count_cut(std::uint64_t offset, std::uint64_t bytes_left, std::uint64_t record_len);
  /// The input ended between two records: notes why if that was early. Idempotent.
  void note_end();
  void keep_comment(std::string text);

  /// Fills `frames` by calling read_one(frame) until it is full, the input ends, the program that
  /// feeds us may pause, or the first frame's bytes would soon leave the ring.
  template <typename ReadOne>
  std::size_t read_batch(std::span<wire::Frame> frames, ReadOne read_one) {
    // Below this a pipe is drained: give what there is, rather than wait for more.
    constexpr std::size_t kPlenty = 64u << 10;
    std::size_t count = 0;
    while (count < frames.size() && read_one(frames[count])) {
      ++count;
      if (is_batch_long()) break;
      if (window_->unread() < kPlenty && window_->may_wait()) break;
    }
    return count;
  }

  std::unique_ptr<ByteWindow> window_;
  mutable SourceInfo info_;  // bytes_read is brought up to date when asked for
  std::uint16_t input_;
  bool ended_ = false;

 private:
  std::uint64_t frames_before_ = 0;  // the batch
};

/// The direction that a frame's own link-layer header tells, if it is of a type that does.
wire::FrameDirection direction_in_header(wire::LinkType link_type, Bytes frame);
/// True for the link types of direction_in_header.
constexpr bool tells_direction(wire::LinkType link_type) {
  return link_type == wire::LinkType::linux_sll || link_type == wire::LinkType::linux_sll2 ||
         link_type == wire::LinkType::ppp_with_direction;
}

/// Trims a frame check sequence of `fcs_len` bytes off a frame of `original_len` bytes on the wire,
/// and mends an original length that is shorter than what was captured (some programs leave it 0).
inline void set_lengths(wire::Frame& frame, const std::byte* data, std::uint32_t captured_len,
                        std::uint32_t original_len, std::uint8_t fcs_len) {
  if (original_len < captured_len) [[unlikely]]
    original_len = captured_len;
  if (fcs_len != 0) {
    original_len -= original_len < fcs_len ? original_len : fcs_len;
    if (captured_len > original_len) captured_len = original_len;
  }
  frame.bytes = {data, captured_len};
  frame.original_len = original_len;
}

/// Walks forward, byte by byte, to the next place where `Policy` sees a chain of sound records, and
/// leaves the window there. False, with the window at the end of the input, when there is none.
/// Nothing before the window is used any more: see FileSource::may_go_far().
/// Policy: kHeaderLen; looks_sound(header) by itself; follows(header, next_header);
/// record_len(header).
template <typename Policy>
bool find_sound_record(ByteWindow& window, const Policy& policy) {
  constexpr std::size_t kAhead = 64u << 10;
  // Three headers in a row do not come about by chance; the last of a file have fewer to show.
  constexpr int kChain = 3;
  const auto is_chain = [&] {
    std::uint64_t at = 0;
    for (int link = 0; link < kChain; ++link) {
      const std::uint64_t next = at + policy.record_len(window.data() + at);
      const std::uint64_t wanted = next + policy.header_len();
      if (wanted > ByteWindow::kMaxEnsure) return link > 0;
      const std::size_t have = window.ensure(static_cast<std::size_t>(wanted));
      if (have < next) return link > 0;  // the next record is itself cut short
      if (have < wanted) return true;    // the record ends where the input ends
      if (!policy.looks_sound(window.data() + next) ||
          !policy.follows(window.data() + at, window.data() + next)) {
        return false;
      }
      at = next;
    }
    return true;
  };
  while (window.ensure(policy.header_len()) >= policy.header_len()) {
    window.begin_batch();
    // The inner walk has no call in it: garbage may be long.
    std::size_t have = window.ensure(kAhead);
    for (; have >= policy.header_len(); --have, window.advance(1)) {
      if (!policy.looks_sound(window.data())) continue;
      if (is_chain()) return true;
      have = window.unread();
    }
  }
  window.advance(window.unread());
  return false;
}

}  // namespace slowpath::capture
