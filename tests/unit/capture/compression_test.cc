// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/decompress.h"
#include "unit/capture/compress.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class Compressions : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Compressions, ::testing::Values("gzip", "zstd", "lz4", "xz"),
                         [](const auto& how) { return std::string(how.param); });

// Hands the bytes out in small pieces of varying length, as a pipe might.
class PiecemealBytes final : public StoredBytes {
 public:
  PiecemealBytes(Bytes bytes, std::size_t largest) : bytes_(bytes), largest_(largest) {}
  Bytes peek() override {
    const std::size_t len = 1 + count_ % largest_;
    const Bytes rest = bytes_.subspan(position_);
    // A copy of its own, so that looking outside the piece is seen by the sanitizer.
    piece_.assign(rest.begin(),
                  rest.begin() + static_cast<std::ptrdiff_t>(std::min(len, rest.size())));
    piece_.shrink_to_fit();
    return as_bytes(piece_);
  }
  Bytes peek_at_least(std::size_t) override { return bytes_.subspan(position_); }
  void consume(std::size_t len) override {
    position_ += len;
    ++count_;
  }
  [[nodiscard]] std::uint64_t position() const override { return position_; }

 private:
  Bytes bytes_;
  std::size_t largest_;
  std::size_t position_ = 0;
  std::size_t count_ = 0;
  Buffer piece_;
};

TEST_P(Compressions, EveryFormatComesOutAsItWentIn) {
  const Buffer files[] = {PcapFile().frames(300).bytes(),
                          PcapngFile(true).section().interface().packets(300).bytes(),
                          SnoopFile().frames(300).bytes()};
  for (const Buffer& file : files) {
    const auto expected = read_all(**open_memory(as_bytes(file), "plain", 0));
    const Buffer packed = compress(GetParam(), as_bytes(file));
    auto source = std::move(*open_memory(as_bytes(packed), "packed", 0));
    const auto seen = read_all(*source);
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      ASSERT_EQ(seen[i].bytes, expected[i].bytes);
      ASSERT_EQ(seen[i].frame.time, expected[i].frame.time);
      ASSERT_EQ(seen[i].frame.byte_offset, expected[i].frame.byte_offset);
    }
    EXPECT_EQ(source->info().compression, GetParam());
    EXPECT_EQ(source->info().bytes_read, file.size());
    EXPECT_EQ(source->info().file_bytes, packed.size());
    EXPECT_EQ(source->position(), packed.size());
    EXPECT_EQ(source->info().damage_count, 0u);
    // The first frame is still retained.
    EXPECT_TRUE(std::ranges::equal(
        source->bytes_at(seen[0].frame.byte_offset, seen[0].bytes.size()), seen[0].bytes));
  }
}

TEST_P(Compressions, SeveralMembersInPiecesOfAnySize) {
  const Buffer file = PcapFile().frames(60).bytes();
  Buffer packed;
  for (std::size_t at = 0; at < file.size(); at += 7001) {
    const Buffer member = compress(
        GetParam(), as_bytes(file).subspan(at, std::min<std::size_t>(7001, file.size() - at)));
    packed.insert(packed.end(), member.begin(), member.end());
  }
  const Compression compression = recognise_compression(as_bytes(packed));
  for (const std::size_t largest : {std::size_t{1}, std::size_t{13}, packed.size()}) {
    const auto supply =
        make_decompressor(compression, std::make_unique<PiecemealBytes>(as_bytes(packed), largest));
    Buffer out(file.size() + 100);
    std::size_t len = 0;
    while (const std::size_t got = supply->read(std::span(out).subspan(len))) len += got;
    out.resize(len);
    EXPECT_EQ(out, file) << largest;
    EXPECT_EQ(supply->problem(), "");
  }
}

