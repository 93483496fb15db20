// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "capture/file_source.h"

namespace slowpath::capture {
namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kMagicModified = 0xa1b2cd34;
constexpr std::size_t kFileHeaderLen = 24;
constexpr std::size_t kRecordHeaderLen = 16;
constexpr std::uint32_t kDayS = 86'400;
// Memory is asked for so far ahead: what walking some forty short records takes is longer than the
// memory's answer, and page borders stop what the processor fetches by itself.
constexpr std::size_t kFetchAhead = 4096;
// Records of whole packets are too long for that.
constexpr std::size_t kLongRecord = 512;

// Which of the two lengths comes first. libpcap's sf-pcap.c: before version 2.3 and in DG/UX's
// 543.0 the original length did; 2.3 was written both ways.
enum class LengthOrder : std::uint8_t { captured_first, original_first, smaller_is_captured };

struct PcapFormat {
  bool swapped = false;
  bool modified = false;
  LengthOrder length_order = LengthOrder::captured_first;
  std::uint8_t fcs_len = 0;
  wire::LinkType link_type{};
  std::uint32_t ns_per_fraction = 1000;
  std::uint32_t fractions_per_s = 1'000'000;
  std::uint32_t max_captured_len = kUsualMaxFrameLen;
  std::uint32_t header_len = kRecordHeaderLen;
};

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t captured_len;
  std::uint32_t original_len;
};

inline RecordHeader load_header(const std::byte* at, const PcapFormat& format) {
  const auto u32 = [&](std::size_t offset) {
    return format.swapped ? load_be32(at + offset) : load_le32(at + offset);
  };
  RecordHeader header{u32(0), u32(4), u32(8), u32(12)};
  if (format.length_order != LengthOrder::captured_first) [[unlikely]] {
    if (format.length_order == LengthOrder::original_first ||
        header.captured_len > header.original_len) {
      std::swap(header.captured_len, header.original_len);
    }
  }
  return header;
}

inline bool within_a_day(std::uint32_t a, std::uint32_t b) { return a - b + kDayS <= 2 * kDayS; }

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

class PcapSource final : public FileSource {
 public:
  PcapSource(std::unique_ptr<ByteWindow> window, SourceInfo info, std::uint16_t input,
             const PcapFormat& format)
      : FileSource(std::move(window), std::move(info), input),
        format_(format),
        tells_direction_(format.modified || tells_direction(format.link_type)),
        is_plain_(!format.swapped && !tells_direction_ && format.fcs_len == 0 &&
                  format.length_order == LengthOrder::captured_first) {}

  bool next(wire::Frame& frame) override { return read_one(frame); }
  std::size_t next_batch(std::span<wire::Frame> frames) override {
    std::size_t count = is_plain_ && !window_->may_wait() ? read_sound(frames) : 0;
    if (count == frames.size()) return count;
    return count + read_batch(frames.subspan(count),
                              [this](wire::Frame& frame) { return read_one(frame); });
  }

 private:
  bool read_one(wire::Frame& frame);
  // The quick twin of read_one() for records without anything odd, as far as the window shows.
  std::size_t read_sound(std::span<wire::Frame> frames);
  void fetch_ahead(const std::byte* at, std::size_t record_len);
  void fill(wire::Frame& frame, const RecordHeader& header);
  // 64 bits of nanoseconds hold every 32-bit second and fraction.
  [[nodiscard]] Time time_of(const RecordHeader& header) const {
    return time_from_ns(std::int64_t{header.seconds} * 1'000'000'000 +
                        std::int64_t{header.fraction} * format_.ns_per_fraction);
  }
  // Looks odd, yet may be how this file was written.
  bool is_acceptable(const RecordHeader& header);
  // Damage at the window: goes to the next sound record, false when there is none.
  bool recover(const RecordHeader& header);
  bool recover_or_cut(const RecordHeader& header);
  bool end_between_records();
  void choose_modified_header_len();

  PcapFormat format_;
  bool tells_direction_;
  bool is_plain_;                                   // as nearly all writers of today write
  std::size_t long_record_ = 0, short_record_ = 0;  // the newest of each kind, in bytes
  bool has_time_ = false;
  std::uint32_t last_seconds_ =
      0;  // of the last sound record; 0 sends the first one through is_acceptable
};

// Where the next header lies only this one tells, and a walk that waits for each is slow. Short
// records lie close enough to fetch everything some way ahead. Of long ones only the beginning is
// needed, and most are as long as the one before, with a short one (an acknowledgment) between at
// times.
inline void PcapSource::fetch_ahead(const std::byte* at, std::size_t record_len) {
  if (record_len >= kLongRecord) {
    long_record_ = record_len;
  } else {
    short_record_ = record_len;
    if (long_record_ == 0) [[likely]] {
      __builtin_prefetch(at + kFetchAhead);
      __builtin_prefetch(at + kFetchAhead + 64);
      return;
    }
  }
  __builtin_prefetch(at + 64);  // Where the headers end.
  const std::byte* guess = at + record_len;
  for (int i = 0; i < 3; ++i) {
    __builtin_prefetch(guess + short_record_);
    guess += long_record_;
    __builtin_prefetch(guess);
  }
}

