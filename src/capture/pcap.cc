// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "capture/pcap_format.h"
#include "capture/pcap_walk.h"
#include "capture/walked_source.h"

namespace slowpath::capture {
namespace {

constexpr std::size_t kFileHeaderLen = 24;

inline bool is_all_zero(const RecordHeader& h) {
  return (h.seconds | h.fraction | h.captured_len | h.original_len) == 0;
}

// What a healthy writer would put into the lengths and the fraction.
inline bool is_strictly_sound(const RecordHeader& h, const PcapFormat& format) {
  return h.captured_len <= h.original_len && h.captured_len <= format.max_captured_len &&
         h.original_len <= kMaxFrameLen && h.fraction < format.fractions_per_s && !is_all_zero(h);
}

// For find_sound_record. Without a time to compare with, only the chain decides.
struct RecordPolicy {
  const PcapFormat& format;
  bool has_time;
  std::uint32_t seconds;

  [[nodiscard]] std::size_t header_len() const { return format.header_len; }
  [[nodiscard]] bool looks_sound(const std::byte* at) const {
    const RecordHeader h = load_header(at, format);
    return (!has_time || within_a_day(h.seconds, seconds)) && h.captured_len != 0 &&
           is_strictly_sound(h, format);
  }
  [[nodiscard]] bool follows(const std::byte* at, const std::byte* next) const {
    return within_a_day(load_header(next, format).seconds, load_header(at, format).seconds);
  }
  [[nodiscard]] std::uint64_t record_len(const std::byte* at) const {
    return std::uint64_t{format.header_len} + load_header(at, format).captured_len;
  }
};

class PcapSource final : public WalkedSource<PcapSource> {
 public:
  PcapSource(std::unique_ptr<ByteWindow> window, SourceInfo info, std::uint16_t input,
             const PcapFormat& format)
      : WalkedSource(std::move(window), std::move(info), input),
        format_(format),
        tells_direction_(format.modified || tells_direction(format.link_type)),
        is_plain_(!format.swapped && !tells_direction_ && format.fcs_len == 0 &&
                  format.length_order == LengthOrder::captured_first) {}

  [[nodiscard]] std::optional<Mark> mark() const override {
    return Mark{window_->offset(), info_.frames, last_seconds_, info_.frames};
  }
  void go_to(const Mark& mark) override {
    window_->skip(mark.offset - window_->offset());
    info_.frames = mark.frames;
    last_seconds_ = mark.seconds;
  }

 private:
  friend class WalkedSource<PcapSource>;
  [[nodiscard]] bool is_plain() const { return is_plain_; }
  bool read_one(wire::Frame& frame);
  std::size_t read_sound(std::span<wire::Frame> frames, const HashFilter* wanted,
                         std::uint64_t most);
  void fill(wire::Frame& frame, const RecordHeader& header);
  // Looks odd, yet may be how this file was written.
  bool is_acceptable(const RecordHeader& header);
  // Damage at the window: goes to the next sound record, false when there is none, or when the
  // frames before it are to be handed out first.
  bool recover(const RecordHeader& header);
  bool recover_or_cut(const RecordHeader& header);
  bool end_between_records();
  void choose_modified_header_len();

