// SPDX-License-Identifier: Apache-2.0
#include "capture/snoop.h"

#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "capture/file_source.h"

namespace slowpath::capture {
namespace {

constexpr std::size_t kFileHeaderLen = 16;
constexpr std::size_t kRecordHeaderLen = 24;
// RFC 1761 pads to 4 bytes; Finisar's Surveyor adds a trailer of 16.
constexpr std::uint32_t kMaxPaddingLen = 64;
constexpr std::uint32_t kMicrosecondsPerS = 1'000'000;
constexpr std::uint32_t kDayS = 86'400;
constexpr std::array kMagic = {'s', 'n', 'o', 'o', 'p', '\0', '\0', '\0'};

struct RecordHeader {
  std::uint32_t original_len;
  std::uint32_t captured_len;
  std::uint32_t record_len;
  std::uint32_t drops;
  std::uint32_t seconds;
  std::uint32_t microseconds;
};

inline RecordHeader load_header(const std::byte* at) {
  return {load_be32(at),      load_be32(at + 4),  load_be32(at + 8),
          load_be32(at + 12), load_be32(at + 16), load_be32(at + 20)};
}

inline bool is_sound(const RecordHeader& h) {
  return h.captured_len <= kMaxFrameLen && h.record_len - h.captured_len >= kRecordHeaderLen &&
         h.record_len - h.captured_len <= kRecordHeaderLen + kMaxPaddingLen;
}

inline bool within_a_day(std::uint32_t a, std::uint32_t b) { return a - b + kDayS <= 2 * kDayS; }

struct RecordPolicy {
  bool has_time;
  std::uint32_t seconds;

  [[nodiscard]] std::size_t header_len() const { return kRecordHeaderLen; }
  [[nodiscard]] bool looks_sound(const std::byte* at) const {
    const RecordHeader h = load_header(at);
    return is_sound(h) && h.captured_len != 0 && h.captured_len <= h.original_len &&
           h.original_len <= kMaxFrameLen && h.microseconds < kMicrosecondsPerS &&
           (!has_time || within_a_day(h.seconds, seconds));
  }
  [[nodiscard]] bool follows(const std::byte* at, const std::byte* next) const {
    return within_a_day(load_header(next).seconds, load_header(at).seconds);
  }
  [[nodiscard]] std::uint64_t record_len(const std::byte* at) const {
    return load_header(at).record_len;
  }
};

// RFC 1761 and Sun's dlpi.h, as far as there is a LINKTYPE_ number.
wire::LinkType map_link_type(std::uint32_t dlpi_type) {
  switch (dlpi_type) {
    case 0:  // IEEE 802.3
    case 4:  // Ethernet
      return wire::LinkType::ethernet;
    case 2:
      return static_cast<wire::LinkType>(6);  // token ring
    case 8:
      return wire::LinkType::fddi;
    case 9:   // other: what Solaris calls its loopback
    case 14:  // software loopback
      return wire::LinkType::null_loopback;
    case 0x80000001:
      return wire::LinkType::ipv4;  // tunnel link
    case 0x80000002:
      return wire::LinkType::ipv6;
    case 0x80000005:
      return static_cast<wire::LinkType>(226);  // LINKTYPE_IPNET
    default:
      return kUnmappedLinkType;
  }
}

class SnoopSource final : public FileSource {
 public:
  SnoopSource(std::unique_ptr<ByteWindow> window, SourceInfo info, std::uint16_t input)
      : FileSource(std::move(window), std::move(info), input),
        link_type_(info_.interfaces.front().link_type) {}

  bool next(wire::Frame& frame) override {
    begin_batch();
    return read_one(frame);
  }
  std::size_t next_batch(std::span<wire::Frame> frames) override {
    begin_batch();
    return read_batch(frames, [this](wire::Frame& frame) { return read_one(frame); });
  }

