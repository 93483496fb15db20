// SPDX-License-Identifier: Apache-2.0
// The pattern, its comparison, and hashes of both.
#include "lab/pattern.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "base/assert.h"
#include "lab/random.h"

namespace slowpath::lab {

Pattern::Pattern(std::uint64_t seed) : seed_(seed), words_{} {
  Random random{seed};
  for (auto& word : words_) word = random.next();
}

std::uint64_t Pattern::key_of(std::uint64_t block) const {
  // splitmix64's finaliser.
  std::uint64_t z = seed_ + (block + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

std::byte Pattern::at(std::uint64_t offset) const {
  const auto word = words_[offset % kBlockBytes / 8] ^ key_of(offset / kBlockBytes);
  return static_cast<std::byte>(word >> (offset % 8 * 8));
}

namespace {

/// Bytes until the next whole word.
std::size_t to_next_word(std::uint64_t offset, std::size_t length) {
  return std::min<std::size_t>(length, (8 - offset % 8) % 8);
}

}  // namespace

void Pattern::fill(std::uint64_t offset, std::span<std::byte> out) const {
  auto* to = out.data();
  std::size_t left = out.size();
  for (auto n = to_next_word(offset, left); n > 0; --n, --left) *to++ = at(offset++);
  while (left >= 8) {
    const std::size_t first = offset % kBlockBytes / 8;
    const std::size_t count = std::min(kWords - first, left / 8);
    const auto key = key_of(offset / kBlockBytes);
    const auto* from = words_.data() + first;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t word = from[i] ^ key;
      std::memcpy(to + i * 8, &word, 8);
    }
    to += count * 8;
    offset += count * 8;
    left -= count * 8;
  }
  for (; left > 0; --left) *to++ = at(offset++);
}

bool Pattern::matches(std::uint64_t offset, Bytes data) const {
  const auto* from = data.data();
  std::size_t left = data.size();
  std::uint64_t difference = 0;
  for (auto n = to_next_word(offset, left); n > 0; --n, --left)
    difference |= std::to_integer<std::uint64_t>(*from++ ^ at(offset++));
  while (left >= 8) {
    const std::size_t first = offset % kBlockBytes / 8;
    const std::size_t count = std::min(kWords - first, left / 8);
    const auto key = key_of(offset / kBlockBytes);
    const auto* expected = words_.data() + first;
    // No way out of the loop: the compiler makes vectors of it.
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + i * 8, 8);
      difference |= word ^ expected[i] ^ key;
    }
    from += count * 8;
    offset += count * 8;
    left -= count * 8;
  }
  for (; left > 0; --left) difference |= std::to_integer<std::uint64_t>(*from++ ^ at(offset++));
  return difference == 0;
}

void PatternCheck::take(Bytes data) {
  take_at(taken_, data);
  taken_ += data.size();
}

void PatternCheck::take_at(std::uint64_t offset, Bytes data) {
  // Pieces, so that one bad byte costs one piece's bytewise look and not all.
  constexpr std::size_t kPiece = 4096;
  for (std::size_t done = 0; done < data.size(); done += kPiece) {
    const auto piece = data.subspan(done, std::min(kPiece, data.size() - done));
    if (pattern_.matches(offset + done, piece)) continue;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const auto expected = pattern_.at(offset + done + i);
      if (piece[i] != expected) note(offset + done + i, expected, piece[i]);
    }
  }
}

void PatternCheck::note(std::uint64_t offset, std::byte expected, std::byte found) {
  ++wrong_;
  const bool grows = last_wrong_end_ != 0 && offset >= last_wrong_end_ &&
                     offset - last_wrong_end_ < Difference::kGap;
  last_wrong_end_ = offset + 1;
  if (!grows) {
    listed_ = differences_.size() < kMost;
    if (listed_)
      differences_.push_back({.offset = offset, .length = 0, .expected_hex = {}, .found_hex = {}});
  }
  if (!listed_) return;
  auto& difference = differences_.back();
  difference.length = offset + 1 - difference.offset;
  constexpr std::size_t kShownBytes = 16;
  const auto hex = [](std::byte value) {
    return fmt::format("{:02x}", std::to_integer<unsigned>(value));
  };
  // Equal bytes in a gap are known from the pattern.
  for (auto at = difference.offset + difference.expected_hex.size() / 2;
       at < offset && difference.expected_hex.size() < kShownBytes * 2; ++at) {
    difference.expected_hex += hex(pattern_.at(at));
    difference.found_hex += hex(pattern_.at(at));
  }
  if (difference.expected_hex.size() >= kShownBytes * 2) return;
  difference.expected_hex += hex(expected);
  difference.found_hex += hex(found);
}

namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    SLOWPATH_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(Bytes data) {
    SLOWPATH_ASSERT(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    SLOWPATH_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_hex(Bytes data) {
  Sha256 hash;
  hash.add(data);
  return hash.hex();
}

std::string sha256_hex(const Pattern& pattern, std::uint64_t length) {
  Sha256 hash;
  std::vector<std::byte> piece(64 * 1024);
  for (std::uint64_t done = 0; done < length;) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length - done));
    pattern.fill(done, std::span{piece}.first(count));
    hash.add(Bytes{piece}.first(count));
    done += count;
  }
  return hash.hex();
}

}  // namespace slowpath::lab
