// SPDX-License-Identifier: Apache-2.0
// The pattern shows whatever happens to a stream, and says exactly where.
#include "lab/pattern.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace slowpath::lab {
namespace {

std::vector<std::byte> bytes_of(const Pattern& pattern, std::uint64_t offset, std::size_t count) {
  std::vector<std::byte> bytes(count);
  pattern.fill(offset, bytes);
  return bytes;
}

TEST(PatternTest, APieceIsTheSameWhereverItBegins) {
  const Pattern pattern{1};
  const auto whole = bytes_of(pattern, 0, 30'000);
  for (const std::size_t offset : {1U, 7U, 8U, 8191U, 8192U, 8193U, 16'383U, 20'001U}) {
    for (const std::size_t count : {1U, 2U, 9U, 1448U, 9000U}) {
      const auto piece = bytes_of(pattern, offset, count);
      EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + static_cast<long>(offset)))
          << offset << " " << count;
      EXPECT_TRUE(pattern.matches(offset, piece));
    }
  }
  for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(pattern.at(i), whole[i]) << i;
}

TEST(PatternTest, EveryChangedByteShows) {
  const Pattern pattern{2};
  auto bytes = bytes_of(pattern, 5, 100);
  for (auto& byte : bytes) {
    byte ^= std::byte{1};
    EXPECT_FALSE(pattern.matches(5, bytes));
    byte ^= std::byte{1};
  }
  EXPECT_TRUE(pattern.matches(5, bytes));
}

TEST(PatternTest, StaleAndShiftedPiecesShow) {
  const Pattern pattern{3};
  // A segment before, a byte, a block, many blocks, and the words of a block apart.
  for (const std::uint64_t shift : {1U, 8U, 1448U, 8192U, 8192U * 64U, 65536U * 16U}) {
    const auto piece = bytes_of(pattern, 1'000'000 + shift, 1448);
    const auto belongs = bytes_of(pattern, 1'000'000, 1448);
    const auto equal = std::ranges::count_if(
        piece, [&, i = 0U](std::byte byte) mutable { return byte == belongs[i++]; });
    // By chance one in 256; where only the key differs, a byte of eight may be equal throughout.
    EXPECT_LT(equal, 1448 / 4) << shift;
  }
}

TEST(PatternTest, SeedsMakeDifferentPatterns) {
  EXPECT_NE(bytes_of(Pattern{1}, 0, 64), bytes_of(Pattern{2}, 0, 64));
  EXPECT_EQ(bytes_of(Pattern{1}, 0, 64), bytes_of(Pattern{1}, 0, 64));
}

TEST(PatternCheckTest, SaysWhereAndWhat) {
  const Pattern pattern{4};
  auto bytes = bytes_of(pattern, 0, 20'000);
  bytes[100] ^= std::byte{0x40};
  for (std::size_t i = 8190; i < 8200; ++i) bytes[i] = ~bytes[i];
  PatternCheck check{pattern};
  // In pieces that cut the run.
  check.take(Bytes{bytes}.first(8195));
  check.take(Bytes{bytes}.subspan(8195));
  EXPECT_EQ(check.taken(), 20'000U);
  EXPECT_EQ(check.wrong(), 11U);
  ASSERT_EQ(check.differences().size(), 2U);
  EXPECT_EQ(check.differences()[0].offset, 100U);
  EXPECT_EQ(check.differences()[0].length, 1U);
  EXPECT_EQ(check.differences()[1].offset, 8190U);
  EXPECT_EQ(check.differences()[1].length, 10U);
  EXPECT_EQ(check.differences()[1].expected_hex.size(), 20U);
  const auto expected = std::stoi(check.differences()[0].expected_hex, nullptr, 16);
  const auto found = std::stoi(check.differences()[0].found_hex, nullptr, 16);
  EXPECT_EQ(expected ^ found, 0x40);
}

TEST(PatternCheckTest, BytesEqualByChanceDoNotCutARun) {
  const Pattern pattern{5};
  auto bytes = bytes_of(pattern, 0, 3000);
  for (std::size_t i = 1000; i < 2448; ++i) {
    if (i % 50 != 0 || i == 1000) bytes[i] = ~bytes[i];
  }
  PatternCheck check{pattern};
  check.take(bytes);
  ASSERT_EQ(check.differences().size(), 1U);
  EXPECT_EQ(check.differences()[0].offset, 1000U);
  EXPECT_EQ(check.differences()[0].length, 1448U);
  EXPECT_EQ(check.wrong(), 1448U - 28U);
  EXPECT_EQ(check.differences()[0].found_hex.size(), 32U);
}

TEST(PatternCheckTest, ListsTheFirstAndCountsTheRest) {
  const Pattern pattern{6};
  auto bytes = bytes_of(pattern, 0, 100'000);
  for (std::size_t i = 0; i < bytes.size(); i += 1000) bytes[i] ^= std::byte{1};
  PatternCheck check{pattern};
  check.take(bytes);
  EXPECT_EQ(check.wrong(), 100U);
  ASSERT_EQ(check.differences().size(), PatternCheck::kMost);
  EXPECT_EQ(check.differences().back().offset, 31'000U);
  EXPECT_EQ(check.differences().back().length, 1U);
}

TEST(PatternTest, HashesAreThoseOfTheBytes) {
  // FIPS 180-4's example.
  const std::array abc{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  EXPECT_EQ(sha256_hex(Bytes{abc}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const Pattern pattern{7};
  EXPECT_EQ(sha256_hex(pattern, 200'001), sha256_hex(Bytes{bytes_of(pattern, 0, 200'001)}));
}

}  // namespace
}  // namespace slowpath::lab
