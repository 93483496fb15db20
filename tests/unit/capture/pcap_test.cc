// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::unique_ptr<Source> open_ok(const Writer& file) {
  auto source = open_memory(as_bytes(file.bytes()), "test", 3);
  EXPECT_TRUE(source.has_value()) << (source ? "" : source.error().message());
  return source ? std::move(*source) : nullptr;
}

std::string open_error(const Writer& file) {
  auto source = open_memory(as_bytes(file.bytes()), "test.pcap", 0);
  EXPECT_FALSE(source.has_value());
  if (source) return "";
  EXPECT_EQ(source.error().kind, ErrorKind::input);
  return source.error().message();
}

struct Flavour {
  bool big_endian;
  std::uint32_t magic;
  std::int64_t ns;  // of a fraction
  const char* format;
};

class PcapFlavours : public ::testing::TestWithParam<Flavour> {};

TEST_P(PcapFlavours, EveryFieldOfEveryFrame) {
  const Flavour& flavour = GetParam();
  PcapFile file({.big_endian = flavour.big_endian, .magic = flavour.magic});
  file.frame(kStart, 7, 60).frame(kStart + 1, 999'999, 100, 1514, 5);
  const auto source = open_ok(file);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(to_ns(seen[0].frame.time), kStart * 1'000'000'000LL + 7 * flavour.ns);
  EXPECT_EQ(to_ns(seen[1].frame.time), (kStart + 1) * 1'000'000'000LL + 999'999 * flavour.ns);
  EXPECT_EQ(seen[1].bytes, payload(100, 5));
  EXPECT_EQ(seen[1].frame.original_len, 1514u);
  EXPECT_EQ(seen[1].frame.number, 2u);
  EXPECT_EQ(seen[1].frame.byte_offset, 24u + 16 + 60 + 16);
  EXPECT_EQ(seen[1].frame.input, 3);
  EXPECT_TRUE(seen[1].frame.has_time);
  EXPECT_EQ(source->info().format, flavour.format);
  EXPECT_EQ(source->info().frames, 2u);
  EXPECT_EQ(source->info().bytes_read, file.size());
  EXPECT_EQ(source->info().damage_count, 0u);
  EXPECT_FALSE(source->info().cut_short);
  EXPECT_EQ(source->position(), source->info().file_bytes);
  ASSERT_EQ(source->info().interfaces.size(), 1u);
  EXPECT_EQ(source->info().interfaces[0].snap_len, 65535u);
}

INSTANTIATE_TEST_SUITE_P(All, PcapFlavours,
                         ::testing::Values(Flavour{false, 0xa1b2c3d4, 1000, "pcap"},
                                           Flavour{true, 0xa1b2c3d4, 1000, "pcap"},
                                           Flavour{false, 0xa1b23c4d, 1, "pcap (nanoseconds)"},
                                           Flavour{true, 0xa1b23c4d, 1, "pcap (nanoseconds)"}));

TEST(Pcap, ModifiedFormatOfBothHeaderLengthsAndByteOrders) {
  for (const bool big_endian : {false, true}) {
    for (const unsigned extra : {8u, 12u}) {
      PcapFile file({.big_endian = big_endian, .magic = 0xa1b2cd34});
      for (unsigned i = 0; i < 3; ++i) {
        file.header(kStart, i, 80, 80);
        file.u32(2).u16(0x0800).u8(i == 1 ? 4 : 0).u8(0);  // interface, protocol, packet type
        if (extra == 12) file.u32(0);
        file.raw(as_bytes(payload(80, i)));
      }
      const auto source = open_ok(file);
      const auto seen = read_all(*source);
      ASSERT_EQ(seen.size(), 3u) << extra;
      EXPECT_EQ(seen[2].bytes, payload(80, 2));
      EXPECT_EQ(seen[0].frame.direction, wire::FrameDirection::inbound);
      EXPECT_EQ(seen[1].frame.direction, wire::FrameDirection::outbound);
      EXPECT_EQ(source->info().format, "pcap (modified)");
    }
  }
}

TEST(Pcap, FrameCheckSequenceIsTrimmedAsFarAsItWasCaptured) {
  // The f bit and a length of two 16-bit words.
  PcapFile file({.link = 0x2400'0001});
  file.frame(kStart, 0, 64, 64).frame(kStart, 1, 62, 64).frame(kStart, 2, 60, 1518);
  const auto source = open_ok(file);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(source->info().interfaces[0].fcs_len, 4);
  EXPECT_EQ(seen[0].frame.link_type, wire::LinkType::ethernet);
  EXPECT_EQ(seen[0].bytes.size(), 60u);
  EXPECT_EQ(seen[0].frame.original_len, 60u);
  EXPECT_EQ(seen[1].bytes.size(), 60u);
  EXPECT_EQ(seen[2].bytes.size(), 60u);
  EXPECT_EQ(seen[2].frame.original_len, 1514u);
}

TEST(Pcap, WithoutTheBitNoFrameCheckSequence) {
  PcapFile file({.link = 0x2000'0001});
  file.frame(kStart, 0, 64);
  EXPECT_EQ(read_all(*open_ok(file))[0].bytes.size(), 64u);
}

TEST(Pcap, OldVersionsSwapTheLengths) {
  PcapFile swapped({.minor = 2});
  swapped.header(kStart, 0, 1514, 60).raw(as_bytes(payload(60)));
  swapped.header(kStart, 1, 60, 60).raw(as_bytes(payload(60)));
  EXPECT_EQ(read_all(*open_ok(swapped)).size(), 2u);
  PcapFile either({.minor = 3});
  either.header(kStart, 0, 1514, 60).raw(as_bytes(payload(60)));
  either.header(kStart, 1, 70, 1514).raw(as_bytes(payload(70)));
  const auto seen = read_all(*open_ok(either));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].frame.original_len, 1514u);
  EXPECT_EQ(seen[1].bytes.size(), 70u);
}

TEST(Pcap, UnknownVersionsAreNamed) {
  EXPECT_THAT(open_error(PcapFile({.major = 1})), HasSubstr("version 1.4"));
  EXPECT_THAT(open_error(PcapFile({.minor = 5})), HasSubstr("version 2.5"));
}

TEST(Pcap, HeaderOnlyIsACaptureWithoutFrames) {
  const PcapFile file;
  const auto source = open_ok(file);
  EXPECT_TRUE(read_all(*source).empty());
  EXPECT_EQ(source->info().damage_count, 0u);
  EXPECT_FALSE(source->info().cut_short);
}

TEST(Pcap, OriginalLengthBelowTheCapturedIsRaised) {
  PcapFile file;
  for (unsigned i = 0; i < 5; ++i) file.header(kStart, i, 60, 0).raw(as_bytes(payload(60)));
  const auto seen = read_all(*open_ok(file));
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_EQ(seen[0].frame.original_len, 60u);
}

TEST(Pcap, ClockStepsAreNoDamage) {
  PcapFile file;
  file.frame(kStart, 0, 60).frame(kStart + 1'000'000, 0, 61).frame(kStart + 1'000'000, 1, 62);
  file.frame(kStart - 5'000'000, 0, 63).frame(kStart, 0, 64).frame(0, 0, 65).frame(kStart, 5, 66);
  const auto source = open_ok(file);
  EXPECT_EQ(read_all(*source).size(), 7u);
  EXPECT_EQ(source->info().damage_count, 0u);
}

TEST(Pcap, SuperFramesAreBelievedUpToTheSnapLength) {
  PcapFile file({.snap_len = 1 << 20});
  file.frame(kStart, 0, 600'000).frame(kStart, 1, 60);
  EXPECT_EQ(read_all(*open_ok(file)).size(), 2u);
}

TEST(Pcap, CookedPacketTypeTellsTheDirection) {
  PcapFile file({.link = 113});
  for (const unsigned type : {0u, 4u, 3u}) {
    file.header(kStart, type, 16, 16).u8(0).u8(type).raw(as_bytes(payload(14)));
  }
  const auto seen = read_all(*open_ok(file));
  // Byte order of the cooked header is the network's, whatever the file's.
  EXPECT_EQ(seen[0].frame.direction, wire::FrameDirection::inbound);
  EXPECT_EQ(seen[1].frame.direction, wire::FrameDirection::outbound);
  EXPECT_EQ(seen[2].frame.direction, wire::FrameDirection::inbound);
}

TEST(Pcap, BatchesEqualSingleReads) {
  PcapFile file;
  file.frames(1000);
  const auto singles = read_all(*open_ok(file));
  const auto source = open_ok(file);
  std::vector<wire::Frame> batch(64);
  std::size_t at = 0;
  while (const std::size_t count = source->next_batch(batch)) {
    for (std::size_t i = 0; i < count; ++i, ++at) {
      ASSERT_EQ(batch[i].number, singles[at].frame.number);
      ASSERT_TRUE(std::ranges::equal(batch[i].bytes, singles[at].bytes));
    }
  }
  EXPECT_EQ(at, 1000u);
}

TEST(Pcap, MemoryStaysAndIsFoundAgain) {
  PcapFile file;
  file.frames(10);
  const auto source = open_ok(file);
  EXPECT_TRUE(source->stable_bytes());
  const auto seen = read_all(*source);
  const Bytes again = source->bytes_at(seen[4].frame.byte_offset, seen[4].bytes.size());
  EXPECT_TRUE(std::ranges::equal(again, seen[4].bytes));
  EXPECT_TRUE(source->bytes_at(file.size() - 1, 2).empty());
}

// A batch is read by the quick twin of what next() reads with: the same frames, the same account of
// damage, whatever byte was changed and wherever the file ends.
TEST(Pcap, BatchesSayWhatFramesSayOfDamagedFiles) {
  PcapFile file;
  for (unsigned i = 0; i < 60; ++i) {
    file.frame(kStart + i / 7, i * 1000, 54 + i % 5 * 300, 54 + i % 5 * 300 + i % 2, i);
  }
  const std::vector<std::byte> whole(file.bytes().begin(), file.bytes().end());
  std::mt19937 random(5);
  for (int turn = 0; turn < 2000; ++turn) {
    std::vector<std::byte> bytes = whole;
    for (unsigned changes = turn % 4; changes > 0; --changes) {
      bytes[24 + random() % (bytes.size() - 24)] = static_cast<std::byte>(random() & 0xff);
    }
    if (turn % 3 == 0) bytes.resize(24 + random() % (bytes.size() - 24));
    const auto one = open_memory(bytes, "one", 0);
    const auto many = open_memory(bytes, "many", 0);
    ASSERT_TRUE(one && many);
    std::vector<wire::Frame> batch(1 + turn % 50);
    wire::Frame frame;
    while (const std::size_t count = (*many)->next_batch(batch)) {
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE((*one)->next(frame)) << turn;
        ASSERT_EQ(frame.number, batch[i].number) << turn;
        ASSERT_EQ(frame.time, batch[i].time) << turn;
        ASSERT_EQ(frame.byte_offset, batch[i].byte_offset) << turn;
        ASSERT_EQ(frame.bytes.data(), batch[i].bytes.data()) << turn;
        ASSERT_EQ(frame.bytes.size(), batch[i].bytes.size()) << turn;
        ASSERT_EQ(frame.original_len, batch[i].original_len) << turn;
      }
    }
    ASSERT_FALSE((*one)->next(frame)) << turn;
    const SourceInfo &a = (*one)->info(), &b = (*many)->info();
    ASSERT_EQ(a.frames, b.frames);
    ASSERT_EQ(a.damage_count, b.damage_count);
    ASSERT_EQ(a.damaged_bytes, b.damaged_bytes);
    ASSERT_EQ(a.cut_short, b.cut_short);
    ASSERT_EQ(a.bytes_read, b.bytes_read);
  }
}

}  // namespace
}  // namespace slowpath::capture
