// SPDX-License-Identifier: Apache-2.0
// Corruptions of every pattern, ten thousand of them, in a stream that arrives in pieces of any
// size: none may pass, and none may be seen where there is none.
#include "probe/checker.h"

#include <algorithm>
#include <functional>
#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace slowpath::probe {
namespace {

using Stream = std::vector<std::byte>;

Stream made_of(const Content& content, std::size_t size, std::uint64_t offset = 0) {
  Stream bytes(size);
  content.fill(bytes, offset);
  return bytes;
}

IntegrityFacts check(const Content& content, const Stream& stream, std::mt19937& random) {
  Checker checker{content};
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t now = std::min<std::size_t>(1 + random() % 20'000, stream.size() - at);
    checker.take(Bytes{stream}.subspan(at, now));
    at += now;
  }
  return checker.facts();
}

TEST(Checker, HealthyStreamsAreInOrder) {
  std::mt19937 random{1};
  for (const Content& content :
       {Content::random(8), Content::random(8, 4096), Content::text(8), Content::zeros()}) {
    const IntegrityFacts facts = check(content, made_of(content, 1'000'003), random);
    EXPECT_EQ(facts.checked_bytes, 1'000'003U);
    EXPECT_EQ(facts.differing_bytes, 0U);
    EXPECT_EQ(facts.places, 0U);
    EXPECT_EQ(facts.displaced_by, 0);
  }
}

/// Changes `stream` from `at` on; true where a byte really changed.
using Corruption = std::function<bool(Stream& stream, std::size_t at, std::mt19937& random)>;

bool copy_over(Stream& stream, std::size_t from, std::size_t to, std::size_t size) {
  const Stream before = stream;
  std::copy_n(before.begin() + static_cast<long>(from), size,
              stream.begin() + static_cast<long>(to));
  return stream != before;
}

template <typename Word>
bool swap_words(Stream& stream, std::size_t at) {
  Word first, second;
  std::memcpy(&first, &stream[at], sizeof first);
  std::memcpy(&second, &stream[at + sizeof first], sizeof second);
  std::memcpy(&stream[at], &second, sizeof second);
  std::memcpy(&stream[at + sizeof first], &first, sizeof first);
  return first != second;
}

bool fill_with(Stream& stream, std::size_t at, std::size_t size, std::byte value) {
  const Stream before = stream;
  std::fill_n(stream.begin() + static_cast<long>(at), size, value);
  return stream != before;
}

std::vector<std::pair<std::string, Corruption>> corruptions() {
  return {
      {"bit",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         s[at] ^= static_cast<std::byte>(1U << (random() % 8));
         return true;
       }},
      {"two bits far apart",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         s[at] ^= std::byte{1};
         s[at + 1 + random() % 2000] ^= std::byte{128};
         return true;
       }},
      {"zeros",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         return fill_with(s, at, 2 + random() % 4000, std::byte{0});
       }},
      {"fill",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         return fill_with(s, at, 1 + random() % 1448, std::byte{0xaa});
       }},
      {"stale segment",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         return copy_over(s, at > 1448 ? at - 1448 : 0, at, 1 + random() % 1448);
       }},
      {"segment from ahead",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         return copy_over(s, at + 2000, at, 1 + random() % 1448);
       }},
      {"bytes left out",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         const auto from = s.begin() + static_cast<long>(at);
         s.erase(from, from + 1 + static_cast<long>(random() % 3000));
         return true;
       }},
      {"bytes put in",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         s.insert(s.begin() + static_cast<long>(at), 1 + random() % 3000, std::byte{0x55});
         return true;
       }},
      {"segment twice",
       [](Stream& s, std::size_t at, std::mt19937& random) {
         const Stream twice{s.begin() + static_cast<long>(at),
                            s.begin() + static_cast<long>(at + 1 + random() % 1448)};
         s.insert(s.begin() + static_cast<long>(at), twice.begin(), twice.end());
         return true;
       }},
      {"bytes swapped",
       [](Stream& s, std::size_t at, std::mt19937&) { return swap_words<std::uint8_t>(s, at); }},
      {"16-bit words swapped",
       [](Stream& s, std::size_t at, std::mt19937&) {
         return swap_words<std::uint16_t>(s, at / 2 * 2);
       }},
      {"32-bit words swapped",
       [](Stream& s, std::size_t at, std::mt19937&) {
         return swap_words<std::uint32_t>(s, at / 4 * 4);
       }},
      {"64-bit words swapped",
       [](Stream& s, std::size_t at, std::mt19937&) {
         return swap_words<std::uint64_t>(s, at / 8 * 8);
       }},
      {"segments swapped",
       [](Stream& s, std::size_t at, std::mt19937&) {
         std::swap_ranges(s.begin() + static_cast<long>(at),
                          s.begin() + static_cast<long>(at + 1448),
                          s.begin() + static_cast<long>(at + 1448));
         return true;
       }},
      {"sum kept",
       [](Stream& s, std::size_t at, std::mt19937&) {
         // One more in one 16-bit word, one less in another: the Internet checksum stays.
         const auto up = static_cast<std::uint8_t>(s[at]),
                    down = static_cast<std::uint8_t>(s[at + 64]);
         if (up == 255 || down == 0) return false;
         s[at] = static_cast<std::byte>(up + 1);
         s[at + 64] = static_cast<std::byte>(down - 1);
         return true;
       }},
      {"text edited",
       [](Stream& s, std::size_t at, std::mt19937&) {
         constexpr std::string_view kHost = "Host: proxy.example";
         const Stream before = s;
         std::memcpy(&s[at], kHost.data(), kHost.size());
         return s != before;
       }},
  };
}