 private:
  bool read_one(wire::Frame& frame) {
    for (;;) {
      const std::size_t have = window_->ensure(kRecordHeaderLen);
      if (have < kRecordHeaderLen) return end_between_records(have);
      const RecordHeader header = load_header(window_->data());
      // Solaris leaves the padding of the last record out at times.
      const std::size_t needed = kRecordHeaderLen + std::size_t{header.captured_len};
      const bool whole = is_sound(header) && window_->ensure(header.record_len) >= needed;
      if (!whole) [[unlikely]] {
        if (!recover(header)) return false;
        continue;
      }
      fill(frame, header);
      window_->advance(std::min<std::size_t>(header.record_len, window_->unread()));
      return true;
    }
  }

  void fill(wire::Frame& frame, const RecordHeader& header) {
    set_lengths(frame, window_->data() + kRecordHeaderLen, header.captured_len, header.original_len,
                0);
    frame.link_type = link_type_;
    frame.direction = wire::FrameDirection::unknown;
    frame.has_time = true;
    frame.input = input_;
    frame.interface = 0;
    frame.time = time_from_ns(std::int64_t{header.seconds} * 1'000'000'000 +
                              std::int64_t{header.microseconds} * 1000);
    frame.number = ++info_.frames;
    frame.byte_offset = window_->offset() + kRecordHeaderLen;
    last_seconds_ = header.seconds;
    has_time_ = true;
    if (header.drops > info_.reported_drops) info_.reported_drops = header.drops;
  }

  bool recover(const RecordHeader& header) {
    if (!may_go_far()) return false;
    const std::uint64_t from = window_->offset();
    const std::uint64_t left = window_->unread();
    const bool reaches_beyond = is_sound(header);
    window_->advance(1);
    if ((has_time_ || !reaches_beyond) &&
        find_sound_record(*window_, RecordPolicy{has_time_, last_seconds_})) {
      const std::uint64_t to = window_->offset();
      count_damage(
          from, to - from,
          fmt::format("record of {} bytes claims to hold {}; next sound record found at {:#x}",
                      header.record_len, header.captured_len, to));
      return true;
    }
    window_->advance(window_->unread());
    if (reaches_beyond) {
      count_cut(from, left, header.record_len);
    } else {
      count_damage(from, window_->offset() - from,
                   fmt::format("record of {} bytes claims to hold {}; no sound record follows",
                               header.record_len, header.captured_len));
      note_end();
    }
    return false;
  }

  bool end_between_records(std::size_t left) {
    if (left != 0 && !ended_) {
      const std::uint64_t from = window_->offset();
      window_->advance(left);
      count_cut(from, left, kRecordHeaderLen);
    }
    note_end();
    return false;
  }

  wire::LinkType link_type_;
  bool has_time_ = false;
  std::uint32_t last_seconds_ = 0;
};

}  // namespace

bool is_snoop(Bytes head) {
  return head.size() >= kMagic.size() &&
         std::memcmp(head.data(), kMagic.data(), kMagic.size()) == 0;
}

Result<std::unique_ptr<Source>> open_snoop(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                           std::uint16_t input) {
  const std::size_t have = window->ensure(kFileHeaderLen);
  if (have < kFileHeaderLen) {
    return fail(ErrorKind::input, reading(info.name),
                fmt::format("it is a snoop file cut short in its header: {} of {} bytes are there",
                            have, kFileHeaderLen));
  }
  const std::uint32_t version = load_be32(window->data() + 8);
  if (version != 2) {
    return fail(ErrorKind::input, reading(info.name),
                fmt::format("it is a snoop file of version {}, and only 2 is known", version),
                "convert it: editcap -F pcapng IN OUT.pcapng (Wireshark)");
  }
  info.format = "snoop";
  InterfaceInfo interface;
  interface.link_type = map_link_type(load_be32(window->data() + 12));
  info.interfaces.push_back(std::move(interface));
  window->advance(kFileHeaderLen);
  return std::make_unique<SnoopSource>(std::move(window), std::move(info), input);
}

}  // namespace slowpath::capture
