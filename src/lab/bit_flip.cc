// SPDX-License-Identifier: Apache-2.0
// Bits turned over in a payload.
#include "lab/bit_flip.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/core.h>

#include "base/assert.h"

namespace slowpath::lab {
namespace {

constexpr std::uint32_t kMostBits = 128;
constexpr std::uint32_t kMostTold = 16;
constexpr std::uint32_t kMostBytes = kMostBits / 8 + 1;

void flip_bit(std::span<std::byte> bytes, std::uint32_t bit) {
  bytes[bit / 8] ^= std::byte{0x80} >> (bit % 8);
}

std::string hex(Bytes bytes) {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", load_u8(&byte));
  return text;
}

// The difference that the change makes to a one's complement sum, in which the byte at an even
// offset is the high one.
bool changes_sum(Bytes before, Bytes after, std::uint32_t offset) {
  std::int64_t difference = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const int weight = (offset + i) % 2 == 0 ? 256 : 1;
    difference += weight * (std::to_integer<int>(after[i]) - std::to_integer<int>(before[i]));
  }
  return difference % 0xffff != 0;
}

}  // namespace

PayloadFlip PayloadFlip::read(Settings& settings) {
  PayloadFlip flip;
  flip.bits_ = static_cast<std::uint32_t>(settings.number("bits", 1, 1, kMostBits));
  if (settings.text("at", "random") != "random") {
    flip.at_ = static_cast<std::uint32_t>(settings.number("at", 0, 0, UINT16_MAX));
  }
  return flip;
}

bool PayloadFlip::fits(const PacketView& packet) const {
  const std::uint64_t payload_bits = std::uint64_t{packet.payload_len} * 8;
  return payload_bits >= std::uint64_t{at_.value_or(0)} * 8 + bits_;
}

std::string PayloadFlip::flip(Frame& frame, const PacketView& packet, Random& random,
                              bool seen_by_checksum) const {
  SLOWPATH_ASSERT(fits(packet));
  const auto payload = frame.bytes().subspan(packet.payload_offset, packet.payload_len);
  const std::uint32_t first_bit = at_ ? *at_ * 8
                                      : static_cast<std::uint32_t>(random.below(
                                            std::uint64_t{packet.payload_len} * 8 - bits_ + 1));
  const std::uint32_t last_bit = first_bit + bits_ - 1;
  const std::uint32_t first = first_bit / 8, last = last_bit / 8;
  const auto hit = payload.subspan(first, last - first + 1);

  std::array<std::byte, kMostBytes> before{};
  std::ranges::copy(hit, before.begin());
  const Bytes was{before.data(), hit.size()};
  for (auto bit = first_bit; bit <= last_bit; ++bit) flip_bit(payload, bit);
  if (seen_by_checksum && !changes_sum(was, hit, first)) flip_bit(payload, last_bit);

  const auto offset = packet.payload_offset + first;
  const auto where = first == last
                         ? fmt::format("byte {}", offset)
                         : fmt::format("bytes {}-{}", offset, packet.payload_offset + last);
  return fmt::format("{}, payload {}: {} -> {}", where, first, hex(was), hex(hit));
}

void BitFlips::flip(Frame& frame, std::uint64_t bit) {
  const auto at = bit / 8;
  SLOWPATH_ASSERT(at < frame.len);
  const auto before = load_u8(frame.data + at);
  frame.data[at] ^= std::byte{0x80} >> (bit % 8);
  if (++count_ > kMostTold) return;
  text_ += fmt::format("{}byte {}: {:02x} -> {:02x}", text_.empty() ? "" : ", ", at, before,
                       load_u8(frame.data + at));
}

std::string BitFlips::detail() const {
  return count_ <= kMostTold ? text_ : fmt::format("{} and {} more", text_, count_ - kMostTold);
}

}  // namespace slowpath::lab
