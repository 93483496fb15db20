// SPDX-License-Identifier: Apache-2.0
// Reading integers out of bytes: plain loads (and stores) for positions already checked, and a cursor
// with a sticky error for parsers that read field after field and test once at the end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace slowpath {

using Bytes = std::span<const std::byte>;

namespace detail {
template <typename T>
inline T load_raw(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
}  // namespace detail

// Loads at a position the caller has checked. be = network order, le = little endian.
inline std::uint8_t load_u8(const std::byte* at) { return std::to_integer<std::uint8_t>(*at); }
inline std::uint16_t load_be16(const std::byte* at) { return std::byteswap(detail::load_raw<std::uint16_t>(at)); }
inline std::uint32_t load_be32(const std::byte* at) { return std::byteswap(detail::load_raw<std::uint32_t>(at)); }
inline std::uint64_t load_be64(const std::byte* at) { return std::byteswap(detail::load_raw<std::uint64_t>(at)); }
inline std::uint16_t load_le16(const std::byte* at) { return detail::load_raw<std::uint16_t>(at); }
inline std::uint32_t load_le32(const std::byte* at) { return detail::load_raw<std::uint32_t>(at); }
inline std::uint64_t load_le64(const std::byte* at) { return detail::load_raw<std::uint64_t>(at); }
// Stores, likewise.
inline void store_u8(std::byte* at, std::uint8_t value) { *at = static_cast<std::byte>(value); }
inline void store_be16(std::byte* at, std::uint16_t value) {
  value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}
inline void store_be32(std::byte* at, std::uint32_t value) {
  value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}
static_assert(std::endian::native == std::endian::little, "loads are written for little-endian hosts");

/// Reads forward through bytes. After the first read past the end every read gives zero and ok() is false,
/// so a parser lists its fields and tests once. Never reads outside the span it was given.
class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes, bool big_endian = true) : bytes_(bytes), big_endian_(big_endian) {}

  std::uint8_t u8() { return take(1) ? load_u8(bytes_.data() + offset_ - 1) : std::uint8_t{0}; }
  std::uint16_t u16() {
    if (!take(2)) return 0;
    const std::byte* at = bytes_.data() + offset_ - 2;
    return big_endian_ ? load_be16(at) : load_le16(at);
  }
  std::uint32_t u32() {
    if (!take(4)) return 0;
    const std::byte* at = bytes_.data() + offset_ - 4;
    return big_endian_ ? load_be32(at) : load_le32(at);
  }
  std::uint64_t u64() {
    if (!take(8)) return 0;
    const std::byte* at = bytes_.data() + offset_ - 8;
    return big_endian_ ? load_be64(at) : load_le64(at);
  }
  /// The next n bytes; an empty span and a sticky error when fewer are left.
  Bytes bytes(std::size_t n) { return take(n) ? bytes_.subspan(offset_ - n, n) : Bytes{}; }
  void skip(std::size_t n) { (void)take(n); }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t remaining() const { return ok_ ? bytes_.size() - offset_ : 0; }
  [[nodiscard]] Bytes rest() const { return ok_ ? bytes_.subspan(offset_) : Bytes{}; }

 private:
  bool take(std::size_t n) {
    if (!ok_ || bytes_.size() - offset_ < n) return ok_ = false;
    offset_ += n;
    return true;
  }

  Bytes bytes_;
  std::size_t offset_ = 0;
  bool big_endian_;
  bool ok_ = true;
};

}  // namespace slowpath
