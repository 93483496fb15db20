// SPDX-License-Identifier: Apache-2.0
// Every pattern by its name, those that look alike apart, and chance as chance.
#include "detect/arithmetic/corruption_pattern.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "detect/arithmetic/content_index.h"
#include "support/allocation_counter.h"

namespace slowpath::arithmetic {
namespace {

using Buffer = std::vector<std::byte>;
constexpr std::size_t kSegment = 1448;

Buffer random_bytes(std::size_t len, unsigned seed = 1) {
  std::mt19937 random(seed);
  Buffer bytes(len);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Buffer text(std::string_view words) {
  Buffer bytes(words.size());
  std::ranges::transform(words, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

/// Two copies of a stretch of a stream whose segments begin every kSegment bytes.
struct Pair {
  explicit Pair(std::size_t len, std::uint64_t at = 0, unsigned seed = 1)
      : expected(random_bytes(len, seed)), seen(expected), offset(at) {
    for (std::uint64_t begin = at / kSegment * kSegment; begin <= at + len; begin += kSegment) {
      segments.push_back(begin);
    }
  }
  [[nodiscard]] CorruptionInput input() const {
    CorruptionInput input{.expected = expected, .seen = seen, .offset = offset};
    input.segments = segments;
    return input;
  }
  [[nodiscard]] CorruptionPattern pattern(
      ChecksumWitness witness = ChecksumWitness::unknown) const {
    return corruption_pattern(input(), witness);
  }
  void flip(std::size_t at, unsigned bit) { seen[at] ^= static_cast<std::byte>(1U << bit); }

  Buffer expected, seen;
  std::uint64_t offset;
  std::vector<std::uint64_t> segments;
};

TEST(CorruptionPattern, EqualBytesShowNothing) {
  const CorruptionPattern pattern = Pair(10'000).pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::none);
  EXPECT_EQ(pattern.compared, 10'000U);
  EXPECT_EQ(pattern.places, 0U);
  EXPECT_FALSE(pattern.checksum_verifies());
  EXPECT_TRUE(pattern.sentence.empty());
  EXPECT_TRUE(pattern.points_at.empty());
  EXPECT_EQ(corruption_pattern(CorruptionInput{}).kind, CorruptionKind::none);
}

TEST(CorruptionPattern, OneBit) {
  Pair pair(4 * kSegment, 2 * kSegment);
  pair.flip(kSegment + 812, 3);
  const CorruptionPattern pattern = pair.pattern(ChecksumWitness::failed);
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.flipped_bits, 1U);
  EXPECT_EQ(pattern.first, 3 * kSegment + 812);
  EXPECT_EQ(pattern.in_segment, 812U);
  EXPECT_EQ(pattern.lane.width_bytes, 0U);
  EXPECT_FALSE(pattern.checksum_verifies());
  EXPECT_EQ(pattern.sentence, "1 bit turned over; at byte 812 of its segment");
  EXPECT_NE(pattern.points_at.find("cable"), std::string_view::npos);
}

TEST(CorruptionPattern, WhereTheChecksumPassedNoCableIsBlamed) {
  Pair pair(kSegment);
  pair.flip(700, 1);
  EXPECT_EQ(pair.pattern(ChecksumWitness::passed).points_at.find("cable"), std::string_view::npos);
  EXPECT_NE(pair.pattern(ChecksumWitness::passed).points_at.find("before the checksum"),
            std::string_view::npos);
}

TEST(CorruptionPattern, NeighbouringBitsOverTwoBytes) {
  Pair pair(kSegment);
  pair.seen[99] ^= std::byte{0x03};
  pair.seen[100] ^= std::byte{0xe0};
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.flipped_bits, 5U);
  EXPECT_EQ(pattern.lane.width_bytes, 0U);
}

class Lanes : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(Lanes, AreNamedByTheirWidth) {
  const std::uint32_t width = GetParam();
  Pair pair(20 * kSegment);
  std::mt19937 random(7);
  for (int i = 0; i < 24; ++i) {
    const std::size_t word = random() % (pair.seen.size() / width);
    pair.seen[word * width + width / 2] ^= std::byte{0x20};
  }
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.lane.width_bytes, width);
  EXPECT_EQ(pattern.lane.byte, width / 2);
  EXPECT_EQ(pattern.lane.bit, 5U);
  EXPECT_NE(pattern.points_at.find("one line or cell"), std::string_view::npos);
}
INSTANTIATE_TEST_SUITE_P(Widths, Lanes, ::testing::Values(1U, 2U, 4U, 8U, 64U));

TEST(CorruptionPattern, FlipsAnywhereKeepToNoLane) {
  Pair pair(100 * kSegment);
  std::mt19937 random(3);
  for (int i = 0; i < 40; ++i) pair.flip(random() % pair.seen.size(), random() % 8);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.lane.width_bytes, 0U);
  EXPECT_EQ(pattern.flipped_bits, 40U);
}

TEST(CorruptionPattern, ALaneOfTheSegmentIsNotOneOfTheStream) {
  Pair pair(40 * kSegment);
  for (std::size_t i = 0; i < 30; ++i) pair.flip(i * kSegment + 64 * (i % 20) + 13, 6);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.lane.width_bytes, 64U);
  EXPECT_TRUE(pattern.lane.in_segment);
  EXPECT_EQ(pattern.lane.byte, 13U);
  EXPECT_FALSE(pattern.same_place_in_segment);
}

TEST(CorruptionPattern, AlwaysTheSamePlaceOfItsSegment) {
  Pair pair(10 * kSegment);
  for (std::size_t i = 0; i < 10; ++i) pair.flip(i * kSegment + 100, static_cast<unsigned>(i % 8));
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_TRUE(pattern.same_place_in_segment);
  EXPECT_EQ(pattern.lane.width_bytes, 64U);
  EXPECT_FALSE(pattern.lane.bit);
  EXPECT_NE(pattern.sentence.find("always at byte 100 of its segment"), std::string::npos);
}

TEST(CorruptionPattern, AStuckBitTurnsOneWay) {
  Pair pair(8 * kSegment);
  for (std::size_t i = 5; i < pair.seen.size(); i += 8) pair.seen[i] |= std::byte{0x10};
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.lane.width_bytes, 8U);
  EXPECT_EQ(pattern.lane.byte, 5U);
  EXPECT_EQ(pattern.lane.bit, 4U);
  EXPECT_EQ(pattern.turned_on, pattern.flipped_bits);
  EXPECT_NE(pattern.sentence.find("always from 0 to 1"), std::string::npos);
}

TEST(CorruptionPattern, AStuckBitOfEachWordIsOneLaneThoughItsBytesLieClose) {
  Pair pair(4 * kSegment);
  for (std::size_t i = 1; i < pair.seen.size(); i += 2) pair.seen[i] &= std::byte{0xfe};
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::bit_flips);
  EXPECT_EQ(pattern.lane.width_bytes, 2U);
  EXPECT_EQ(pattern.turned_on, 0U);
}

