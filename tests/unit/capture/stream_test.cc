// SPDX-License-Identifier: Apache-2.0
// Standard input and named pipes: frames are handed over as they arrive.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/compress.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// Puts the reading end of a pipe in the place of standard input while it lives.
class StandardInput {
 public:
  StandardInput() : saved_(dup(STDIN_FILENO)) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    writer_ = ends[1];
  }
  ~StandardInput() {
    close();
    dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  void write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::write(writer_, bytes.data(), bytes.size());
      ASSERT_GT(put, 0);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }
  void close() {
    if (writer_ >= 0) ::close(std::exchange(writer_, -1));
  }

 private:
  int saved_;
  int writer_ = -1;
};

TEST(Stream, FramesComeAsTheyArrive) {
  StandardInput input;
  PcapFile file;
  file.frame(kStart, 0, 60);
  input.write(as_bytes(file.bytes()));
  // Nothing more is written until the first frame was read: a reader that waits would hang here.
  auto source = std::move(*open_capture("-", 0));
  std::vector<wire::Frame> batch(16);
  ASSERT_EQ(source->next_batch(batch), 1u);
  EXPECT_EQ(batch[0].bytes.size(), 60u);
  PcapFile more;
  more.frame(kStart, 1, 70).frame(kStart, 2, 80);
  input.write(as_bytes(more.bytes()).subspan(24));
  unsigned count = 0;
  while (count < 2) count += static_cast<unsigned>(source->next_batch(batch));
  EXPECT_EQ(count, 2u);
  input.close();
  EXPECT_EQ(source->next_batch(batch), 0u);
  EXPECT_EQ(source->info().frames, 3u);
  EXPECT_EQ(source->info().file_bytes, 0u);
  EXPECT_EQ(source->info().name, "-");
}

TEST(Stream, SlowWriterOfOddPieces) {
  for (const char* how : {"", "gzip", "zstd", "lz4", "xz"}) {
    const Buffer file = PcapngFile().section().interface().packets(200).bytes();
    const Buffer packed = compress(how, as_bytes(file));
    StandardInput input;
    std::thread writer([&] {
      for (std::size_t at = 0; at < packed.size(); at += 997) {
        input.write(as_bytes(packed).subspan(at, std::min<std::size_t>(997, packed.size() - at)));
        if (at % 7 == 0) std::this_thread::sleep_for(1ms);
      }
      input.close();
    });
    auto source = open_capture("-", 0);
    ASSERT_TRUE(source.has_value()) << how;
    const auto seen = read_all(**source);
    writer.join();
    const auto expected = read_all(**open_memory(as_bytes(file), "plain", 0));
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i].bytes, expected[i].bytes);
    EXPECT_EQ((*source)->info().bytes_read, file.size());
    EXPECT_EQ((*source)->info().damage_count, 0u);
  }
}

TEST(Stream, StopEndsTheWaiting) {
  StandardInput input;
  const Buffer file = PcapFile().frames(3).bytes();
  input.write(as_bytes(file));
  std::atomic<bool> stop = false;
  auto source = std::move(*open_capture("-", 0, &stop));
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  });
  EXPECT_EQ(read_all(*source).size(), 3u);  // the pipe is still open
  later.join();
  EXPECT_FALSE(source->info().cut_short);
}

TEST(Stream, EmptyInputIsEmpty) {
  StandardInput input;
  input.close();
  const auto source = open_capture("-", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), ::testing::HasSubstr("standard input: it is empty"));
}

}  // namespace
}  // namespace slowpath::capture
