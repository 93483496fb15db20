// SPDX-License-Identifier: Apache-2.0
// The random blocks and their sums.
#include "generate/payload.h"

#include "generate/random.h"

namespace slowpath::bench {

std::uint64_t sum_of(const std::byte* bytes, std::size_t len) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < len; i += 2) {
    sum += std::to_integer<std::uint64_t>(bytes[i]) << 8 |
           std::to_integer<std::uint64_t>(bytes[i + 1]);
  }
  if (len % 2 != 0) sum += std::to_integer<std::uint64_t>(bytes[len - 1]) << 8;
  return sum;
}

PayloadBlocks::PayloadBlocks(std::uint32_t block_len, std::uint64_t seed)
    : block_len_(block_len), bytes_(kBlocks * block_len), sums_(kBlocks) {
  Random random(seed);
  for (std::byte& byte : bytes_) byte = static_cast<std::byte>(random.next() >> 56);
  for (std::uint64_t block = 0; block < kBlocks; ++block) {
    sums_[block] = sum_of(bytes_.data() + block * block_len_, block_len_);
  }
}

Payload PayloadBlocks::at(std::uint64_t block, std::uint32_t len) const {
  const std::uint64_t index = block % kBlocks;
  const std::byte* bytes = bytes_.data() + index * block_len_;
  return {bytes, len, len == block_len_ ? sums_[index] : sum_of(bytes, len)};
}

}  // namespace slowpath::bench