struct ZeroCase {
  std::size_t begin, end;
  Alignment alignment;
};
class Zeros : public ::testing::TestWithParam<ZeroCase> {};

TEST_P(Zeros, KeepToWhatTheyKeepTo) {
  const auto [begin, end, alignment] = GetParam();
  Pair pair(40 * kSegment);
  std::fill(pair.seen.begin() + static_cast<std::ptrdiff_t>(begin),
            pair.seen.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::zeros);
  EXPECT_EQ(pattern.alignment, alignment) << pattern.sentence;
  EXPECT_EQ(pattern.places, 1U);
}
INSTANTIATE_TEST_SUITE_P(
    Ends, Zeros,
    ::testing::Values(ZeroCase{2 * kSegment, 3 * kSegment, Alignment::segment},
                      ZeroCase{2 * kSegment, 5 * kSegment, Alignment::segment},
                      ZeroCase{2 * kSegment + 333, 3 * kSegment, Alignment::segment_end},
                      ZeroCase{4096, 8192, Alignment::page},
                      ZeroCase{1000, 1000 + 8192, Alignment::page},  // the buffer began elsewhere
                      ZeroCase{640, 640 + 128, Alignment::cache_line},
                      ZeroCase{3 * kSegment + 64, 3 * kSegment + 192, Alignment::cache_line},
                      ZeroCase{101, 333, Alignment::none}, ZeroCase{9001, 9003, Alignment::none}));

// An end is where it was made, not where the first byte happens to differ.
TEST(CorruptionPattern, ZerosThatWereZerosBeforeDoNotMoveAnEnd) {
  Pair pair(8 * kSegment);
  std::fill(pair.expected.begin() + 4096, pair.expected.begin() + 4101, std::byte{0});
  pair.seen = pair.expected;
  std::fill(pair.seen.begin() + 4096, pair.seen.begin() + 8192, std::byte{0});
  EXPECT_EQ(pair.pattern().alignment, Alignment::page);
}