  PcapFormat format_;
  bool tells_direction_;
  bool is_plain_;  // as nearly all writers of today write
  PcapWalk walk_;
  bool has_time_ = false;
  // Of the last sound record; 0 sends the first one through is_acceptable().
  std::uint32_t last_seconds_ = 0;
};

std::size_t PcapSource::read_sound(std::span<wire::Frame> frames, const HashFilter* wanted,
                                   std::uint64_t most) {
  const Bytes seen = shown();
  PcapWalk::Place place{seen, window_->offset(), info_.frames, last_seconds_, input_};
  const std::size_t count = wanted == nullptr
                                ? walk_.read(place, format_, frames)
                                : walk_.read_wanted(place, format_, *wanted, most, frames);
  has_time_ |= place.number != info_.frames;
  info_.frames = place.number;
  last_seconds_ = place.seconds;
  window_->advance(seen.size() - place.shown.size());
  return count;
}

inline bool PcapSource::read_one(wire::Frame& frame) {
  for (;;) {
    if (window_->ensure(format_.header_len) < format_.header_len) [[unlikely]] {
      return end_between_records();
    }
    const RecordHeader header = load_header(window_->data(), format_);
    // One branch for all that is odd: none of it is likely. (A captured length of 0 wraps.)
    const bool odd = (header.captured_len - 1 >= format_.max_captured_len) |
                     (header.captured_len > header.original_len) |
                     (header.fraction >= format_.fractions_per_s) |
                     !within_a_day(header.seconds, last_seconds_);
    if (odd && !is_acceptable(header)) [[unlikely]] {
      if (!recover(header)) return false;
      continue;
    }
    const std::size_t record_len = std::size_t{format_.header_len} + header.captured_len;
    if (window_->ensure(record_len) < record_len) [[unlikely]] {
      if (!recover_or_cut(header)) return false;
      continue;
    }
    fill(frame, header);
    window_->advance(record_len);
    return true;
  }
}

inline void PcapSource::fill(wire::Frame& frame, const RecordHeader& header) {
  const std::byte* const data = window_->data() + format_.header_len;
  set_lengths(frame, data, header.captured_len, header.original_len, format_.fcs_len);
  frame.link_type = format_.link_type;
  frame.direction = wire::FrameDirection::unknown;
  frame.has_time = true;
  frame.input = input_;
  frame.interface = 0;
  frame.time = time_of(header, format_);
  frame.number = ++info_.frames;
  frame.byte_offset = window_->offset() + format_.header_len;
  last_seconds_ = header.seconds;
  has_time_ = true;
  if (tells_direction_) [[unlikely]] {
    // Kuznetzov's packet type is the cooked one, at byte 22 in the file's byte order of bytes.
    frame.direction = !format_.modified ? direction_in_header(format_.link_type, frame.bytes)
                      : load_u8(data - format_.header_len + 22) == 4
                          ? wire::FrameDirection::outbound
                          : wire::FrameDirection::inbound;
  }
}

// 1. Of two oddities, in the time and in the lengths or the fraction, one is believed and both are
//    not: a header read 4 bytes too late keeps a right length, and would be followed by more of its
//    kind.
// 2. The record after it must look sound, or share its oddity and be close in time.
// 3. At the end of the input, a record that ends where the input ends convinces by that; one that
//    is cut has to convince by its own header.
bool PcapSource::is_acceptable(const RecordHeader& header) {
  if (!has_time_ && format_.modified) choose_modified_header_len();
  if (header.captured_len > format_.max_captured_len || is_all_zero(header)) return false;
  const bool is_close = !has_time_ || within_a_day(header.seconds, last_seconds_);
  const bool is_strict = is_strictly_sound(header, format_);
  if (!is_close && !is_strict) return false;
  // The first of a pipe may be alone for long: do not wait for the second.
  if (!has_time_ && is_strict) return true;
  const std::size_t next = std::size_t{format_.header_len} + header.captured_len;
  const std::size_t have = window_->ensure(next + format_.header_len);
  if (have < next + format_.header_len) return have == next || (has_time_ && is_close) || is_strict;
  const RecordHeader after = load_header(window_->data() + next, format_);
  if (is_strictly_sound(after, format_)) return true;
  const bool after_is_close = within_a_day(after.seconds, header.seconds) ||
                              (has_time_ && within_a_day(after.seconds, last_seconds_));
  if (after_is_close && after.captured_len <= format_.max_captured_len) return true;
  // What follows is damaged: then only a record without a flaw is believed.
  return has_time_ && is_close && is_strict;
}

// ss991029 wrote records with 24 bytes of header, ss990915 with 28 (wireshark's wiretap/libpcap.c).
void PcapSource::choose_modified_header_len() {
  for (const std::uint32_t len : {24u, 28u}) {
    PcapFormat candidate = format_;
    candidate.header_len = len;
    const std::uint64_t next =
        std::uint64_t{len} + load_header(window_->data(), format_).captured_len;
    if (next + len > ByteWindow::kMaxEnsure) return;
    const auto wanted = static_cast<std::size_t>(next) + kPcapRecordHeaderLen;
    const std::size_t have = window_->ensure(wanted);
    if (have == next ||
        (have >= wanted &&
         is_strictly_sound(load_header(window_->data() + next, candidate), candidate))) {
      format_.header_len = len;
      return;
    }
  }
}

bool PcapSource::recover(const RecordHeader& header) {
  if (!may_go_far()) return false;
  const std::uint64_t from = window_->offset();
  std::string what = header.captured_len > format_.max_captured_len
                         ? fmt::format("record claims {} bytes", header.captured_len)
                         : fmt::format("no record: time {} s, captured {} of {} bytes",
                                       header.seconds, header.captured_len, header.original_len);
  window_->advance(1);
  const bool found = find_sound_record(*window_, RecordPolicy{format_, has_time_, last_seconds_});
  const std::uint64_t to = window_->offset();
  what +=
      found ? fmt::format("; next sound record found at {:#x}", to) : "; no sound record follows";
  count_damage(from, to - from, std::move(what));
  if (!found) note_end();
  return found;
}

// The record reaches beyond the end of the input. Usually the writer was stopped; but the length
// may also be the damage, and then sound records lie inside what it claims.
bool PcapSource::recover_or_cut(const RecordHeader& header) {
  if (!may_go_far()) return false;
  const std::uint64_t from = window_->offset();
  const std::uint64_t left = window_->unread();
  window_->advance(1);
  if (has_time_ && find_sound_record(*window_, RecordPolicy{format_, has_time_, last_seconds_})) {
    count_damage(
        from, window_->offset() - from,
        fmt::format("record claims {} bytes, more than are left; next sound record found at {:#x}",
                    header.captured_len, window_->offset()));
    return true;
  }
  window_->advance(window_->unread());
  count_cut(from, left, std::uint64_t{format_.header_len} + header.captured_len);
  return false;
}

bool PcapSource::end_between_records() {
  const std::size_t left = window_->unread();
  if (left != 0 && !ended_) {
    const std::uint64_t from = window_->offset();
    window_->advance(left);
    count_cut(from, left, format_.header_len);
  }
  note_end();
  return false;
}

}  // namespace

bool is_pcap(Bytes head) { return head.size() >= 4 && is_pcap_magic(head.data()); }

Result<std::unique_ptr<Source>> open_pcap(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                          std::uint16_t input) {
  const std::size_t have = window->ensure(kFileHeaderLen);
  if (have < kFileHeaderLen) {
    return fail(ErrorKind::input, reading(info.name),
                fmt::format("it is a pcap file cut short in its header: {} of {} bytes are there",
                            have, kFileHeaderLen));
  }
  const std::byte* const at = window->data();
  PcapFormat format = format_of_magic(at);
  ByteCursor cursor({at + 4, kFileHeaderLen - 4}, format.swapped);
  const std::uint16_t major = cursor.u16();
  const std::uint16_t minor = cursor.u16();
  const Result<LengthOrder> order = length_order_of(info.name, major, minor);
  if (!order) return std::unexpected(order.error());
  format.length_order = *order;
  cursor.skip(8);  // time zone and accuracy: always 0 in practice
  const std::uint32_t snap_len = cursor.u32();
  const std::uint32_t link = cursor.u32();
  format.link_type = static_cast<wire::LinkType>(link & 0xffff);
  // draft-ietf-opsawg-pcap: bit 26 says that bits 28 to 31 hold the length of the FCS in 16-bit
  // words.
  if ((link & 0x0400'0000) != 0) format.fcs_len = static_cast<std::uint8_t>((link >> 28) * 2);
  format.max_captured_len = std::clamp(snap_len, kUsualMaxFrameLen, kMaxFrameLen);

  info.format = format.modified               ? "pcap (modified)"
                : format.ns_per_fraction == 1 ? "pcap (nanoseconds)"
                                              : "pcap";
  InterfaceInfo interface;
  interface.link_type = format.link_type;
  interface.snap_len = snap_len;
  interface.fcs_len = format.fcs_len;
  info.interfaces.push_back(std::move(interface));
  window->advance(kFileHeaderLen);
  return std::make_unique<PcapSource>(std::move(window), std::move(info), input, format);
}

}  // namespace slowpath::capture
