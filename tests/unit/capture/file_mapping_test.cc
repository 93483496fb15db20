// SPDX-License-Identifier: Apache-2.0
// Files that become shorter while they are read: what was there is read, what is gone is told, and
// the program goes on.
#include "capture/file_mapping.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/compress.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

/// A file that is gone with it.
class ShrinkingFile {
 public:
  explicit ShrinkingFile(Bytes bytes) : path_(::testing::TempDir() + "mapping-XXXXXX") {
    fd_ = mkstemp(path_.data());
    EXPECT_GE(fd_, 0);
    EXPECT_EQ(::write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  ShrinkingFile(const ShrinkingFile&) = delete;
  ShrinkingFile& operator=(const ShrinkingFile&) = delete;
  ~ShrinkingFile() {
    close(fd_);
    unlink(path_.c_str());
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  void shrink_to(std::size_t len) const { EXPECT_EQ(ftruncate(fd_, static_cast<off_t>(len)), 0); }

 private:
  std::string path_;
  int fd_ = -1;
};

// Of pages of any size up to 64 KiB whole ones go.
constexpr std::size_t kLen = 3u << 20, kLeft = 1u << 20;

TEST(FileMapping, WhatIsGoneIsZeroAndTold) {
  const Buffer content(kLen, std::byte{7});
  const ShrinkingFile file(as_bytes(content));
  const auto mapping = FileMapping::make(file.fd(), kLen);
  ASSERT_NE(mapping, nullptr);
  EXPECT_TRUE(FileMapping::are_there(mapping->bytes()));
  file.shrink_to(kLeft);
  EXPECT_EQ(mapping->bytes()[kLeft - 1], std::byte{7});
  EXPECT_EQ(mapping->problem(), "");  // nobody looked
  EXPECT_TRUE(FileMapping::are_there(mapping->bytes().first(kLeft)));
  EXPECT_TRUE(std::ranges::all_of(mapping->bytes().subspan(kLeft),
                                  [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT_THAT(mapping->problem(), HasSubstr("at stored byte 1048576"));
  // No longer known to be the same.
  EXPECT_FALSE(FileMapping::are_there(mapping->bytes().first(kLeft)));
}

TEST(FileMapping, IsThereLooksForItself) {
  const Buffer content(kLen, std::byte{7});
  const ShrinkingFile file(as_bytes(content));
  const auto mapping = FileMapping::make(file.fd(), kLen);
  file.shrink_to(kLeft);
  EXPECT_FALSE(FileMapping::are_there(mapping->bytes().subspan(kLeft, 10)));
}

TEST(FileMapping, WhatIsBroughtButGoneIsToldWhenItIsLookedAt) {
  const ShrinkingFile file(as_bytes(Buffer(kLen, std::byte{7})));
  const auto mapping = FileMapping::make(file.fd(), kLen);
  file.shrink_to(kLeft);
  FileMapping::bring(mapping->bytes());
  EXPECT_EQ(mapping->problem(), "");
  EXPECT_FALSE(FileMapping::are_there(mapping->bytes()));
  EXPECT_NE(mapping->problem(), "");
  const Buffer nowhere(16);
  const Bytes elsewhere = as_bytes(nowhere);
  FileMapping::bring(elsewhere);
  EXPECT_TRUE(FileMapping::are_there(elsewhere));
  EXPECT_EQ(FileMapping::problem_of(elsewhere), "");
}

TEST(FileMapping, EachIsWatchedByItself) {
  const Buffer content(kLen, std::byte{7});
  const ShrinkingFile whole(as_bytes(content)), shrinking(as_bytes(content));
  const auto kept = FileMapping::make(whole.fd(), kLen);
  for (int i = 0; i < 3; ++i) (void)FileMapping::make(whole.fd(), kLen);  // used again
  const auto lost = FileMapping::make(shrinking.fd(), kLen);
  shrinking.shrink_to(0);
  EXPECT_EQ(lost->bytes().front(), std::byte{0});
  EXPECT_NE(lost->problem(), "");
  EXPECT_EQ(kept->bytes().back(), std::byte{7});
  EXPECT_EQ(kept->problem(), "");
}

TEST(FileMapping, OtherBusErrorsEndTheProgramAsBefore) {
  const ShrinkingFile file(as_bytes(Buffer(10)));
  const auto mapping = FileMapping::make(file.fd(), 10);
  EXPECT_DEATH(raise(SIGBUS), "");
}

class ShrinkingCapture : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, ShrinkingCapture, ::testing::Values("", "gzip", "zstd", "lz4"),
                         [](const auto& how) {
                           return std::string(*how.param == 0 ? "plain" : how.param);
                         });

TEST_P(ShrinkingCapture, IsReadAsFarAsItIsThere) {
  // Of numbers that do not compress, so that the stored file is as long.
  Buffer content = PcapFile().bytes();
  std::uint32_t noise = 1;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    Buffer record = PcapFile().frame(kStart + i / 1000, i, 1000).bytes();
    for (std::size_t at = 24 + 16; at < record.size(); ++at) {
      noise = noise * 1664525 + 1013904223;
      record[at] = static_cast<std::byte>(noise >> 24);
    }
    content.insert(content.end(), record.begin() + 24, record.end());
  }
  const std::string how = GetParam();
  const ShrinkingFile file(as_bytes(how.empty() ? content : compress(how, as_bytes(content))));
  auto source = std::move(*open_capture(file.path(), 0));
  wire::Frame frame;
  ASSERT_TRUE(source->next(frame));
  const Bytes first = source->bytes_at(frame.byte_offset, frame.bytes.size());
  EXPECT_EQ(first.size(), 1000u);
  file.shrink_to(kLeft);
  const auto seen = read_all(*source);
  EXPECT_GT(seen.size(), 700u);
  EXPECT_LT(seen.size(), 1300u);
  const SourceInfo& info = source->info();
  EXPECT_TRUE(info.cut_short);
  ASSERT_FALSE(info.damage.empty());
  EXPECT_THAT(info.damage.back().what, HasSubstr("made shorter while it was read"));
}

}  // namespace
}  // namespace slowpath::capture
