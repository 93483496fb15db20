// SPDX-License-Identifier: Apache-2.0
// Inputs that are kept to be read twice: what comes out is what a mapped file and a ring show, also
// where more comes than may be kept.
#include "capture/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/compress.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr SpoolOptions kAll{.most_bytes = std::uint64_t{1} << 30, .passes = true};
constexpr SpoolOptions kLeast{.most_bytes = 0, .passes = true};
constexpr std::size_t kLongLen = 160u << 20;  // twice what is kept at the least

/// A file that is gone with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(Bytes bytes) : path_(::testing::TempDir() + "spool-XXXXXX") {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A named pipe that a thread writes to; reading may end before all was written.
class Pipe {
 public:
  explicit Pipe(Bytes bytes, bool stays_open = false)
      : path_(::testing::TempDir() + "spool-pipe-" + std::to_string(getpid())) {
    unlink(path_.c_str());
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    writer_ = std::thread([this, bytes, stays_open] { write(bytes, stays_open); });
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    let_go_ = true;
    writer_.join();
    unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void write(Bytes bytes, bool stays_open) {
    const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd, bytes.data(), bytes.size());
      if (put <= 0) break;
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    while (stays_open && !let_go_) std::this_thread::sleep_for(1ms);
    close(fd);
  }

  std::string path_;
  std::thread writer_;
  std::atomic<bool> let_go_ = false;
};

/// `len` bytes of records of 64 KiB, each with its number in front.
Buffer long_capture(std::size_t len) {
  constexpr std::size_t kFrameLen = 64u << 10;
  Buffer file = PcapFile().bytes();
  Buffer record = PcapFile().frame(kStart, 0, kFrameLen).bytes();
  record.erase(record.begin(), record.begin() + 24);
  file.reserve(len + record.size());
  for (std::uint32_t number = 0; file.size() < len; ++number) {
    for (unsigned i = 0; i < 4; ++i) record[16 + i] = static_cast<std::byte>(number >> 8 * i);
    file.insert(file.end(), record.begin(), record.end());
  }
  return file;
}

/// Reads frames of long_capture() in batches; says how many have the number that they should have.
std::size_t count_in_order(Source& source) {
  std::vector<wire::Frame> batch(256);
  std::size_t count = 0, good = 0;
  while (const std::size_t got = source.next_batch(batch)) {
    for (std::size_t i = 0; i < got; ++i) {
      good += load_le32(batch[i].bytes.data()) == count++;
    }
  }
  EXPECT_EQ(good, count);
  return good;
}

void expect_equal(const std::vector<Seen>& seen, const std::vector<Seen>& expected) {
  ASSERT_EQ(seen.size(), expected.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    ASSERT_EQ(seen[i].bytes, expected[i].bytes);
    ASSERT_EQ(seen[i].frame.time, expected[i].frame.time);
    ASSERT_EQ(seen[i].frame.byte_offset, expected[i].frame.byte_offset);
    ASSERT_EQ(seen[i].frame.number, expected[i].frame.number);
  }
}

class SpoolOf : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, SpoolOf, ::testing::Values("gzip", "zstd", "lz4", "xz"),
                         [](const auto& how) { return std::string(how.param); });

TEST_P(SpoolOf, ReadsTwiceWhatAPlainFileShows) {
  const Buffer files[] = {PcapFile().frames(300).bytes(),
                          PcapngFile(true).section().interface().packets(300).bytes(),
                          SnoopFile().frames(300).bytes()};
  for (const Buffer& file : files) {
    const auto expected = read_all(**open_memory(as_bytes(file), "plain", 0));
    const TemporaryFile packed(as_bytes(compress(GetParam(), as_bytes(file))));
    auto opened = std::move(*open_spooled(packed.path(), 0, kAll, nullptr));
    ASSERT_TRUE(opened.spool);
    std::vector<wire::Frame> frames;
    std::vector<wire::Frame> batch(64);
    while (const std::size_t got = opened.source->next_batch(batch)) {
      frames.insert(frames.end(), batch.begin(), batch.begin() + static_cast<long>(got));
    }
    // Bytes stay where they are.
    ASSERT_EQ(frames.size(), expected.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      ASSERT_TRUE(std::ranges::equal(frames[i].bytes, expected[i].bytes));
    }
    EXPECT_TRUE(opened.source->stable_bytes());
    EXPECT_EQ(opened.source->info().compression, GetParam());
    EXPECT_EQ(opened.source->info().bytes_read, file.size());
    EXPECT_EQ(opened.source->position(), opened.source->info().file_bytes);
    EXPECT_EQ(opened.source->info().damage_count, 0u);
    opened.spool->end();
    EXPECT_TRUE(opened.spool->is_complete());
    EXPECT_EQ(opened.spool->kept(), file.size());
    auto again = std::move(*open_again(opened.spool, 0));
    expect_equal(read_all(*again), expected);
    EXPECT_TRUE(
        std::ranges::equal(again->bytes_at(expected[7].frame.byte_offset, expected[7].bytes.size()),
                           expected[7].bytes));
    EXPECT_TRUE(again->bytes_at(file.size(), 1).empty());
  }
}