std::size_t PcapSource::read_sound(std::span<wire::Frame> frames) {
  // Half as far as read_batch() goes, which may go on from here.
  const std::size_t shown = std::min<std::size_t>(window_->unread(), kRetainedBytes / 8);
  const std::byte* const begin = window_->data();
  const std::byte* at = begin;
  const std::uint64_t offset = window_->offset() + kRecordHeaderLen;
  std::uint64_t number = info_.frames;
  std::uint32_t last_seconds = last_seconds_;
  std::size_t count = 0;
  for (; count < frames.size(); ++count) {
    const std::size_t left = shown - static_cast<std::size_t>(at - begin);
    if (left < kRecordHeaderLen) break;
    const RecordHeader header{load_le32(at), load_le32(at + 4), load_le32(at + 8),
                              load_le32(at + 12)};
    const std::size_t record_len = std::size_t{kRecordHeaderLen} + header.captured_len;
    const bool odd = (header.captured_len - 1 >= format_.max_captured_len) |
                     (header.captured_len > header.original_len) |
                     (header.fraction >= format_.fractions_per_s) |
                     !within_a_day(header.seconds, last_seconds) | (record_len > left);
    if (odd) break;
    fetch_ahead(at, record_len);
    wire::Frame& frame = frames[count];
    frame.bytes = {at + kRecordHeaderLen, header.captured_len};
    frame.original_len = header.original_len;
    frame.link_type = format_.link_type;
    frame.direction = wire::FrameDirection::unknown;
    frame.has_time = true;
    frame.input = input_;
    frame.interface = 0;
    frame.time = time_of(header);
    frame.number = ++number;
    frame.byte_offset = offset + static_cast<std::uint64_t>(at - begin);
    last_seconds = header.seconds;
    at += record_len;
  }
  info_.frames = number;
  last_seconds_ = last_seconds;
  has_time_ |= count != 0;
  window_->advance(static_cast<std::size_t>(at - begin));
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
  frame.time = time_of(header);
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
// not:
//    a header read 4 bytes too late keeps a right length, and would be followed by more of its
//    kind.
// 2. The record after it must look sound, or share its oddity and be close in time.
// 3. At the end of the input, a record that ends where the input ends convinces by that; one that
// is cut
//    has to convince by its own header.
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
    const auto wanted = static_cast<std::size_t>(next) + kRecordHeaderLen;
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

Result<LengthOrder> check_version(const std::string& name, std::uint16_t major,
                                  std::uint16_t minor) {
  if (major == 543 && minor == 0) return LengthOrder::original_first;
  if (major != 2 || minor > 4) {
    return fail(ErrorKind::input, reading(name),
                fmt::format("it is a pcap file of version {}.{}, and only 2.0 to 2.4 are known",
                            major, minor),
                "the header may be damaged: capture again, or try editcap (Wireshark)");
  }
  if (minor < 3) return LengthOrder::original_first;
  return minor == 3 ? LengthOrder::smaller_is_captured : LengthOrder::captured_first;
}

PcapFormat recognise(const std::byte* magic) {
  PcapFormat format;
  const std::uint32_t little = load_le32(magic);
  const std::uint32_t big = load_be32(magic);
  format.swapped =
      little != kMagicMicroseconds && little != kMagicNanoseconds && little != kMagicModified;
  const std::uint32_t value = format.swapped ? big : little;
  if (value == kMagicNanoseconds) {
    format.ns_per_fraction = 1;
    format.fractions_per_s = 1'000'000'000;
  }
  format.modified = value == kMagicModified;
  if (format.modified) format.header_len = 24;
  return format;
}

}  // namespace

bool is_pcap(Bytes head) {
  if (head.size() < 4) return false;
  for (const std::uint32_t magic : {load_le32(head.data()), load_be32(head.data())}) {
    if (magic == kMagicMicroseconds || magic == kMagicNanoseconds || magic == kMagicModified) {
      return true;
    }
  }
  return false;
}

Result<std::unique_ptr<Source>> open_pcap(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                          std::uint16_t input) {
  const std::size_t have = window->ensure(kFileHeaderLen);
  if (have < kFileHeaderLen) {
    return fail(ErrorKind::input, reading(info.name),
                fmt::format("it is a pcap file cut short in its header: {} of {} bytes are there",
                            have, kFileHeaderLen));
  }
  const std::byte* const at = window->data();
  PcapFormat format = recognise(at);
  ByteCursor cursor({at + 4, kFileHeaderLen - 4}, format.swapped);
  const std::uint16_t major = cursor.u16();
  const std::uint16_t minor = cursor.u16();
  const Result<LengthOrder> order = check_version(info.name, major, minor);
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
