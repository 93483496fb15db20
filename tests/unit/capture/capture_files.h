// SPDX-License-Identifier: Apache-2.0
// Capture files made in memory, field by field: the tests' own account of the formats, which shares
// nothing with the readers. And what a test wants to know of a source, collected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "capture/source.h"

namespace slowpath::capture::testing {

using Buffer = std::vector<std::byte>;

inline Bytes as_bytes(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }

/// Appends integers in one byte order.
class Writer {
 public:
  explicit Writer(bool big_endian) : big_endian_(big_endian) {}
  Writer& u8(std::uint64_t value) { return number(value, 1); }
  Writer& u16(std::uint64_t value) { return number(value, 2); }
  Writer& u32(std::uint64_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  Writer& text(std::string_view text) {
    for (const char c : text) out_.push_back(static_cast<std::byte>(c));
    return *this;
  }
  Writer& raw(Bytes bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& pad4() {
    while (out_.size() % 4 != 0) out_.push_back(std::byte{0});
    return *this;
  }
  [[nodiscard]] const Buffer& bytes() const { return out_; }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 protected:
  Writer& number(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t shift = 8 * (big_endian_ ? width - 1 - i : i);
      out_.push_back(static_cast<std::byte>((value >> shift) & 0xff));
    }
    return *this;
  }

 private:
  bool big_endian_;
  Buffer out_;
};

/// `len` bytes that differ from frame to frame; never looks like a record header.
inline Buffer payload(std::size_t len, unsigned seed = 0) {
  Buffer bytes(len);
  for (std::size_t i = 0; i < len; ++i) {
    bytes[i] = static_cast<std::byte>(0x80 | ((i * 7 + seed) & 0x7f));
  }
  return bytes;
}

inline constexpr std::uint32_t kStart =
    1'700'000'000;  // seconds since 1970 of a file's first frame

struct PcapOptions {
  bool big_endian = false;
  std::uint32_t magic = 0xa1b2c3d4;
  std::uint16_t major = 2, minor = 4;
  std::uint32_t snap_len = 65535;
  std::uint32_t link = 1;
};

class PcapFile : public Writer {
 public:
  explicit PcapFile(PcapOptions options = {}) : Writer(options.big_endian) {
    u32(options.magic).u16(options.major).u16(options.minor).u32(0).u32(0);
    u32(options.snap_len).u32(options.link);
  }
  PcapFile& header(std::uint32_t s, std::uint32_t fraction, std::uint32_t captured,
                   std::uint32_t original) {
    u32(s).u32(fraction).u32(captured).u32(original);
    return *this;
  }
  PcapFile& frame(std::uint32_t s, std::uint32_t fraction, std::size_t len,
                  std::uint32_t original = 0, unsigned seed = 0) {
    const auto captured = static_cast<std::uint32_t>(len);
    header(s, fraction, captured, original == 0 ? captured : original);
    raw(as_bytes(payload(len, seed)));
    return *this;
  }
  /// `count` frames of different lengths, one a millisecond, from kStart on.
  PcapFile& frames(unsigned count, std::uint32_t fractions_per_ms = 1000) {
    for (unsigned i = 0; i < count; ++i) {
      frame(kStart + i / 1000, i % 1000 * fractions_per_ms, 60 + i * 37 % 1400, 0, i);
    }
    return *this;
  }
};

class PcapngFile : public Writer {
 public:
  explicit PcapngFile(bool big_endian = false) : Writer(big_endian), big_endian_(big_endian) {}

  PcapngFile& block(std::uint32_t type, const Buffer& body) {
    const std::size_t len = 12 + (body.size() + 3) / 4 * 4;
    u32(type).u32(len).raw(as_bytes(body)).pad4().u32(len);
    return *this;
  }
  static void option(Writer& to, std::uint16_t code, const Buffer& value) {
    to.u16(code).u16(value.size()).raw(as_bytes(value)).pad4();
  }
  static Buffer bytes_of(std::string_view text) {
    Writer writer(false);
    writer.text(text);
    return writer.bytes();
  }
  [[nodiscard]] Writer part() const { return Writer(big_endian_); }

  PcapngFile& section(std::uint16_t major = 1, std::uint16_t minor = 0,
                      const Buffer& options = {}) {
    Writer body = part();
    body.u32(0x1a2b3c4d).u16(major).u16(minor).u64(~std::uint64_t{0}).raw(as_bytes(options));
    return block(0x0a0d0d0a, body.bytes());
  }
  PcapngFile& interface(std::uint16_t link = 1, std::uint32_t snap_len = 0,
                        const Buffer& options = {}) {
    Writer body = part();
    body.u16(link).u16(0).u32(snap_len).raw(as_bytes(options));
    return block(1, body.bytes());
  }
  PcapngFile& packet(std::uint32_t interface, std::uint64_t units, std::size_t len,
                     std::uint32_t original = 0, const Buffer& options = {}) {
    Writer body = part();
    body.u32(interface).u32(units >> 32).u32(units & 0xffffffff).u32(len);
    body.u32(original == 0 ? len : original).raw(as_bytes(payload(len))).pad4();
    body.raw(as_bytes(options));
    return block(6, body.bytes());
  }
  PcapngFile& packets(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      packet(0, std::uint64_t{kStart} * 1'000'000 + i * 1000, 60 + i * 37 % 1400);
    }
    return *this;
  }

 private:
  bool big_endian_;
};

class SnoopFile : public Writer {
 public:
  explicit SnoopFile(std::uint32_t link = 4, std::uint32_t version = 2) : Writer(true) {
    text({"snoop\0\0\0", 8}).u32(version).u32(link);
  }
  SnoopFile& frame(std::uint32_t s, std::uint32_t us, std::size_t len, std::uint32_t original = 0,
                   std::uint32_t drops = 0) {
    u32(original == 0 ? len : original).u32(len).u32(24 + (len + 3) / 4 * 4).u32(drops);
    u32(s).u32(us).raw(as_bytes(payload(len))).pad4();
    return *this;
  }
  SnoopFile& frames(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      frame(kStart + i / 1000, i % 1000 * 1000, 60 + i * 37 % 1400);
    }
    return *this;
  }
};

/// A frame with its bytes copied.
struct Seen {
  wire::Frame frame;
  Buffer bytes;
};

inline std::vector<Seen> read_all(Source& source) {
  std::vector<Seen> seen;
  wire::Frame frame;
  while (source.next(frame)) {
    seen.push_back({frame, Buffer(frame.bytes.begin(), frame.bytes.end())});
  }
  return seen;
}

}  // namespace slowpath::capture::testing