TEST(CorruptionPattern, FillsAreNotZeros) {
  for (const unsigned value : {0xffU, 0x6bU}) {
    Pair pair(8 * kSegment);
    std::fill(pair.seen.begin() + 500, pair.seen.begin() + 900, static_cast<std::byte>(value));
    const CorruptionPattern pattern = pair.pattern();
    EXPECT_EQ(pattern.kind, CorruptionKind::fill);
    EXPECT_EQ(pattern.fill, value);
  }
  Pair words(kSegment);
  constexpr std::array<unsigned, 4> kDead{0xde, 0xad, 0xbe, 0xef};
  for (std::size_t i = 100; i < 164; ++i) words.seen[i] = static_cast<std::byte>(kDead[i % 4]);
  EXPECT_EQ(words.pattern().kind, CorruptionKind::fill);
}

void copy_within(Pair& pair, std::size_t from, std::size_t to, std::size_t len) {
  std::copy_n(pair.expected.begin() + static_cast<std::ptrdiff_t>(from), len,
              pair.seen.begin() + static_cast<std::ptrdiff_t>(to));
}

TEST(CorruptionPattern, AnOldSegmentSentAgainIsStale) {
  Pair pair(10 * kSegment, 50 * kSegment);
  copy_within(pair, 3 * kSegment, 4 * kSegment, kSegment);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::stale);
  EXPECT_EQ(pattern.distance, static_cast<std::int64_t>(kSegment));
  EXPECT_EQ(pattern.alignment, Alignment::segment);
  EXPECT_EQ(pattern.in_segment, 0U);
  EXPECT_EQ(pattern.in_superframe, std::nullopt);
  EXPECT_NE(pattern.points_at.find("segmentation engine"), std::string_view::npos);
}

TEST(CorruptionPattern, AStaleLineIsNoShift) {
  Pair pair(10 * kSegment);
  copy_within(pair, 1024, 1088, 64);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::stale);
  EXPECT_EQ(pattern.distance, 64);
  EXPECT_EQ(pattern.alignment, Alignment::cache_line);
}

TEST(CorruptionPattern, APageFromLongAgoAndBytesFromAhead) {
  Pair page(30 * kSegment);
  copy_within(page, 4096, 20'480, 4096);
  EXPECT_EQ(page.pattern().kind, CorruptionKind::stale);
  EXPECT_EQ(page.pattern().alignment, Alignment::page);
  Pair ahead(30 * kSegment);
  copy_within(ahead, 20 * kSegment, 2 * kSegment + 7, 900);
  const CorruptionPattern pattern = ahead.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::stale);
  EXPECT_LT(pattern.distance, 0);
  EXPECT_NE(pattern.points_at.find("filled anew"), std::string_view::npos);
}

TEST(CorruptionPattern, StaleBytesAreFoundInContentBeforeTheStretch) {
  const Buffer earlier = random_bytes(6 * kSegment, 9);
  Pair pair(kSegment, 6 * kSegment);
  std::copy_n(earlier.begin() + 2 * kSegment, kSegment, pair.seen.begin());
  CorruptionInput input = pair.input();
  EXPECT_EQ(corruption_pattern(input).kind, CorruptionKind::unknown);
  input.known = earlier;
  EXPECT_EQ(corruption_pattern(input).kind, CorruptionKind::stale);
  EXPECT_EQ(corruption_pattern(input).distance, 4 * static_cast<std::int64_t>(kSegment));
  input.known = {};
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i + kHashedBlock <= earlier.size(); i += kHashedBlock) {
    hashes.push_back(block_hash(Bytes{earlier}.subspan(i, kHashedBlock)));
  }
  input.known_hashes = hashes;
  EXPECT_EQ(corruption_pattern(input).kind, CorruptionKind::stale);
  EXPECT_EQ(corruption_pattern(input).distance, 4 * static_cast<std::int64_t>(kSegment));
}

TEST(CorruptionPattern, WhereStaleBytesBelongMayBeKnownBeforehand) {
  Pair pair(kSegment, 10 * kSegment);
  pair.seen = random_bytes(kSegment, 4);
  CorruptionInput input = pair.input();
  input.found_at = 9 * kSegment;
  EXPECT_EQ(corruption_pattern(input).kind, CorruptionKind::stale);
  EXPECT_EQ(corruption_pattern(input).distance, static_cast<std::int64_t>(kSegment));
  EXPECT_EQ(corruption_pattern(input).alignment, Alignment::segment);
}

