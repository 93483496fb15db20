// SPDX-License-Identifier: Apache-2.0
// What happens to a file that was cut, overwritten or had bytes taken out: nothing sound is lost
// that need not be, what is lost is named, and nothing is made up.
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::unique_ptr<Source> open_bytes(const Buffer& bytes) {
  auto source = open_memory(as_bytes(bytes), "test", 0);
  return source ? std::move(*source) : nullptr;
}

struct Format {
  const char* name;
  std::function<Buffer(unsigned frames)> make;
};

const Format kFormats[] = {
    {"pcap", [](unsigned n) { return PcapFile().frames(n).bytes(); }},
    {"pcap_big_endian",
     [](unsigned n) { return PcapFile({.big_endian = true}).frames(n).bytes(); }},
    {"pcapng", [](unsigned n) { return PcapngFile().section().interface().packets(n).bytes(); }},
    {"pcapng_big_endian",
     [](unsigned n) { return PcapngFile(true).section().interface().packets(n).bytes(); }},
    {"snoop", [](unsigned n) { return SnoopFile().frames(n).bytes(); }},
};

class EveryFormat : public ::testing::TestWithParam<Format> {
 protected:
  // Where each frame of the undamaged file begins and ends.
  static std::vector<Seen> sound(const Buffer& bytes) { return read_all(*open_bytes(bytes)); }
};

TEST_P(EveryFormat, CutAtEveryByteKeepsWhatCameBefore) {
  const Buffer whole = GetParam().make(6);
  const auto frames = sound(whole);
  ASSERT_EQ(frames.size(), 6u);
  for (std::size_t len = 0; len < whole.size(); ++len) {
    const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(len));
    const auto source = open_bytes(cut);
    if (!source) continue;
    const auto seen = read_all(*source);
    std::size_t expected = 0;
    // A pcapng block or a padded snoop record is whole only with what follows its data.
    for (const Seen& frame : frames) {
      if (frame.frame.byte_offset + frame.bytes.size() + 8 <= len) ++expected;
    }
    ASSERT_GE(seen.size(), expected) << "cut at " << len;
    ASSERT_LE(seen.size(), expected + 1) << "cut at " << len;
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i].bytes, frames[i].bytes);
    ASSERT_EQ(source->info().bytes_read, len);
    ASSERT_EQ(source->info().cut_short, source->info().damage_count != 0) << "cut at " << len;
  }
}

TEST_P(EveryFormat, GarbageInTheMiddleCostsOnlyWhatItCovers) {
  const Buffer whole = GetParam().make(60);
  const auto frames = sound(whole);
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Buffer bytes = whole;
    const std::size_t begin = frames[10].frame.byte_offset + random() % 3000;
    const std::size_t end = begin + 100 + random() % 3000;
    for (std::size_t i = begin; i < end; ++i) bytes[i] = static_cast<std::byte>(random());
    const auto source = open_bytes(bytes);
    const auto seen = read_all(*source);
    // Frames that the garbage did not touch, headers included, and that are not the one after it.
    std::size_t found = 0, untouched = 0;
    for (const Seen& frame : frames) {
      const std::size_t from = frame.frame.byte_offset, to = from + frame.bytes.size();
      if (to <= begin || from >= end + 32) {
        ++untouched;
        for (const Seen& other : seen) {
          if (other.frame.byte_offset == from && other.bytes == frame.bytes) {
            ++found;
            break;
          }
        }
      }
    }
    ASSERT_EQ(found, untouched) << "round " << round;
    ASSERT_LE(seen.size(), frames.size());
    if (seen.size() + 1 < frames.size()) {
      ASSERT_GE(source->info().damage_count, 1u);
      ASSERT_LE(source->info().damaged_bytes, end - begin + 3000);
      ASSERT_FALSE(source->info().damage[0].what.empty());
    }
  }
}

