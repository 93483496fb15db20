// SPDX-License-Identifier: Apache-2.0
#include "probe/http_answer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include <fmt/core.h>

namespace slowpath::probe {
namespace {

/// A header field is shown to people: what is longer is no validator of anybody's.
constexpr std::size_t kLongestField = 512;

struct DigestName {
  std::string_view word, algorithm;
  std::size_t hex_len;
};
constexpr std::array<DigestName, 3> kDigests{{
    {"sha-256", "sha256", 64},
    {"sha256", "sha256", 64},
    {"md5", "md5", 32},
}};

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

void state(FetchedCopy& copy, const DigestName& name, std::string_view value,
           std::string_view field) {
  std::string hex =
      value.size() == name.hex_len && is_hex(value) ? lower(value) : hex_of_base64(value);
  if (hex.size() != name.hex_len) return;
  copy.stated.push_back({std::string{name.algorithm}, std::move(hex), std::string{field}});
}

/// "sha-256=BASE64, md5=BASE64" (RFC 3230, x-goog-hash), or with colons around the value (RFC
/// 9530).
void state_list(FetchedCopy& copy, std::string_view value, std::string_view field) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view item = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string word = lower(item.substr(0, equals));
    std::string_view text = item.substr(equals + 1);
    if (text.size() >= 2 && text.front() == ':' && text.back() == ':') {
      text = text.substr(1, text.size() - 2);
    }
    for (const DigestName& name : kDigests) {
      if (word == name.word) state(copy, name, text, field);
    }
  }
}

/// Digests are of what is transferred, so they count only where the body is that of the whole file.
void take_digest(FetchedCopy& copy, const std::string& name, std::string_view value) {
  if (name == "content-md5") state(copy, kDigests[2], value, "Content-MD5");
  if (name == "x-checksum-md5") state(copy, kDigests[2], value, "X-Checksum-Md5");
  if (name == "x-checksum-sha256") state(copy, kDigests[0], value, "X-Checksum-Sha256");
  if (name == "digest") state_list(copy, value, "Digest");
  if (name == "repr-digest") state_list(copy, value, "Repr-Digest");
  if (name == "content-digest") state_list(copy, value, "Content-Digest");
  if (name == "x-goog-hash") state_list(copy, value, "x-goog-hash");
}

void begin_answer(FetchedCopy& copy) {
  copy.etag = copy.last_modified = copy.content_encoding = copy.content_type = {};
  copy.software = copy.via = copy.age = {};
  copy.stated.clear();
  copy.is_chunked = copy.takes_ranges = false;
  copy.announced_bytes.reset();
  copy.header_bytes = 0;
  ++copy.answers;
}

}  // namespace

std::string hex_of_base64(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string hex;
  std::uint32_t bits = 0;
  int held = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char letter : text) {
    const std::size_t value = kLetters.find(letter);
    if (value == std::string_view::npos) return {};
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFF;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    hex += fmt::format("{:02x}", bits >> held & 0xFF);
  }
  return hex;
}

void take_header_line(FetchedCopy& copy, std::string_view line) {
  if (line.starts_with("HTTP/")) begin_answer(copy);
  copy.header_bytes += line.size();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower(trimmed(line.substr(0, colon)));
  const std::string_view value = trimmed(line.substr(colon + 1)).substr(0, kLongestField);
  if (name == "etag") copy.etag = value;
  if (name == "last-modified") copy.last_modified = value;
  if (name == "content-encoding") copy.content_encoding = value;
  if (name == "content-type") copy.content_type = value;
  if (name == "server") copy.software = value;
  if (name == "via") copy.via = value;
  if (name == "age") copy.age = value;
  if (name == "accept-ranges") copy.takes_ranges = lower(value) == "bytes";
  if (name == "transfer-encoding" && lower(value).ends_with("chunked")) copy.is_chunked = true;
  take_digest(copy, name, value);
}

}  // namespace slowpath::probe