TEST(CorruptionPattern, BytesPutInOrLeftOutAreAShift) {
  for (const int moved : {1, 2, 3, 16, 63, -1, -2, -40}) {
    Pair pair(3 * kSegment);
    const auto from = static_cast<std::ptrdiff_t>(700);
    if (moved > 0) {
      std::copy(pair.expected.begin() + from, pair.expected.end() - moved,
                pair.seen.begin() + from + moved);
      const Buffer inserted = random_bytes(static_cast<std::size_t>(moved), 77);
      std::ranges::copy(inserted, pair.seen.begin() + from);
    } else {
      std::copy(pair.expected.begin() + from - moved, pair.expected.end(),
                pair.seen.begin() + from);
    }
    const CorruptionPattern pattern = pair.pattern();
    EXPECT_EQ(pattern.kind, CorruptionKind::shifted) << moved;
    EXPECT_EQ(pattern.shift, moved);
  }
}

TEST(CorruptionPattern, SwappedWordsKeepTheChecksum) {
  Pair pair(2 * kSegment);
  for (std::size_t i = 400; i < 464; i += 4) {
    std::swap_ranges(pair.seen.begin() + static_cast<std::ptrdiff_t>(i),
                     pair.seen.begin() + static_cast<std::ptrdiff_t>(i + 2),
                     pair.seen.begin() + static_cast<std::ptrdiff_t>(i + 2));
  }
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::swapped);
  EXPECT_EQ(pattern.swap, Swap::words_of_32);
  EXPECT_TRUE(pattern.checksum_verifies());
  EXPECT_NE(pattern.sentence.find("the Internet checksum cannot see it"), std::string::npos);
}

TEST(CorruptionPattern, OnePairOfWordsIsEnough) {
  Pair pair(kSegment);
  std::swap(pair.seen[802], pair.seen[804]);
  std::swap(pair.seen[803], pair.seen[805]);
  EXPECT_EQ(pair.pattern().swap, Swap::words_of_32);
  EXPECT_TRUE(pair.pattern().checksum_verifies());
}

TEST(CorruptionPattern, OtherOrdersAreToldApart) {
  const auto reversed = [](std::size_t group) {
    Pair pair(kSegment);
    for (std::size_t i = 320; i < 320 + 4 * group; i += group) {
      const auto at = pair.seen.begin() + static_cast<std::ptrdiff_t>(i);
      std::reverse(at, at + static_cast<std::ptrdiff_t>(group));
    }
    return pair.pattern();
  };
  EXPECT_EQ(reversed(2).swap, Swap::bytes_of_16);
  EXPECT_FALSE(reversed(2).checksum_verifies());
  EXPECT_EQ(reversed(4).swap, Swap::bytes_of_32);
  EXPECT_EQ(reversed(8).swap, Swap::bytes_of_64);
  Pair halves(kSegment);
  std::swap_ranges(halves.seen.begin() + 80, halves.seen.begin() + 84, halves.seen.begin() + 84);
  EXPECT_EQ(halves.pattern().swap, Swap::dwords_of_64);
  EXPECT_TRUE(halves.pattern().checksum_verifies());
}

// Two words far apart: no order is seen, but the sum says that it is no accident.
TEST(CorruptionPattern, OtherChangesThatKeepTheSum) {
  Pair pair(kSegment);
  std::swap(pair.seen[100], pair.seen[700]);
  std::swap(pair.seen[101], pair.seen[701]);
  std::swap(pair.seen[102], pair.seen[702]);
  std::swap(pair.seen[103], pair.seen[703]);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::sum_kept) << pattern.sentence;
  EXPECT_EQ(pattern.sums_kept, 1U);
}

TEST(CorruptionPattern, ASumKeptInTheWholeButNotInItsSegmentsIsNoneThatPasses) {
  Pair pair(2 * kSegment);
  std::swap(pair.seen[100], pair.seen[kSegment + 100]);
  std::swap(pair.seen[101], pair.seen[kSegment + 101]);
  std::swap(pair.seen[102], pair.seen[kSegment + 102]);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.changed_segments, 2U);
  EXPECT_EQ(pattern.sums_kept, 0U);
  EXPECT_EQ(pattern.kind, CorruptionKind::unknown);
}

