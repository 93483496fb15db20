// SPDX-License-Identifier: Apache-2.0
#include "probe/pattern.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace slowpath::probe {
namespace {

std::vector<std::byte> made_of(const Content& content, std::size_t size, std::uint64_t offset) {
  std::vector<std::byte> bytes(size);
  content.fill(bytes, offset);
  return bytes;
}

TEST(Pattern, FastAndPlainWordsAreTheSame) {
  for (const std::size_t size : {0U, 8U, 120U, 128U, 136U, 1024U, 8192U, 8200U}) {
    for (const std::uint64_t word :
         {std::uint64_t{0}, std::uint64_t{12345}, ~std::uint64_t{0} - 3}) {
      std::vector<std::byte> fast(size), plain(size);
      fill_words(fast, word, 77);
      fill_words_plain(plain, word, 77);
      ASSERT_EQ(fast, plain) << size << " bytes from word " << word;
      EXPECT_TRUE(words_match(plain, word, 77));
      EXPECT_TRUE(words_match_plain(fast, word, 77));
      for (std::size_t at = 0; at < size; ++at) {
        fast[at] ^= std::byte{0x10};
        ASSERT_FALSE(words_match(fast, word, 77)) << "byte " << at << " of " << size;
        ASSERT_FALSE(words_match_plain(fast, word, 77));
        fast[at] ^= std::byte{0x10};
      }
    }
  }
}

TEST(Pattern, ByteDependsOnItsPositionAlone) {
  const auto file = std::make_shared<std::vector<std::byte>>(1000, std::byte{7});
  (*file)[999] = std::byte{9};
  for (const Content& content : {Content::random(5), Content::random(5, 192), Content::text(9),
                                 Content::zeros(), Content::memory(file)}) {
    const auto whole = made_of(content, 5000, 0);
    std::mt19937 random{1};
    for (int i = 0; i < 300; ++i) {
      const std::size_t at = random() % 4000, size = random() % 1000;
      const auto part = made_of(content, size, at);
      ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<long>(at)));
      ASSERT_EQ(content.equal_prefix(part, at), size);
    }
  }
}

TEST(Pattern, EqualPrefixEndsAtTheFirstDifference) {
  std::mt19937 random{2};
  for (const Content& content :
       {Content::random(1), Content::random(1, 640), Content::text(3), Content::zeros()}) {
    for (int i = 0; i < 500; ++i) {
      const std::uint64_t offset = random() % 10'000;
      const std::size_t size = 1 + random() % 6000, at = random() % size;
      auto bytes = made_of(content, size, offset);
      bytes[at] ^= static_cast<std::byte>(1U << (random() % 8));
      ASSERT_EQ(content.equal_prefix(bytes, offset), at);
    }
  }
}

TEST(Pattern, TellsWhereItsBytesBelong) {
  const Content content = Content::random(0xfeed);
  std::mt19937_64 random{3};
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t at = random() % (std::uint64_t{1} << 45U);
    ASSERT_EQ(content.locate(made_of(content, 23, at), 0), at);
  }
  EXPECT_EQ(content.locate(made_of(content, 22, 0), 0), std::nullopt);
  EXPECT_EQ(content.locate(std::vector<std::byte>(64), 0), std::nullopt);
  EXPECT_EQ(content.locate(made_of(Content::random(0xbeef), 64, 800), 0), std::nullopt);
  const Content periodic = Content::random(1, 6400);
  EXPECT_EQ(periodic.locate(made_of(periodic, 23, 64'100), 64'000), 64'100);
  EXPECT_EQ(periodic.locate(made_of(periodic, 23, 6'300), 64'000), 63'900);
}

TEST(Pattern, RandomHasNoShortRepetition) {
  const auto bytes = made_of(Content::random(42), 1U << 20U, 0);
  for (const std::size_t lag : {8U, 256U, 2048U, 4096U, 65'536U, 524'288U}) {
    std::size_t equal = 0;
    for (std::size_t i = lag; i < bytes.size(); ++i) equal += bytes[i] == bytes[i - lag] ? 1U : 0U;
    EXPECT_LT(equal * 100, (bytes.size() - lag) * 2) << "lag " << lag;  // 1/256 by chance
  }
}

TEST(Pattern, TextIsText) {
  const auto bytes = made_of(Content::text(0), 128, 0);
  const std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  EXPECT_EQ(text.substr(0, 17), "0000000000000000 ");
  EXPECT_EQ(text.substr(64, 17), "0000000000000001 ");
}

}  // namespace
}  // namespace slowpath::probe
