// SPDX-License-Identifier: Apache-2.0
// The frames that most of a capture consists of, read in place: Ethernet without tags, IPv4 without
// options, TCP without options or with timestamps alone, no SYN. A few wide loads tell whether a
// frame is one; then its fields are read where they are wanted, and nothing is stored between.
// decode_light() says the same of these frames (light_packet_test, light_fuzz).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/sequence.h"
#include "wire/checksum.h"
#include "wire/ends_key.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::wire {

/// Both ends of an IPv4 segment as EndsKey has them.
struct CommonEnds {
  std::uint64_t low = 0, high = 0;
  bool from_lower = false;  // the sender is `low`

  [[nodiscard]] EndsKey key() const { return {{low, high}, 4}; }
};

/// 64 bits of one's complement addition, which keeps the sum of its 16-bit words.
inline std::uint64_t ones_add64(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  const bool carry = __builtin_add_overflow(a, b, &sum);
  return sum + carry;
}
inline std::uint16_t ones_fold64(std::uint64_t sum) {
  // A rotated copy added: each half then holds the sum of both, carry and all.
  const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
}

/// Whether ones_fold64(sum) is 0xffff, of a sum that is not 0: 2^16 is 1 modulo 2^16 - 1, so
/// folding keeps the remainder, and to divide is one multiplication.
inline bool is_ones_whole(std::uint64_t sum) { return sum % 0xffff == 0; }

/// A common frame; valid while the frame's bytes are.
class CommonSegment {
 public:
  static constexpr std::size_t kLinkLen = 14, kIpLen = 20, kTcpLen = 20, kStampedLen = 32;
  static constexpr std::size_t kShortest = kLinkLen + kIpLen + kTcpLen;