TEST(CorruptionPattern, AllOnesInPlaceOfZerosPassTheChecksum) {
  Pair pair(kSegment);
  std::fill_n(pair.expected.begin() + 100, 8, std::byte{0});
  pair.seen = pair.expected;
  std::fill_n(pair.seen.begin() + 100, 8, std::byte{0xff});
  EXPECT_EQ(pair.pattern().kind, CorruptionKind::fill);
  EXPECT_TRUE(pair.pattern().checksum_verifies());
}

TEST(CorruptionPattern, EditedTextIsNamedAndDamagedTextIsNot) {
  const Buffer before = text("220 ready\r\nPORT 192,168,001,007,195,149\r\nRETR report.txt\r\n");
  Buffer after = text("220 ready\r\nPORT 203,056,113,009,195,149\r\nRETR report.txt\r\n");
  const CorruptionPattern edited = corruption_pattern({.expected = before, .seen = after});
  EXPECT_EQ(edited.kind, CorruptionKind::text_edited) << edited.sentence;
  EXPECT_NE(edited.points_at.find("ALG"), std::string_view::npos);
  after = before;
  for (std::size_t i = 16; i < 28; ++i) after[i] = static_cast<std::byte>(0x80 + i * 37);
  EXPECT_EQ(corruption_pattern({.expected = before, .seen = after}).kind, CorruptionKind::unknown);
  after = before;
  after[20] ^= std::byte{0x01};
  EXPECT_EQ(corruption_pattern({.expected = before, .seen = after}).kind,
            CorruptionKind::bit_flips);
}

TEST(CorruptionPattern, ChangesByChanceAreUnknown) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Pair pair(20 * kSegment, seed * 1000, seed);
    std::mt19937 random(seed + 1);
    for (int i = 0; i < 20; ++i) {
      const std::size_t at = random() % (pair.seen.size() - 300);
      const std::size_t len = 3 + random() % 250;
      for (std::size_t k = at; k < at + len; ++k) pair.seen[k] = static_cast<std::byte>(random());
    }
    const CorruptionPattern pattern = pair.pattern();
    ASSERT_EQ(pattern.kind, CorruptionKind::unknown) << seed << ' ' << pattern.sentence;
    ASSERT_EQ(pattern.lane.width_bytes, 0U);
    ASSERT_EQ(pattern.alignment, Alignment::none);
    ASSERT_FALSE(pattern.checksum_verifies());
  }
}

TEST(CorruptionPattern, OneStretchByChanceIsUnknown) {
  unsigned named = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Pair pair(kSegment, 0, seed);
    const Buffer other = random_bytes(40, seed + 5000);
    std::ranges::copy(other, pair.seen.begin() + 500);
    named += pair.pattern().kind != CorruptionKind::unknown;
  }
  EXPECT_EQ(named, 0U);
}

TEST(CorruptionPattern, SingleBytesByChanceAreNoFlips) {
  Pair pair(60 * kSegment);
  std::mt19937 random(11);
  for (std::size_t i = 0; i < 50; ++i) {
    pair.seen[i * kSegment + random() % kSegment] ^= static_cast<std::byte>(1 + random() % 255);
  }
  EXPECT_EQ(pair.pattern().kind, CorruptionKind::unknown);
}

TEST(CorruptionPattern, SeveralPatternsTogetherAreNotOne) {
  Pair pair(20 * kSegment);
  std::fill(pair.seen.begin() + 100, pair.seen.begin() + 300, std::byte{0});
  pair.flip(5000, 2);
  copy_within(pair, 2 * kSegment, 9 * kSegment, kSegment);
  const CorruptionPattern pattern = pair.pattern();
  EXPECT_EQ(pattern.kind, CorruptionKind::unknown);
  EXPECT_EQ(pattern.places_by_kind[static_cast<std::size_t>(CorruptionKind::zeros)], 1U);
  EXPECT_EQ(pattern.places_by_kind[static_cast<std::size_t>(CorruptionKind::bit_flips)], 1U);
  EXPECT_EQ(pattern.places_by_kind[static_cast<std::size_t>(CorruptionKind::stale)], 1U);
}

TEST(CorruptionPattern, PlaceInALargeSend) {
  Pair pair(10 * kSegment, 20 * kSegment);
  const std::vector<std::uint64_t> large{20 * kSegment, 25 * kSegment, 30 * kSegment};
  pair.flip(7 * kSegment + 33, 0);
  CorruptionInput input = pair.input();
  input.superframes = large;
  const CorruptionPattern pattern = corruption_pattern(input);
  EXPECT_EQ(pattern.in_segment, 33U);
  EXPECT_EQ(pattern.in_superframe, 2 * kSegment + 33);
}

