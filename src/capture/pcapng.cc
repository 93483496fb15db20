// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "capture/pcapng_blocks.h"
#include "capture/pcapng_options.h"
#include "capture/pcapng_walk.h"
#include "capture/walked_source.h"

namespace slowpath::capture {
namespace {

constexpr std::size_t kMinSectionLen = 28;
constexpr std::uint32_t kMaxBlockLen = kMaxFrameLen + (64u << 10);  // a frame and its options

// A description takes more memory than the 20 bytes it needs in a file, so their number is bounded.
constexpr std::size_t kMaxInterfaces = 65'536;

enum PacketOption : std::uint16_t { kFlags = 2, kDropCount = 4 };

bool is_known_type(std::uint32_t type) {
  return (type >= kInterfaceDescription && type <= kEnhancedPacket) || type == kSystemdJournal ||
         type == kDecryptionSecrets || type == kCustomCopied || type == kCustomNotCopied;
}

// What the three kinds of packet block say, each in its own way.
struct PacketFields {
  std::uint32_t interface;  // within the section
  std::uint64_t units;      // of time; not for a simple packet
  std::uint32_t captured_len;
  std::uint32_t original_len;
  std::size_t data_offset;  // where the data begins in the body; padding and options follow
  bool is_simple = false;   // has neither time nor options
};

// Byte order and frame of a block, for finding the next after damage.
struct BlockPolicy {
  bool big_endian;

  [[nodiscard]] std::uint32_t u32(const std::byte* at) const {
    return big_endian ? load_be32(at) : load_le32(at);
  }
  [[nodiscard]] bool is_section_header(const std::byte* at, std::size_t have) const {
    return u32(at) == kSectionHeader && have >= 12 &&
           (load_le32(at + 8) == kByteOrderMagic || load_be32(at + 8) == kByteOrderMagic);
  }
  [[nodiscard]] bool is_plausible(const std::byte* at) const {
    const std::uint32_t len = u32(at + 4);
    return is_known_type(u32(at)) && len >= kBlockFrameLen && len <= kMaxBlockLen && len % 4 == 0;
  }
};

class PcapngSource final : public WalkedSource<PcapngSource> {
 public:
  PcapngSource(std::unique_ptr<ByteWindow> window, SourceInfo info, std::uint16_t input)
      : WalkedSource(std::move(window), std::move(info), input) {
    info_.format = "pcapng";
  }

  [[nodiscard]] std::optional<Mark> mark() const override {
    if (is_told_late_) return std::nullopt;
    return Mark{.offset = window_->offset(), .frames = info_.frames, .number = number_};
  }
  void go_to(const Mark& mark) override {
    window_->skip(mark.offset - window_->offset());
    info_.frames = mark.frames;
    number_ = mark.number;
  }

 private:
  friend class WalkedSource<PcapngSource>;
  bool read_one(wire::Frame& frame);
  [[nodiscard]] bool is_plain() const { return in_known_section_ && !big_endian_; }
  std::size_t read_sound(std::span<wire::Frame> frames, const HashFilter* wanted,
                         std::uint64_t most);
  [[nodiscard]] std::uint32_t u32(const std::byte* at) const {
    return big_endian_ ? load_be32(at) : load_le32(at);
  }
  [[nodiscard]] std::uint16_t u16(const std::byte* at) const {
    return big_endian_ ? load_be16(at) : load_le16(at);
  }
  // Reads the whole block at the window into block_len_; false when the input ended, or when the
  // frames before it are to be handed out first.
  bool reach_block();
  bool check_block(std::uint32_t type, std::uint32_t len);
  bool recover(std::uint32_t type, std::uint32_t len);
  bool find_block();
  bool end_of_input();

