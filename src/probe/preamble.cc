// SPDX-License-Identifier: Apache-2.0
#include "probe/preamble.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/format.h"

namespace slowpath::probe {
namespace {

constexpr std::string_view kMagic = "SLOWPATH";
constexpr std::size_t kMajorAt = 8, kMinorAt = 10, kKindAt = 12, kStreamAt = 14, kSessionAt = 16;
constexpr std::size_t kSessionBytes = 16;

}  // namespace

std::array<std::byte, Preamble::kBytes> encode(const Preamble& preamble) {
  std::array<std::byte, Preamble::kBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  store_be16(&bytes[kMajorAt], preamble.major);
  store_be16(&bytes[kMinorAt], preamble.minor);
  store_u8(&bytes[kKindAt], static_cast<std::uint8_t>(preamble.kind));
  store_be16(&bytes[kStreamAt], preamble.stream);
  for (std::size_t i = 0; i < kSessionBytes && 2 * i + 1 < preamble.session.size(); ++i) {
    std::uint8_t value = 0;
    const char* digits = preamble.session.data() + 2 * i;
    std::from_chars(digits, digits + 2, value, 16);
    store_u8(&bytes[kSessionAt + i], value);
  }
  return bytes;
}

bool may_become_preamble(Bytes bytes) {
  const std::size_t known = std::min(bytes.size(), kMagic.size());
  return std::memcmp(bytes.data(), kMagic.data(), known) == 0;
}

std::optional<Preamble> decode_preamble(Bytes bytes) {
  if (bytes.size() < Preamble::kBytes || !may_become_preamble(bytes)) return std::nullopt;
  Preamble preamble;
  preamble.major = load_be16(&bytes[kMajorAt]);
  preamble.minor = load_be16(&bytes[kMinorAt]);
  const std::uint8_t kind = load_u8(&bytes[kKindAt]);
  if (kind > static_cast<std::uint8_t>(ConnectionKind::data)) return std::nullopt;
  preamble.kind = static_cast<ConnectionKind>(kind);
  preamble.stream = load_be16(&bytes[kStreamAt]);
  if (preamble.kind == ConnectionKind::data)
    preamble.session = format_hex(Bytes(bytes).subspan(kSessionAt, kSessionBytes));
  return preamble;
}

}  // namespace slowpath::probe