TEST(Checker, FindsTenThousandCorruptionsOfAllPatterns) {
  constexpr std::size_t kBytes = 40'000;
  std::mt19937 random{20'261'120};
  const auto all = corruptions();
  std::size_t made = 0;
  while (made < 10'000) {
    const auto& [name, corrupt] = all[made % all.size()];
    const Content content = Content::random(random());
    Stream stream = made_of(content, kBytes);
    const std::size_t at = random() % (kBytes - 8000);
    if (!corrupt(stream, at, random)) continue;
    ++made;
    const IntegrityFacts facts = check(content, stream, random);
    ASSERT_GT(facts.differing_bytes, 0U) << name << " at " << at;
    ASSERT_FALSE(facts.differences.empty());
    // The first byte that differs, exactly.
    const Stream right = made_of(content, stream.size());
    const auto first = std::ranges::mismatch(stream, right).in1 - stream.begin();
    const ContentDifference& found = facts.differences.front();
    ASSERT_EQ(found.offset, static_cast<std::uint64_t>(first)) << name << " at " << at;
    ASSERT_EQ(found.expected.size(), found.seen.size());
    ASSERT_GT(found.seen.size(), 0U);
    ASSERT_TRUE(std::equal(found.seen.begin(), found.seen.end(),
                           stream.begin() + static_cast<long>(found.offset)))
        << name;
    ASSERT_TRUE(std::equal(found.expected.begin(), found.expected.end(),
                           right.begin() + static_cast<long>(found.offset)))
        << name;
    ASSERT_EQ(facts.checked_bytes, stream.size());
  }
}

TEST(Checker, CountsExactlyWhatDiffersInPlace) {
  const Content content = Content::random(4);
  Stream stream = made_of(content, 100'000);
  for (const std::size_t at : {0U, 5000U, 5001U, 5063U, 70'000U, 99'999U})
    stream[at] ^= std::byte{0xff};
  std::mt19937 random{4};
  const IntegrityFacts facts = check(content, stream, random);
  EXPECT_EQ(facts.differing_bytes, 6U);
  EXPECT_EQ(facts.places, 4U);  // 5000 to 5063 are one
  EXPECT_EQ(facts.differences[1].length, 64U);
}

TEST(Checker, SaysWhereDisplacedBytesBelong) {
  const Content content = Content::random(5);
  std::mt19937 random{5};
  Stream stream = made_of(content, 50'000);
  std::copy_n(stream.begin() + 10'000, 1448, stream.begin() + 20'000);
  IntegrityFacts facts = check(content, stream, random);
  EXPECT_EQ(facts.places, 1U);
  EXPECT_EQ(facts.differences[0].found_at, 10'000U);
  EXPECT_EQ(facts.differences[0].length, 1448U);
  EXPECT_EQ(facts.displaced_by, 0);

  stream = made_of(content, 50'000);
  stream.erase(stream.begin() + 30'000, stream.begin() + 30'100);
  facts = check(content, stream, random);
  EXPECT_EQ(facts.displaced_by, 100);
  EXPECT_EQ(facts.differences[0].offset, 30'000U);
  EXPECT_EQ(facts.differences[0].found_at, 30'100U);
}

TEST(Checker, MemoryIsBoundedWhateverArrives) {
  const Content content = Content::random(6);
  std::mt19937 random{6};
  Stream garbage(2'000'000);
  for (std::byte& each : garbage) each = static_cast<std::byte>(random());
  const IntegrityFacts facts = check(content, garbage, random);
  EXPECT_GT(facts.differing_bytes, garbage.size() / 10 * 9);
  EXPECT_LE(facts.differences.size(), IntegrityFacts::kKept);
  for (const ContentDifference& each : facts.differences)
    EXPECT_LE(each.seen.size(), ContentDifference::kExcerptBytes);
}

}  // namespace
}  // namespace slowpath::probe
