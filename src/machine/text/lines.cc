// SPDX-License-Identifier: Apache-2.0
#include "machine/text/lines.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace slowpath::machine::text {
namespace {

// Code page 850, bytes 0x80 to 0xAF, and the letters above them that Western languages use. The
// boxes of the page become spaces: no command here says anything with them.
constexpr std::array<char16_t, 48> kCodePage850 = {
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF,
    0x00EE, 0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9,
    0x00FF, 0x00D6, 0x00DC, 0x00F8, 0x00A3, 0x00D8, 0x00D7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA,
    0x00F1, 0x00D1, 0x00AA, 0x00BA, 0x00BF, 0x00AE, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB};

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
  std::string out;
  out.reserve(bytes.size());
  const auto unit = [&](std::size_t at) {
    const auto first = byte_at(bytes, at);
    const auto second = byte_at(bytes, at + 1);
    return static_cast<char32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    char32_t code = unit(at);
    if (code >= 0xD800 && code < 0xDC00 && at + 3 < bytes.size()) {
      const char32_t low = unit(at + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at += 2;
      }
    }
    append_utf8(out, code >= 0xD800 && code < 0xE000 ? U'\uFFFD' : code);
  }
  return out;
}

/// Bytes of the UTF-8 character at `at`; 0 where there is none.
std::size_t utf8_length(std::string_view bytes, std::size_t at) {
  const std::uint8_t first = byte_at(bytes, at);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || at + length > bytes.size()) return 0;
  for (std::size_t next = at + 1; next < at + length; ++next) {
    if ((byte_at(bytes, next) & 0xC0) != 0x80) return 0;
  }
  return length;
}

/// Letters of Windows-1252 are above 0xC0, those of the console's pages below 0xA6.
bool looks_like_1252(std::string_view bytes) {
  std::size_t high = 0, low = 0;
  for (const char each : bytes) {
    const auto byte = static_cast<std::uint8_t>(each);
    if (byte >= 0xC0) ++high;
    if (byte >= 0x80 && byte < 0xA6) ++low;
  }
  return high > low;
}

char32_t from_code_page(std::uint8_t byte, bool is_1252) {
  if (is_1252) return byte >= 0xA0 ? byte : U'\uFFFD';
  if (byte < 0xB0) return kCodePage850[byte - 0x80U];
  return byte == 0xE1 ? 0x00DF : U'\uFFFD';
}

std::string from_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::optional<bool> is_1252;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = utf8_length(bytes, at);
    if (length > 0) {
      out.append(bytes.substr(at, length));
      at += length;
      continue;
    }
    if (!is_1252) is_1252 = looks_like_1252(bytes);
    append_utf8(out, from_code_page(byte_at(bytes, at), *is_1252));
    ++at;
  }
  return out;
}

bool is_utf16_without_mark(std::string_view bytes) {
  const std::size_t pairs = std::min<std::size_t>(bytes.size(), 512) / 2;
  if (pairs < 8) return false;
  std::size_t zeros = 0;
  for (std::size_t pair = 0; pair < pairs; ++pair) zeros += bytes[2 * pair + 1] == '\0' ? 1U : 0U;
  return zeros * 4 > pairs * 3;
}

/// After an escape byte at `at`: where the sequence ends (ECMA-48, CSI only; else the byte alone).
std::size_t after_escape(std::string_view text, std::size_t at) {
  std::size_t next = at + 1;
  if (next >= text.size() || text[next] != '[') return next;
  for (++next; next < text.size() && next < at + 24; ++next) {
    if (text[next] >= '@' && text[next] <= '~') return next + 1;
  }
  return next;
}

void remove_controls(std::string& text) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char each = text[at];
    if (each == '\x1b') {
      at = after_escape(text, at);
      continue;
    }
    if (text.compare(at, 2, "\u00A0") == 0) {  // pages copied from a browser are full of it
      text[kept++] = ' ';
      at += 2;
      continue;
    }
    if (each != '\0' && each != '\b' && each != '\x7f') text[kept++] = each;
    ++at;
  }
  text.resize(kept);
}

}  // namespace

std::string to_utf8(std::string_view bytes) {
  std::string text;
  if (bytes.starts_with("\xFF\xFE")) {
    text = from_utf16(bytes.substr(2), false);
  } else if (bytes.starts_with("\xFE\xFF")) {
    text = from_utf16(bytes.substr(2), true);
  } else if (is_utf16_without_mark(bytes)) {
    text = from_utf16(bytes, false);
  } else {
    text = from_bytes(bytes.starts_with("\xEF\xBB\xBF") ? bytes.substr(3) : bytes);
  }
  remove_controls(text);
  return text;
}

std::vector<Line> split_lines(std::string_view text) {
  std::vector<Line> lines;
  std::uint32_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    std::string_view line = text.substr(0, end);
    const std::size_t last = line.find_last_not_of(" \t\v\f");
    line = last == std::string_view::npos ? std::string_view{} : line.substr(0, last + 1);
    lines.push_back({line, ++number});
    const bool is_pair = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(text.size(), end + (is_pair ? 2U : 1U)));
  }
  return lines;
}

}  // namespace slowpath::machine::text