TEST_P(SpoolOf, DamageIsCountedAsARingCountsIt) {
  const Buffer file = PcapFile().frames(3000).bytes();
  const Buffer sound = compress(GetParam(), as_bytes(file));
  Buffer two = sound, cut = sound, flipped = sound, trailing = sound;
  two.insert(two.end(), sound.begin(), sound.end());  // members in a row
  cut.resize(sound.size() * 3 / 4);
  for (std::size_t i = 0; i < 64; ++i) flipped[sound.size() * 2 / 3 + i] ^= std::byte{0x55};
  trailing.insert(trailing.end(), 100, std::byte{'x'});
  for (const Buffer& bytes : {two, cut, flipped, trailing}) {
    const TemporaryFile packed(as_bytes(bytes));
    auto ring = std::move(*open_capture(packed.path(), 0));
    const auto expected = read_all(*ring);
    auto spooled = std::move(*open_spooled(packed.path(), 0, kAll, nullptr));
    const auto again = [&] { return std::move(*open_again(spooled.spool, 0)); };
    for (const auto& source : {std::exchange(spooled.source, nullptr), again()}) {
      expect_equal(read_all(*source), expected);
      EXPECT_EQ(source->info().cut_short, ring->info().cut_short);
      EXPECT_EQ(source->info().damaged_bytes, ring->info().damaged_bytes);
      ASSERT_EQ(source->info().damage.size(), ring->info().damage.size());
      for (std::size_t i = 0; i < ring->info().damage.size(); ++i) {
        EXPECT_EQ(source->info().damage[i].what, ring->info().damage[i].what);
      }
    }
  }
}

TEST(Spool, APlainFileNeedsNone) {
  const TemporaryFile file(as_bytes(PcapFile().frames(3).bytes()));
  const auto opened = std::move(*open_spooled(file.path(), 0, kAll, nullptr));
  EXPECT_FALSE(opened.spool);
  EXPECT_TRUE(opened.source->stable_bytes());
}

TEST(Spool, AFileThatDoesNotFitPassesThrough) {
  const Buffer file = long_capture(kLongLen);
  const std::size_t count = read_all(**open_memory(as_bytes(file), "plain", 0)).size();
  const TemporaryFile packed(as_bytes(compress("zstd", as_bytes(file))));
  auto opened = std::move(*open_spooled(packed.path(), 0, kLeast, nullptr));
  std::size_t calls = 0;
  opened.spool->before_letting_go([&] { ++calls; });
  EXPECT_EQ(count_in_order(*opened.source), count);
  EXPECT_GT(calls, 0u);
  EXPECT_FALSE(opened.spool->is_whole());
  EXPECT_FALSE(opened.spool->overflowed());
  EXPECT_LE(opened.spool->kept(), Spool::kLeastBytes);
  EXPECT_FALSE(opened.source->stable_bytes());
  EXPECT_EQ(opened.source->info().bytes_read, file.size());
  EXPECT_EQ(opened.source->info().damage_count, 0u);
  // What is far behind is gone, what is near is retained.
  EXPECT_TRUE(opened.source->bytes_at(100, 10).empty());
  EXPECT_EQ(opened.source->bytes_at(file.size() - kRetainedBytes, 10).size(), 10u);
}

TEST(Spool, APipeIsKeptAndReadTwice) {
  const Buffer file = PcapngFile().section().interface().packets(2000).bytes();
  const auto expected = read_all(**open_memory(as_bytes(file), "plain", 0));
  for (const char* how : {"", "gzip", "zstd"}) {
    const Buffer packed = compress(how, as_bytes(file));
    const Pipe pipe(as_bytes(packed));
    auto opened = std::move(*open_spooled(pipe.path(), 0, kAll, nullptr));
    ASSERT_TRUE(opened.spool);
    expect_equal(read_all(*opened.source), expected);
    opened.spool->end();
    expect_equal(read_all(**open_again(opened.spool, 0)), expected);
  }
}

TEST(Spool, APipeThatDoesNotFitSaysSoAndIsReadOnce) {
  const Buffer file = long_capture(kLongLen);
  const std::size_t count = read_all(**open_memory(as_bytes(file), "plain", 0)).size();
  const Pipe pipe(as_bytes(file));
  auto opened = std::move(*open_spooled(pipe.path(), 0, kLeast, nullptr));
  const std::size_t kept = count_in_order(*opened.source);
  EXPECT_LT(kept, count);
  EXPECT_TRUE(opened.spool->overflowed());
  EXPECT_TRUE(opened.spool->wait_for(kLongLen, 30s));  // no more will come
  opened.source.reset();
  opened.spool->pass_on();
  auto again = std::move(*open_again(opened.spool, 0));
  EXPECT_EQ(count_in_order(*again), count);
  EXPECT_FALSE(opened.spool->overflowed());
  EXPECT_EQ(again->info().bytes_read, file.size());
  EXPECT_EQ(again->info().damage_count, 0u);
}