TEST_P(EveryFormat, BytesTakenOutAreSurvived) {
  const Buffer whole = GetParam().make(60);
  const auto frames = sound(whole);
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    Buffer bytes = whole;
    const auto begin = static_cast<std::ptrdiff_t>(frames[10].frame.byte_offset + random() % 3000);
    const auto len = static_cast<std::ptrdiff_t>(1 + random() % 2000);
    bytes.erase(bytes.begin() + begin, bytes.begin() + begin + len);
    const auto source = open_bytes(bytes);
    const auto seen = read_all(*source);
    ASSERT_GE(seen.size(), 50u) << "round " << round;
    ASSERT_EQ(seen.back().bytes, frames.back().bytes)
        << "round " << round << ": " << len << " bytes out at " << begin << ", damage "
        << (source->info().damage.empty() ? "" : source->info().damage.back().what);
  }
}

TEST_P(EveryFormat, AnyByteMayHaveAnyValue) {
  const Buffer whole = GetParam().make(8);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned value : {0x00u, 0x01u, 0x7fu, 0xffu}) {
      Buffer bytes = whole;
      bytes[i] = static_cast<std::byte>(value);
      const auto source = open_bytes(bytes);
      if (!source) continue;
      ASSERT_LE(read_all(*source).size(), 9u);
      ASSERT_LE(source->info().damaged_bytes, whole.size());
    }
  }
}

TEST_P(EveryFormat, ZerosAtTheEndAreDamageNotFrames) {
  Buffer bytes = GetParam().make(20);
  bytes.resize(bytes.size() + 100'000);
  const auto source = open_bytes(bytes);
  EXPECT_EQ(read_all(*source).size(), 20u);
  EXPECT_EQ(source->info().damage_count, 1u);
  EXPECT_EQ(source->info().damaged_bytes, 100'000u);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFormat, ::testing::ValuesIn(kFormats),
                         [](const auto& format) { return std::string(format.param.name); });

TEST(Damage, IsNamedWithPlaceAndBytes) {
  PcapFile file;
  file.frames(5);
  const std::size_t at = file.size();
  file.header(kStart, 0, 3'100'000'000u, 3'100'000'000u);
  const std::size_t next = file.size();
  file.frames(5);
  const auto source = open_bytes(file.bytes());
  EXPECT_EQ(read_all(*source).size(), 10u);
  ASSERT_EQ(source->info().damage.size(), 1u);
  EXPECT_EQ(source->info().damage[0].offset, at);
  EXPECT_EQ(source->info().damage[0].bytes_lost, next - at);
  EXPECT_THAT(source->info().damage[0].what, HasSubstr("claims 3100000000 bytes"));
}

TEST(Damage, LengthBeyondTheEndIsTheDamageWhenRecordsFollow) {
  PcapFile file;
  file.frames(5).header(kStart, 6000, 200'000, 200'000);
  file.raw(as_bytes(payload(100)));
  file.frames(5);
  const auto source = open_bytes(file.bytes());
  EXPECT_EQ(read_all(*source).size(), 10u);
  EXPECT_FALSE(source->info().cut_short);
  EXPECT_EQ(source->info().damaged_bytes, 116u);
}

TEST(Damage, RecordLongerThanTheRestIsCutShort) {
  PcapFile file;
  file.frames(5).header(kStart, 6000, 1500, 1500).raw(as_bytes(payload(700)));
  const auto source = open_bytes(file.bytes());
  EXPECT_EQ(read_all(*source).size(), 5u);
  EXPECT_TRUE(source->info().cut_short);
  EXPECT_EQ(source->info().damaged_bytes, 716u);
  EXPECT_THAT(source->info().damage[0].what, HasSubstr("716 of the last record's 1516 bytes"));
}

TEST(Damage, OnlySixteenAreKeptAndAllAreCounted) {
  PcapFile file;
  for (int i = 0; i < 40; ++i) {
    file.frames(4).header(kStart, 0, 0xffff'ff00, 0xffff'ff00);
  }
  file.frames(4);
  const auto source = open_bytes(file.bytes());
  EXPECT_EQ(read_all(*source).size(), 41u * 4);
  EXPECT_EQ(source->info().damage_count, 40u);
  EXPECT_EQ(source->info().damage.size(), 16u);
}

}  // namespace
}  // namespace slowpath::capture