  // Each takes the block at the window; true when it gave a frame.
  bool take_packet_block(std::uint32_t type, wire::Frame& frame);
  bool take_enhanced_packet(wire::Frame& frame);
  bool take_obsolete_packet(wire::Frame& frame);
  bool take_simple_packet(wire::Frame& frame);
  bool fill(wire::Frame& frame, const PacketFields& packet);
  void read_packet_options(wire::Frame& frame, Bytes options, const PacketFields& packet,
                           std::uint8_t fcs_len);
  void take_section_header();
  void take_interface();
  void take_statistics();
  void take_other_block(std::uint32_t type);
  // What any such block says beside its own.
  template <typename Block>
  void take_rest(Block& block) {
    for (std::string& comment : block.comments) keep_comment(std::move(comment));
    if (block.is_broken) damaged_block("has an option longer than itself");
  }
  void report_drops();
  void damaged_block(const char* what);
  [[nodiscard]] Bytes body() const { return {window_->data() + 8, block_len_ - kBlockFrameLen}; }

  bool big_endian_ = false;
  std::uint64_t number_ = 0;  // of the last frame, as Wireshark counts
  bool in_known_section_ =
      false;  // false: before the first header, or in a section of another version
  std::uint32_t block_len_ = 0;
  std::size_t section_begin_ = 0;  // index of the section's first interface
  std::vector<PcapngInterface> interfaces_;
  std::uint64_t statistics_drops_ = 0;  // over all interfaces
  std::uint64_t packet_drops_ = 0;      // by epb_dropcount and the obsolete block's field
  bool is_told_late_ = false;           // of sections or interfaces, after the first packet
  PcapngWalk walk_;
};

std::size_t PcapngSource::read_sound(std::span<wire::Frame> frames, const HashFilter* wanted,
                                     std::uint64_t most) {
  const Bytes seen = shown();
  PcapngWalk::Place place{.shown = seen,
                          .offset = window_->offset(),
                          .number = number_,
                          .input = input_,
                          .interfaces = std::span(interfaces_).subspan(section_begin_),
                          .first_interface = static_cast<std::uint32_t>(section_begin_)};
  const std::size_t count = wanted == nullptr ? walk_.read(place, frames)
                                              : walk_.read_wanted(place, *wanted, most, frames);
  info_.frames += place.number - number_;
  number_ = place.number;
  window_->advance(seen.size() - place.shown.size());
  return count;
}

bool PcapngSource::read_one(wire::Frame& frame) {
  for (;;) {
    if (!reach_block()) return false;
    const std::uint32_t type = u32(window_->data());
    bool has_frame = false;
    if (type == kEnhancedPacket) [[likely]] {
      has_frame = in_known_section_ && take_enhanced_packet(frame);
    } else if (type == kPacket || type == kSimplePacket) {
      has_frame = in_known_section_ && take_packet_block(type, frame);
    } else {
      take_other_block(type);
    }
    window_->advance(block_len_);
    if (has_frame) return true;
    if (is_batch_long() && !may_go_far()) return false;
  }
}

inline bool PcapngSource::reach_block() {
  for (;;) {
    if (window_->ensure(kBlockFrameLen) < kBlockFrameLen) [[unlikely]]
      return end_of_input();
    const std::byte* const at = window_->data();
    const std::uint32_t type = u32(at);
    std::uint32_t len = u32(at + 4);
    if (type == kSectionHeader) [[unlikely]] {
      is_told_late_ |= info_.frames != 0;
      // A section header's own magic says in which byte order its length is.
      if (load_le32(at + 8) == kByteOrderMagic) big_endian_ = false;
      if (load_be32(at + 8) == kByteOrderMagic) big_endian_ = true;
      len = u32(at + 4);
    }
    if (len >= kBlockFrameLen && len <= kMaxBlockLen) [[likely]] {
      const std::size_t have = window_->ensure(len);
      block_len_ = len;
      if (have >= len && u32(window_->data() + len - 4) == len) [[likely]]
        return true;
      if (have >= len && check_block(type, len)) return true;
    }
    if (!recover(type, len)) return false;
  }
}

// The closing length differs. When another block follows where this one says it ends, only the
// closing length is damaged, or was never right.
bool PcapngSource::check_block(std::uint32_t type, std::uint32_t len) {
  const BlockPolicy policy{big_endian_};
  if (!is_known_type(type) && type != kSectionHeader) return false;
  const std::size_t wanted = std::size_t{len} + kBlockFrameLen;
  const std::size_t have = window_->ensure(wanted);
  const std::byte* const next = window_->data() + len;
  const bool good =
      have == len ||
      (have >= wanted && (policy.is_plausible(next) || policy.is_section_header(next, 12)));
  if (good) {
    count_damage(window_->offset() + len - 4, 4,
                 fmt::format("block of type {:#x} has length {} in front and {} behind", type, len,
                             u32(next - 4)));
  }
  return good;
}

bool PcapngSource::recover(std::uint32_t type, std::uint32_t len) {
  if (!may_go_far()) return false;
  const std::uint64_t from = window_->offset();
  const std::uint64_t left = window_->unread();
  const bool reaches_beyond = len >= kBlockFrameLen && len <= kMaxBlockLen && left < len;
  window_->advance(1);
  if (find_block()) {
    const std::uint64_t to = window_->offset();
    count_damage(from, to - from,
                 fmt::format("block of type {:#x} claims {} bytes; next sound block found at {:#x}",
                             type, len, to));
    return true;
  }
  if (reaches_beyond) {
    count_cut(from, left, len);
  } else {
    count_damage(
        from, window_->offset() - from,
        fmt::format("block of type {:#x} claims {} bytes; no sound block follows", type, len));
  }
  report_drops();
  note_end();
  return false;
}

// Goes to the next place with a known type and the same length in front and behind.
bool PcapngSource::find_block() {
  const BlockPolicy policy{big_endian_};
  while (window_->ensure(kBlockFrameLen) >= kBlockFrameLen) {
    window_->begin_batch();
    const std::byte* const at = window_->data();
    if (policy.is_section_header(at, kBlockFrameLen)) return true;
    if (policy.is_plausible(at)) {
      const std::uint32_t len = u32(at + 4);
      if (window_->ensure(len) >= len && u32(window_->data() + len - 4) == len) return true;
    }
    window_->advance(1);
  }
  window_->advance(window_->unread());
  return false;
}

bool PcapngSource::end_of_input() {
  const std::size_t left = window_->unread();
  if (left != 0 && !ended_) {
    const std::uint64_t from = window_->offset();
    window_->advance(left);
    count_cut(from, left, kBlockFrameLen);
  }
  report_drops();
  note_end();
  return false;
}

bool PcapngSource::take_packet_block(std::uint32_t type, wire::Frame& frame) {
  return type == kPacket ? take_obsolete_packet(frame) : take_simple_packet(frame);
}

// Interface, time high and low, captured and original length, data, options.
inline bool PcapngSource::take_enhanced_packet(wire::Frame& frame) {
  const Bytes block = body();
  if (block.size() < kEnhancedFixedLen) return damaged_block("too short for its fields"), false;
  const std::byte* const at = block.data();
  const std::uint64_t units = (std::uint64_t{u32(at + 4)} << 32) | u32(at + 8);
  return fill(frame, {u32(at), units, u32(at + 12), u32(at + 16), kEnhancedFixedLen});
}

// The same with 16 bits of interface and 16 of drops since the packet before.
bool PcapngSource::take_obsolete_packet(wire::Frame& frame) {
  constexpr std::size_t kFixedLen = 20;
  constexpr std::uint16_t kUnknown = 0xffff;
  const Bytes block = body();
  if (block.size() < kFixedLen) return damaged_block("too short for its fields"), false;
  const std::byte* const at = block.data();
  const std::uint64_t units = (std::uint64_t{u32(at + 4)} << 32) | u32(at + 8);
  const std::uint16_t drops = u16(at + 2);
  if (drops != kUnknown) packet_drops_ += drops;
  return fill(frame, {u16(at), units, u32(at + 12), u32(at + 16), kFixedLen});
}

// Original length and data of the section's first interface; no time, no options.
bool PcapngSource::take_simple_packet(wire::Frame& frame) {
  constexpr std::size_t kFixedLen = 4;
  const Bytes block = body();
  if (block.size() < kFixedLen) return damaged_block("too short for its fields"), false;
  const std::uint32_t original_len = u32(block.data());
  auto captured_len =
      static_cast<std::uint32_t>(std::min<std::size_t>(original_len, block.size() - kFixedLen));
  if (section_begin_ < interfaces_.size() && interfaces_[section_begin_].snap_len != 0) {
    captured_len = std::min(captured_len, interfaces_[section_begin_].snap_len);
  }
  return fill(frame, {0, 0, captured_len, original_len, kFixedLen, true});
}

inline bool PcapngSource::fill(wire::Frame& frame, const PacketFields& packet) {
  const std::size_t index = section_begin_ + packet.interface;
  if (index >= interfaces_.size()) [[unlikely]] {
    return damaged_block("names an interface that was not described"), false;
  }
  const Bytes block = body();
  if (packet.captured_len > block.size() - packet.data_offset) [[unlikely]] {
    return damaged_block("claims more captured bytes than it holds"), false;
  }
  const PcapngInterface& from = interfaces_[index];
  set_lengths(frame, block.data() + packet.data_offset, packet.captured_len, packet.original_len,
              from.fcs_len);
  frame.link_type = from.link_type;
  frame.direction = wire::FrameDirection::unknown;
  frame.input = input_;
  frame.interface = static_cast<std::uint32_t>(index);
  ++info_.frames;
  frame.number = ++number_;
  frame.byte_offset = window_->offset() + 8 + packet.data_offset;
  if (from.tells_direction) [[unlikely]] {
    frame.direction = direction_in_header(from.link_type, frame.bytes);
  }
  if (packet.is_simple) [[unlikely]] {
    frame.has_time = false;
    frame.time = Time{};
    return true;
  }
  const std::optional<Time> time = from.clock.to_time(packet.units);
  frame.has_time = time.has_value();
  frame.time = time.value_or(Time{});
  const std::size_t options_offset =
      packet.data_offset + (std::size_t{packet.captured_len} + 3) / 4 * 4;
  if (options_offset + 4 <= block.size()) {
    read_packet_options(frame, block.subspan(options_offset), packet, from.fcs_len);
  }
  return true;
}

void PcapngSource::read_packet_options(wire::Frame& frame, Bytes bytes, const PacketFields& packet,
                                       std::uint8_t fcs_len) {
  PcapngOptions options(bytes, big_endian_);
  PcapngOption option;
  while (options.next(option)) {
    if (option.code == kCommentOption) keep_comment(option.text());
    if (option.code == kDropCount) packet_drops_ += options.u64(option);
    if (option.code != kFlags) continue;
    // epb_flags: bits 0-1 the direction, bits 5-8 the length of this packet's FCS, 0 = not said.
    const std::uint32_t flags = options.u32(option);
    if ((flags & 3) == 1) frame.direction = wire::FrameDirection::inbound;
    if ((flags & 3) == 2) frame.direction = wire::FrameDirection::outbound;
    const auto own_fcs_len = static_cast<std::uint8_t>((flags >> 5) & 15);
    if (own_fcs_len != 0 && own_fcs_len != fcs_len) {
      set_lengths(frame, frame.bytes.data(), packet.captured_len, packet.original_len, own_fcs_len);
    }
  }
}

void PcapngSource::take_other_block(std::uint32_t type) {
  if (type == kSectionHeader) {
    take_section_header();
  } else if (!in_known_section_) {
    return;
  } else if (type == kInterfaceDescription) {
    take_interface();
  } else if (type == kInterfaceStatistics) {
    take_statistics();
  } else if (type == kCustomCopied || type == kCustomNotCopied || type == kSystemdJournal) {
    // Wireshark shows these as frames of their own; the numbers have to be those that it shows.
    ++number_;
  }
}

void PcapngSource::take_section_header() {
  section_begin_ = interfaces_.size();
  PcapngSection section = read_section(body(), big_endian_);
  in_known_section_ = section.is_known;
  if (!in_known_section_) {
    count_damage(
        window_->offset(), block_len_,
        fmt::format(
            "section of pcapng version {}.{}, which is not known; its packets are passed over",
            section.major, section.minor));
    return;
  }
  if (!section.hardware.empty()) info_.hardware = std::move(section.hardware);
  if (!section.os.empty()) info_.os = std::move(section.os);
  if (!section.application.empty()) info_.application = std::move(section.application);
  take_rest(section);
}

void PcapngSource::take_interface() {
  is_told_late_ |= info_.frames != 0;
  if (interfaces_.size() == kMaxInterfaces) return damaged_block("describes too many interfaces");
  std::optional<PcapngDescription> described = read_description(body(), big_endian_);
  if (!described) return damaged_block("too short for its fields");
  take_rest(*described);
  const std::optional<PcapngClock> clock =
      PcapngClock::make(described->resolution, described->offset_s);
  if (!clock) damaged_block("has a time resolution that cannot be meant; microseconds are taken");
  InterfaceInfo& info = described->info;
  interfaces_.push_back({.clock = clock.value_or(PcapngClock()),
                         .link_type = info.link_type,
                         .fcs_len = info.fcs_len,
                         .tells_direction = tells_direction(info.link_type),
                         .snap_len = info.snap_len});
  info_.interfaces.push_back(std::move(info));
}

void PcapngSource::take_statistics() {
  std::optional<PcapngStatistics> statistics = read_statistics(body(), big_endian_);
  if (!statistics) return damaged_block("too short for its fields");
  const std::size_t index = section_begin_ + statistics->interface;
  if (index >= interfaces_.size())
    return damaged_block("names an interface that was not described");
  take_rest(*statistics);
  statistics_drops_ += statistics->drops - interfaces_[index].statistics_drops;
  interfaces_[index].statistics_drops = statistics->drops;
  report_drops();
}

// Statistics blocks and packets tell of the same drops: the larger account counts.
void PcapngSource::report_drops() {
  info_.reported_drops = std::max(statistics_drops_, packet_drops_);
}

void PcapngSource::damaged_block(const char* what) {
  count_damage(
      window_->offset(), block_len_,
      fmt::format("block of type {:#x} and {} bytes {}", u32(window_->data()), block_len_, what));
}

}  // namespace

bool is_pcapng(Bytes head) { return head.size() >= 4 && load_le32(head.data()) == kSectionHeader; }

Result<std::unique_ptr<Source>> open_pcapng(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                            std::uint16_t input) {
  const std::string attempt = reading(info.name);
  const std::size_t have = window->ensure(kMinSectionLen);
  if (have < kMinSectionLen) {
    return fail(ErrorKind::input, attempt,
                fmt::format("it is a pcapng file cut short in its header: {} of {} bytes are there",
                            have, kMinSectionLen));
  }
  const std::byte* const at = window->data();
  const bool big_endian = load_be32(at + 8) == kByteOrderMagic;
  if (!big_endian && load_le32(at + 8) != kByteOrderMagic) {
    return fail(
        ErrorKind::input, attempt,
        "it begins like a pcapng file, but the byte-order mark of its first section is damaged");
  }
  ByteCursor cursor({at + 12, 4}, big_endian);
  const std::uint16_t major = cursor.u16();
  const std::uint16_t minor = cursor.u16();
  if (major != 1 || (minor != 0 && minor != 2)) {
    return fail(
        ErrorKind::input, attempt,
        fmt::format("it is a pcapng file of version {}.{}, and only 1.0 is known", major, minor),
        "convert it with the program that wrote it, or try editcap (Wireshark)");
  }
  return std::make_unique<PcapngSource>(std::move(window), std::move(info), input);
}

}  // namespace slowpath::capture
