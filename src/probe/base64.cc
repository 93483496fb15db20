// SPDX-License-Identifier: Apache-2.0
#include "probe/base64.h"

#include <openssl/evp.h>

#include <limits>

namespace slowpath::probe {
namespace {

constexpr std::size_t kMost = std::numeric_limits<int>::max() / 2;

const unsigned char* plain(const void* data) { return static_cast<const unsigned char*>(data); }

}  // namespace

std::string to_base64(Bytes bytes) {
  if (bytes.empty() || bytes.size() > kMost) return {};
  // libcrypto ends it with a zero byte.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int len = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                  plain(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(len));
  return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kMost) return std::nullopt;
  std::vector<std::byte> bytes(text.size() / 4 * 3);
  const int len = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                  plain(text.data()), static_cast<int>(text.size()));
  if (len < 0) return std::nullopt;
  // What the padding stands for is counted as zeros.
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<std::size_t>(len) - padding);
  return bytes;
}

}  // namespace slowpath::probe