TEST_P(Compressions, CutAnywhereKeepsWhatCameBefore) {
  const Buffer file = PcapFile().frames(100).bytes();
  const Buffer packed = compress(GetParam(), as_bytes(file));
  const auto expected = read_all(**open_memory(as_bytes(file), "plain", 0));
  for (std::size_t len = 0; len < packed.size(); len += 11) {
    const auto source = open_memory(as_bytes(packed).first(len), "cut", 0);
    if (!source) continue;
    const auto seen = read_all(**source);
    ASSERT_LE(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i].bytes, expected[i].bytes);
    ASSERT_TRUE((*source)->info().cut_short) << len;
    ASSERT_THAT((*source)->info().damage.back().what, HasSubstr(GetParam())) << len;
  }
}

TEST_P(Compressions, DamageIsCountedAndWhatCameBeforeKept) {
  const Buffer file = PcapFile().frames(3000).bytes();
  Buffer packed = compress(GetParam(), as_bytes(file));
  const Buffer second = packed;
  packed.insert(packed.end(), second.begin(), second.end());
  for (std::size_t i = second.size() + second.size() / 2; i < second.size() * 3 / 2 + 40; ++i) {
    packed[i] ^= std::byte{0x55};
  }
  auto source = std::move(*open_memory(as_bytes(packed), "damaged", 0));
  // The second member begins with a file header, which is itself no record.
  EXPECT_GE(read_all(*source).size(), 3000u);
  EXPECT_TRUE(source->info().cut_short);
  EXPECT_GE(source->info().damage_count, 1u);
}

TEST_P(Compressions, RestThatIsNoMemberIsNamedAndZerosAreNot) {
  Buffer packed = compress(GetParam(), as_bytes(PcapFile().frames(5).bytes()));
  packed.resize(packed.size() + 512);
  auto source = std::move(*open_memory(as_bytes(packed), "padded", 0));
  EXPECT_EQ(read_all(*source).size(), 5u);
  EXPECT_EQ(source->info().damage_count, 0u);
  packed[packed.size() - 1] = std::byte{'x'};
  source = std::move(*open_memory(as_bytes(packed), "padded", 0));
  EXPECT_EQ(read_all(*source).size(), 5u);
  ASSERT_EQ(source->info().damage.size(), 1u);
  EXPECT_THAT(source->info().damage[0].what, HasSubstr("512 bytes that are not"));
}

TEST_P(Compressions, EmptyInsideSaysEmpty) {
  const Buffer packed = compress(GetParam(), {});
  const auto source = open_memory(as_bytes(packed), "x.gz", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("empty"));
}

TEST_P(Compressions, OtherThingsInsideAreNamed) {
  const Buffer packed = compress(GetParam(), as_bytes(PcapngFile::bytes_of("{\"a\": 1}\n")));
  const auto source = open_memory(as_bytes(packed), "x.json.gz", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("JSON"));
  EXPECT_THAT(source.error().message(), HasSubstr(GetParam()));
}

// More than the ring holds: the seam is crossed, the oldest bytes are gone, the newest still there.
TEST(Compression, LongStreamsRunThroughTheRing) {
  PcapFile file;
  constexpr unsigned kFrames = 60'000;
  for (unsigned i = 0; i < kFrames; ++i) file.frame(kStart + i / 100, i % 100, 1500 + i % 3, 0, i);
  const Buffer packed = compress("zstd", as_bytes(file.bytes()));
  auto source = std::move(*open_memory(as_bytes(packed), "long", 0));
  EXPECT_FALSE(source->stable_bytes());
  wire::Frame frame;
  unsigned count = 0;
  std::uint64_t first = 0;
  while (source->next(frame)) {
    if (count == 0) first = frame.byte_offset;
    ASSERT_EQ(frame.bytes.size(), 1500 + count % 3);
    ASSERT_EQ(Buffer(frame.bytes.begin(), frame.bytes.end()), payload(1500 + count % 3, count));
    ++count;
  }
  EXPECT_EQ(count, kFrames);
  EXPECT_TRUE(source->bytes_at(first, 1500).empty());
  const std::uint64_t back = source->info().bytes_read - kRetainedBytes;
  const Bytes kept = source->bytes_at(back, kRetainedBytes);
  ASSERT_EQ(kept.size(), kRetainedBytes);
  EXPECT_TRUE(std::ranges::equal(kept, as_bytes(file.bytes()).last(kRetainedBytes)));
}

}  // namespace
}  // namespace slowpath::capture