TEST(CorruptionPattern, ExcerptsSpeakForTheWholeStretch) {
  Pair pair(200, 100 * kSegment);
  pair.seen.assign(200, std::byte{0});
  CorruptionInput input = pair.input();
  const std::vector<std::uint64_t> segments{100 * kSegment, 101 * kSegment};
  input.segments = segments;
  input.differs_until = 101 * kSegment;
  input.sum_is_same = true;
  const CorruptionPattern pattern = corruption_pattern(input);
  EXPECT_EQ(pattern.alignment, Alignment::segment);
  EXPECT_EQ(pattern.longest, kSegment);
  EXPECT_TRUE(pattern.checksum_verifies());
}

TEST(CorruptionPattern, SeveralInputsAreOnePattern) {
  std::vector<Pair> pairs;
  std::vector<CorruptionInput> inputs;
  for (unsigned i = 0; i < 5; ++i) {
    pairs.emplace_back(kSegment, i * 3 * kSegment, i);
    pairs.back().flip(512 + 8 * i, 4);
  }
  for (const Pair& pair : pairs) inputs.push_back(pair.input());
  const CorruptionPattern pattern = corruption_pattern(inputs);
  EXPECT_EQ(pattern.places, 5U);
  EXPECT_EQ(pattern.lane.bit, 4U);
  EXPECT_GE(pattern.lane.width_bytes, 8U);
}

TEST(CorruptionPattern, WhereOneCopyIsLongerTheRestIsNotCompared) {
  const Buffer bytes = random_bytes(300);
  const CorruptionPattern pattern =
      corruption_pattern({.expected = bytes, .seen = Bytes{bytes}.first(100)});
  EXPECT_EQ(pattern.kind, CorruptionKind::none);
  EXPECT_EQ(pattern.compared, 100U);
}

// Every pair of short copies is read without a step outside them.
TEST(CorruptionPattern, ShortAndOddCopiesAreRead) {
  std::mt19937 random(5);
  for (std::size_t len = 1; len < 140; ++len) {
    for (int round = 0; round < 20; ++round) {
      Buffer expected = random_bytes(len, static_cast<unsigned>(random()));
      Buffer seen = expected;
      for (std::byte& byte : seen) {
        if (random() % 3 == 0) byte = static_cast<std::byte>(random() % 4);
      }
      const CorruptionPattern pattern = corruption_pattern({.expected = expected, .seen = seen});
      EXPECT_EQ(pattern.kind == CorruptionKind::none, expected == seen);
      EXPECT_LE(pattern.differing, len);
    }
  }
}

// What differs may be all of it: twice the bytes cost about twice the time, and no more
// allocations.
TEST(CorruptionPattern, IsLinearAndAllocatesAFixedNumberOfTimes) {
  const auto measure = [](std::size_t len) {
    Pair pair(len);
    std::mt19937 random(2);
    for (std::size_t i = 0; i + 200 < len; i += 200) {
      for (std::size_t k = 0; k < 60; ++k) pair.seen[i + k] = static_cast<std::byte>(random());
    }
    const std::size_t before = test::allocations;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(pair.pattern().kind, CorruptionKind::unknown);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return std::pair{took.count(), test::allocations - before};
  };
  measure(1U << 20);
  const auto small = measure(1U << 20), large = measure(1U << 23);
  EXPECT_LT(large.first, 8 * 8 * small.first);
  EXPECT_LE(large.second, small.second + 4);
}

TEST(ContentIndex, FindsBlocksAtAnyPlaceAndPassesOverTheirOwn) {
  const Buffer content = random_bytes(4096);
  ContentIndex index(16, 256);
  index.add(content, 1000);
  const auto found = index.find(Bytes{content}.subspan(100, 40), 90'000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->offset - found->at, 1100U);
  EXPECT_FALSE(index.find(Bytes{content}.subspan(100, 40), 1100));
  EXPECT_FALSE(index.find(random_bytes(500, 8), 0));
  EXPECT_FALSE(index.find(Bytes{content}.first(10), 90'000));
  const Buffer zeros(64);
  index.add(zeros, 50'000);
  EXPECT_FALSE(index.find(zeros, 0));
}

TEST(ContentIndex, HoldsNoMoreThanItHasRoomFor) {
  const Buffer content = random_bytes(4096);
  ContentIndex index(16, 8);
  index.add(content, 0);
  EXPECT_FALSE(index.find(random_bytes(4096, 3), 90'000));
}

}  // namespace
}  // namespace slowpath::arithmetic
