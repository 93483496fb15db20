// SPDX-License-Identifier: Apache-2.0
// See plain_decode.h.
#include "plain_decode.h"

#include <algorithm>

namespace slowpath::fuzz {

namespace {

constexpr std::uint8_t kTcp = 6;

/// The bytes of a frame; past the end there are zeros, so callers check lengths first.
struct Reader {
  const std::uint8_t* bytes;
  std::size_t size;

  std::uint8_t u8(std::size_t at) const { return at < size ? bytes[at] : 0; }
  std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>(u8(at) * 256 + u8(at + 1));
  }
  std::uint32_t u32(std::size_t at) const { return u16(at) * 65536U + u16(at + 2); }
};

void read_option(const Reader& reader, std::size_t at, std::size_t len, PlainSegment& segment) {
  const std::uint8_t kind = reader.u8(at);
  // Lengths by kind: RFC 9293, 7323, 2018, 2385, 5925, 8684. A wrong one costs that option alone.
  const bool sack_fits = len >= 10 && (len - 2) % 8 == 0;
  const bool wrong = (kind == 2 && len != 4) || (kind == 3 && len != 3) ||
                     (kind == 4 && len != 2) || (kind == 5 && !sack_fits) ||
                     (kind == 8 && len != 10) || (kind == 19 && len != 18) ||
                     (kind == 29 && len < 4) || (kind == 30 && len < 3);
  if (wrong) {
    segment.malformed = true;
    return;
  }
  if (kind == 2) segment.mss = reader.u16(at + 2);
  if (kind == 3) segment.window_scale = reader.u8(at + 2);
  if (kind == 4) segment.sack_permitted = true;
  if (kind == 8) segment.timestamps = {reader.u32(at + 2), reader.u32(at + 6)};
  if (kind == 5) {
    segment.sack.clear();
    for (std::size_t block = at + 2; block < at + len; block += 8) {
      segment.sack.emplace_back(reader.u32(block), reader.u32(block + 4));
    }
  }
}

void read_options(const Reader& reader, std::size_t at, std::size_t end, PlainSegment& segment) {
  while (at < end && reader.u8(at) != 0) {
    if (reader.u8(at) == 1) {
      ++at;
      continue;
    }
    const std::size_t len = at + 1 < end ? reader.u8(at + 1) : 0;
    if (len < 2 || at + len > end) {
      segment.malformed = true;
      return;
    }
    read_option(reader, at, len, segment);
    at += len;
  }
}

/// Where the TCP header begins and the IP packet ends.
struct Span {
  std::size_t begin = 0, end = 0;
};

std::optional<Span> read_ip4(const Reader& reader, std::size_t at, PlainSegment& segment) {
  const std::size_t header_len = std::size_t{reader.u8(at)} % 16 * 4;
  const std::size_t total_len = reader.u16(at + 2);
  const bool fragment = (reader.u16(at + 6) & 0x3fff) != 0;
  const bool usual = header_len >= 20 && total_len >= header_len && at + total_len <= reader.size &&
                     !fragment && reader.u8(at + 9) == kTcp;
  if (!usual) return std::nullopt;
  segment.ip_version = 4;
  segment.ecn = reader.u8(at + 1) % 4;
  segment.ttl = reader.u8(at + 8);
  for (std::size_t i = 0; i < 4; ++i) {
    segment.source[i] = reader.u8(at + 12 + i);
    segment.destination[i] = reader.u8(at + 16 + i);
  }
  return Span{at + header_len, at + total_len};
}

std::optional<Span> read_ip6(const Reader& reader, std::size_t at, PlainSegment& segment) {
  const std::size_t payload_len = reader.u16(at + 4);
  const bool usual =
      at + 40 + payload_len <= reader.size && payload_len != 0 && reader.u8(at + 6) == kTcp;
  if (!usual) return std::nullopt;
  segment.ip_version = 6;
  segment.ecn = reader.u8(at + 1) / 16 % 4;
  segment.ttl = reader.u8(at + 7);
  for (std::size_t i = 0; i < 16; ++i) {
    segment.source[i] = reader.u8(at + 8 + i);
    segment.destination[i] = reader.u8(at + 24 + i);
  }
  return Span{at + 40, at + 40 + payload_len};
}

std::optional<Span> read_ip(const Reader& reader, PlainSegment& segment) {
  std::size_t at = 12;
  for (int tag = 0; tag < 2 && reader.u16(at) == 0x8100; ++tag) at += 4;
  const std::uint16_t type = reader.u16(at);
  at += 2;
  if (type == 0x0800 && reader.u8(at) / 16 == 4) return read_ip4(reader, at, segment);
  if (type == 0x86dd && reader.u8(at) / 16 == 6) return read_ip6(reader, at, segment);
  return std::nullopt;
}

}  // namespace

std::optional<PlainSegment> plain_decode(const std::uint8_t* frame, std::size_t size) {
  PlainSegment segment;
  const Reader reader{frame, size};
  const auto span = read_ip(reader, segment);
  if (!span) return std::nullopt;
  const std::size_t at = span->begin;
  segment.header_len = std::size_t{reader.u8(at + 12)} / 16 * 4;
  if (segment.header_len < 20 || at + segment.header_len > span->end) return std::nullopt;
  segment.source_port = reader.u16(at);
  segment.destination_port = reader.u16(at + 2);
  segment.sequence = reader.u32(at + 4);
  segment.acknowledgment = reader.u32(at + 8);
  segment.flags = reader.u8(at + 13);
  segment.window = reader.u16(at + 14);
  segment.checksum = reader.u16(at + 16);
  segment.payload_offset = at + segment.header_len;
  segment.payload_len = span->end - segment.payload_offset;
  read_options(reader, at + 20, segment.payload_offset, segment);
  return segment;
}

}  // namespace slowpath::fuzz
