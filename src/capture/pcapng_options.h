// SPDX-License-Identifier: Apache-2.0
// Options of pcapng blocks: a list of code, length, value padded to 4 bytes, ended by code 0 or the
// end of the block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace slowpath::capture {

/// One option; `value` points into the block.
struct PcapngOption {
  std::uint16_t code = 0;
  Bytes value;

  [[nodiscard]] std::string text() const {
    const std::string_view all(reinterpret_cast<const char*>(value.data()), value.size());
    return std::string(all.substr(0, all.find('\0')));  // some writers count a closing zero
  }
};

/// Walks options; always ends, whatever the bytes are.
class PcapngOptions {
 public:
  PcapngOptions(Bytes bytes, bool big_endian)
      : cursor_(bytes, big_endian), big_endian_(big_endian) {}

  /// The next option, or false at the end of the list.
  bool next(PcapngOption& option) {
    if (cursor_.remaining() < 4) return false;
    option.code = cursor_.u16();
    const std::uint16_t len = cursor_.u16();
    if (option.code == 0) return false;
    option.value = cursor_.bytes(len);
    const std::size_t padding = (4 - len % 4u) % 4;
    is_broken_ = !cursor_.ok();
    if (is_broken_) return false;
    cursor_.skip(padding < cursor_.remaining() ? padding : cursor_.remaining());
    return true;
  }
  /// True when an option claimed more than the block holds; those before it were good.
  [[nodiscard]] bool is_broken() const { return is_broken_; }

  /// The value as a number of the section's byte order; 0 when it is of another width.
  [[nodiscard]] std::uint32_t u32(const PcapngOption& option) const {
    return option.value.size() == 4 ? ByteCursor(option.value, big_endian_).u32() : 0;
  }
  [[nodiscard]] std::uint64_t u64(const PcapngOption& option) const {
    return option.value.size() == 8 ? ByteCursor(option.value, big_endian_).u64() : 0;
  }

 private:
  ByteCursor cursor_;
  bool big_endian_;
  bool is_broken_ = false;
};

}  // namespace slowpath::capture