  /// IPv4 and TCP, unfragmented, the ports and flags at hand; of any length and with any options.
  static bool is_tcp4(const Frame& frame) {
    return frame.link_type == LinkType::ethernet && is_tcp4(frame.bytes);
  }
  /// The same of an Ethernet frame's bytes.
  static bool is_tcp4(Bytes bytes) {
    if (bytes.size() < kShortest) [[unlikely]]
      return false;
    const std::byte* const ip = bytes.data() + kLinkLen;
    // EtherType, version and header length; fragment field and protocol: as they lie in memory.
    return ((load_le32(ip - 2) & 0x00ff'ffff) == 0x0045'0008) &
           ((load_le32(ip + 6) & 0xff00'ff3f) == 0x0600'0000);
  }
  /// Only of frames that are is_tcp4().
  static CommonEnds ends_of(const Frame& frame) { return ends_of(frame.bytes); }
  static CommonEnds ends_of(Bytes bytes) {
    const std::byte* const ip = bytes.data() + kLinkLen;
    const std::uint64_t source = std::uint64_t{load_be32(ip + 12)} << 16 | load_be16(ip + kIpLen);
    const std::uint64_t destination =
        std::uint64_t{load_be32(ip + 16)} << 16 | load_be16(ip + kIpLen + 2);
    // Who speaks is as good as chance: a branch here would be guessed wrong every second time.
    const std::uint64_t swap = std::uint64_t{0} - std::uint64_t{source > destination};
    const std::uint64_t difference = (source ^ destination) & swap;
    return {source ^ difference, destination ^ difference, swap == 0};
  }

  /// Likewise: 64 bits of the four-tuple, the same for both directions, without an order of the
  /// ends. Anybody can make many that are alike: only for passing over what another hash need not
  /// be asked for.
  static std::uint64_t quick_hash(Bytes bytes) {
    const std::byte* const ip = bytes.data() + kLinkLen;
    const std::uint64_t addresses = load_le64(ip + 12);
    const std::uint32_t ports = load_le32(ip + kIpLen);
    return quick_hash(static_cast<std::uint32_t>(addresses ^ addresses >> 32),
                      static_cast<std::uint16_t>(ports ^ ports >> 16));
  }
  /// The same of an IPv4 key.
  static std::uint64_t quick_hash(const EndsKey& key) {
    const std::uint64_t both = key.words[0] ^ key.words[1];
    return quick_hash(std::byteswap(static_cast<std::uint32_t>(both >> 16)),
                      std::byteswap(static_cast<std::uint16_t>(both)));
  }

  /// Of such a frame; is_common() then says whether the rest may be asked.
  explicit CommonSegment(const Frame& frame)
      : ip_(frame.bytes.data() + kLinkLen),
        captured_(frame.bytes.size() - kLinkLen),
        total_(load_be16(ip_ + 2)),
        header_len_(std::size_t{load_u8(tcp() + 12)} / 16 * 4),
        room_(std::max<std::size_t>(frame.original_len, frame.bytes.size()) - kLinkLen) {}
  [[nodiscard]] bool is_common() const {
    // Negative where one is less than it has to be.
    const std::int64_t lengths = less(total_, kIpLen + header_len_) | less(room_, total_);
    if (header_len_ == kStampedLen) [[likely]] {
      const std::int64_t all = lengths | less(captured_, kIpLen + kStampedLen);
      return all >= 0 && load_be32(tcp() + kTcpLen) == kNopNopStamps;
    }
    return header_len_ == kTcpLen && lengths >= 0;
  }

  [[nodiscard]] bool has_timestamps() const { return header_len_ == kStampedLen; }
  [[nodiscard]] SeqNum sequence() const { return {load_be32(tcp() + 4)}; }
  [[nodiscard]] SeqNum acknowledgment() const { return {load_be32(tcp() + 8)}; }
  [[nodiscard]] std::uint8_t flags() const { return load_u8(tcp() + 13); }
  [[nodiscard]] std::uint16_t window() const { return load_be16(tcp() + 14); }
  [[nodiscard]] std::uint16_t ip_id() const { return load_be16(ip_ + 4); }
  [[nodiscard]] std::uint32_t payload_len() const {
    return static_cast<std::uint32_t>(total_ - kIpLen - header_len_);
  }
  [[nodiscard]] bool congestion_experienced() const { return (load_u8(ip_ + 1) & 3) == 3; }
  /// Packet::ip_header_checksum_bad.
  [[nodiscard]] bool is_ip_header_bad() const {
    const std::uint64_t sum =
        ones_add64(ones_add64(load_le64(ip_), load_le64(ip_ + 8)), load_le32(ip_ + 16));
    return !is_ones_whole(sum) && load_le16(ip_ + 10) != 0;
  }
  /// Whether bytes that the checksum covers are missing, or it is what verify_checksum() calls
  /// good.
  [[nodiscard]] bool is_cut_or_good() const {
    if (header_len_ != kStampedLen) [[unlikely]]
      return captured_ < total_ || is_good();
    // Acknowledgments are whole in every capture, and come between data in no order that could be
    // foretold: the sum is made as if this were one.
    std::uint64_t sum = pseudo_sum();
    for (std::size_t i = 0; i < kStampedLen; i += 8) sum = ones_add64(sum, load_le64(tcp() + i));
    const bool is_right = is_ones_whole(sum) & (payload_len() == 0);
    return is_right | (captured_ < total_) || is_good();
  }

 private:
  static constexpr std::uint32_t kNopNopStamps = 0x0101'080a;

  /// Of both ends' addresses and ports, each taken together.
  static std::uint64_t quick_hash(std::uint32_t addresses, std::uint16_t ports) {
    const std::uint64_t both = std::uint64_t{addresses} << 16 | ports;
    // 2^64 over the golden ratio. The best mixed bits are the highest, which are made the lowest.
    return std::rotl(both * 0x9e3779b97f4a7c15U, 32);
  }

  [[nodiscard]] const std::byte* tcp() const { return ip_ + kIpLen; }
  /// Negative where a < b.
  static std::int64_t less(std::size_t a, std::size_t b) {
    return static_cast<std::int64_t>(a) - static_cast<std::int64_t>(b);
  }
  [[nodiscard]] bool is_good() const {
    return ones_add(std::byteswap(ones_fold64(pseudo_sum())), ones_sum({tcp(), total_ - kIpLen})) ==
           0xffff;
  }
  [[nodiscard]] std::uint64_t pseudo_sum() const {
    const auto len = static_cast<std::uint16_t>(total_ - kIpLen);
    return ones_add64(load_le64(ip_ + 12), std::uint64_t{std::byteswap(len)} + 0x0600);
  }

  const std::byte* ip_;
  std::size_t captured_, total_, header_len_;
  std::size_t room_;  // on the wire, from the IP header on
};

}  // namespace slowpath::wire