// Of a ring and of the least spool.
constexpr std::size_t kGapLen = 84u << 20;

/// Frames, and before the second half of them what gives none for longer than is kept.
struct Gap {
  const char* name;
  Buffer header, frames;
  Buffer (*make)();
  std::uint64_t damaged_bytes;
};

Buffer behind(std::size_t header_len, const Buffer& file) {
  return {file.begin() + static_cast<std::ptrdiff_t>(header_len), file.end()};
}

Buffer garbage() { return Buffer(kGapLen, std::byte{0xff}); }

Buffer blocks_without_frames() {
  PcapngFile blocks;
  const Buffer body(kGapLen / 8, std::byte{7});
  for (int i = 0; i < 8; ++i) blocks.block(0xbad, body);
  return blocks.bytes();
}

std::vector<Gap> gaps() {
  const Buffer pcap = PcapFile().bytes(), pcapng = PcapngFile().section().interface().bytes();
  return {{"pcap", pcap, behind(pcap.size(), PcapFile().frames(100).bytes()), garbage, kGapLen},
          {"pcapng", pcapng, PcapngFile().packets(100).bytes(), blocks_without_frames, 0}};
}

class LongGap : public ::testing::TestWithParam<Gap> {};
INSTANTIATE_TEST_SUITE_P(All, LongGap, ::testing::ValuesIn(gaps()),
                         [](const auto& gap) { return std::string(gap.param.name); });

/// Reads in batches that are larger than what lies on either side.
std::vector<Seen> read_in_batches(Source& source) {
  std::vector<wire::Frame> batch(256);
  std::vector<Seen> seen;
  while (const std::size_t got = source.next_batch(batch)) {
    for (std::size_t i = 0; i < got; ++i) {
      seen.push_back({batch[i], Buffer(batch[i].bytes.begin(), batch[i].bytes.end())});
    }
  }
  return seen;
}

TEST_P(LongGap, IsPassedOverAndCostsNoFrame) {
  Buffer file = GetParam().header;
  const auto add = [&file](const Buffer& part) {
    file.insert(file.end(), part.begin(), part.end());
  };
  add(GetParam().frames);
  const auto once = read_in_batches(**open_memory(as_bytes(file), "once", 0));
  add(GetParam().make());
  add(GetParam().frames);
  const TemporaryFile packed(as_bytes(compress("zstd", as_bytes(file))));
  const auto ring = std::move(*open_capture(packed.path(), 0));
  const auto spooled = std::move(*open_spooled(packed.path(), 0, kLeast, nullptr));
  for (Source* source : {ring.get(), spooled.source.get()}) {
    const auto seen = read_in_batches(*source);
    ASSERT_EQ(seen.size(), 2 * once.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].bytes, once[i % once.size()].bytes) << i;
    }
    EXPECT_EQ(source->info().damaged_bytes, GetParam().damaged_bytes);
  }
  EXPECT_FALSE(spooled.spool->overflowed());
}

TEST(Spool, WaitsForSoManyBytesOrTheEnd) {
  const Buffer file = PcapFile().frames(100).bytes();
  const TemporaryFile packed(as_bytes(compress("lz4", as_bytes(file))));
  const auto opened = std::move(*open_spooled(packed.path(), 0, kAll, nullptr));
  EXPECT_TRUE(opened.spool->wait_for(file.size(), 30s));
  EXPECT_EQ(opened.spool->written(), file.size());
  EXPECT_TRUE(opened.spool->wait_for(file.size() + 1, 30s));  // the end
  const Pipe pipe(as_bytes(file), true);
  const auto waiting = std::move(*open_spooled(pipe.path(), 0, kAll, nullptr));
  EXPECT_TRUE(waiting.spool->wait_for(file.size(), 30s));
  EXPECT_FALSE(waiting.spool->wait_for(file.size() + 1, 1ms));  // the pipe is still open
}

TEST(Spool, StopEndsAPipe) {
  const Buffer file = PcapFile().frames(3).bytes();
  const Pipe pipe(as_bytes(file), true);
  std::atomic<bool> stop = false;
  auto opened = std::move(*open_spooled(pipe.path(), 0, kAll, &stop));
  std::vector<wire::Frame> batch(16);
  std::size_t count = 0;
  while (count < 3) count += opened.source->next_batch(batch);
  stop = true;
  EXPECT_EQ(opened.source->next_batch(batch), 0u);
  EXPECT_FALSE(opened.source->info().cut_short);
  opened.spool->end();
  EXPECT_TRUE(opened.spool->is_complete());
}

// An open pipe that nothing comes through any more keeps nobody waiting.
TEST(Spool, WhatIsNoCaptureIsRefusedWhileThePipeIsOpen) {
  const Buffer text = payload(5000);
  const Pipe pipe(as_bytes(text), true);
  EXPECT_FALSE(open_spooled(pipe.path(), 0, kAll, nullptr).has_value());
}

}  // namespace
}  // namespace slowpath::capture
