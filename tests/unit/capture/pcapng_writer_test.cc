// SPDX-License-Identifier: Apache-2.0
// What the writer writes, read back by our own reader and, where they are installed, by tshark and
// capinfos.
#include "capture/pcapng_writer.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/source.h"

namespace slowpath::capture {
namespace {

namespace fs = std::filesystem;

class pcapng_writer : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("slowpath_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string file() const { return (folder_ / "out.pcapng").string(); }

  fs::path folder_;
};

std::vector<std::byte> frame_of(std::size_t len, unsigned seed) {
  std::vector<std::byte> bytes(len);
  for (std::size_t i = 0; i < len; ++i) bytes[i] = static_cast<std::byte>(i * 13 + seed);
  return bytes;
}

constexpr std::int64_t kStart = 1'700'000'000'123'456'789;

std::string output_of(const std::string& command) {
  std::string text;
  auto* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char part[4096];
  for (std::size_t n = 0; (n = fread(part, 1, sizeof part, pipe)) > 0;) text.append(part, n);
  pclose(pipe);
  return text;
}

TEST_F(pcapng_writer, is_read_back_as_written) {
  auto writer = PcapngWriter::create(file(), "slowpath");
  ASSERT_TRUE(writer) << writer.error().message();
  EXPECT_EQ((*writer)->add_interface("eth0", wire::LinkType::ethernet, 128), 0U);
  EXPECT_EQ((*writer)->add_interface("tun0", wire::LinkType::raw, 0), 1U);
  const auto large = frame_of(70'000, 1);
  for (unsigned i = 0; i < 61; ++i) {  // every length of padding, and past the buffer's end
    const auto bytes = frame_of(60 + i, i);
    (*writer)->packet(0, time_from_ns(kStart + i), bytes, 60 + i, wire::FrameDirection::outbound);
    (*writer)->packet(1, time_from_ns(kStart + i), large, 70'000, wire::FrameDirection::unknown,
                      i == 3 ? "a comment" : "");
  }
  EXPECT_EQ((*writer)->packets(), 122U);
  ASSERT_TRUE((*writer)->close());

  auto source = open_capture(file(), 0);
  ASSERT_TRUE(source) << source.error().message();
  wire::Frame frame;
  for (unsigned i = 0; i < 61; ++i) {
    ASSERT_TRUE((*source)->next(frame));
    EXPECT_EQ(frame.link_type, wire::LinkType::ethernet);
    EXPECT_EQ(frame.direction, wire::FrameDirection::outbound);
    EXPECT_EQ(to_ns(frame.time), kStart + i);
    EXPECT_EQ(frame.original_len, 60 + i);
    EXPECT_EQ(frame.bytes.size(), 60 + i);
    EXPECT_EQ(frame.bytes[59], frame_of(60, i)[59]);
    ASSERT_TRUE((*source)->next(frame));
    EXPECT_EQ(frame.link_type, wire::LinkType::raw);
    EXPECT_EQ(frame.direction, wire::FrameDirection::unknown);
    EXPECT_TRUE(std::equal(frame.bytes.begin(), frame.bytes.end(), large.begin(), large.end()));
  }
  EXPECT_FALSE((*source)->next(frame));
  const auto& info = (*source)->info();
  EXPECT_EQ(info.damage_count, 0U);
  EXPECT_EQ(info.application, "slowpath");
  ASSERT_EQ(info.interfaces.size(), 2U);
  EXPECT_EQ(info.interfaces[0].name, "eth0");
  EXPECT_EQ(info.interfaces[0].snap_len, 128U);
  EXPECT_EQ(info.comments, std::vector<std::string>{"a comment"});
}

TEST_F(pcapng_writer, cuts_to_the_snap_length_and_keeps_the_length_on_the_wire) {
  auto writer = PcapngWriter::create(file(), "");
  ASSERT_TRUE(writer);
  (*writer)->add_interface("eth0", wire::LinkType::ethernet, 128);
  (*writer)->packet(0, time_from_ns(kStart), frame_of(1514, 0), 1514);
  ASSERT_TRUE((*writer)->close());
  auto source = open_capture(file(), 0);
  ASSERT_TRUE(source);
  wire::Frame frame;
  ASSERT_TRUE((*source)->next(frame));
  EXPECT_EQ(frame.bytes.size(), 128U);
  EXPECT_EQ(frame.original_len, 1514U);
  EXPECT_EQ((*source)->info().application, "");
}

TEST_F(pcapng_writer, writes_a_frame_larger_than_its_buffer) {
  auto writer = PcapngWriter::create(file(), "");
  ASSERT_TRUE(writer);
  (*writer)->add_interface("eth0", wire::LinkType::ethernet, 0);
  const auto huge = frame_of((2U << 20U) + 1, 5);
  (*writer)->packet(0, time_from_ns(kStart), frame_of(99, 0), 99);
  (*writer)->packet(0, time_from_ns(kStart), huge, static_cast<std::uint32_t>(huge.size()));
  ASSERT_TRUE((*writer)->close());
  auto source = open_capture(file(), 0);
  ASSERT_TRUE(source);
  wire::Frame frame;
  ASSERT_TRUE((*source)->next(frame));
  ASSERT_TRUE((*source)->next(frame));
  EXPECT_TRUE(std::equal(frame.bytes.begin(), frame.bytes.end(), huge.begin(), huge.end()));
}

TEST_F(pcapng_writer, cuts_a_long_comment_between_characters) {
  auto writer = PcapngWriter::create(file(), "");
  ASSERT_TRUE(writer);
  (*writer)->add_interface("eth0", wire::LinkType::ethernet, 0);
  std::string comment = "x";
  for (int i = 0; i < 40'000; ++i) comment += "\u00b5";
  (*writer)->packet(0, time_from_ns(kStart), frame_of(60, 0), 60, wire::FrameDirection::inbound,
                    comment);
  ASSERT_TRUE((*writer)->close());
  auto source = open_capture(file(), 0);
  ASSERT_TRUE(source);
  wire::Frame frame;
  ASSERT_TRUE((*source)->next(frame));
  EXPECT_EQ(frame.direction, wire::FrameDirection::inbound);
  ASSERT_EQ((*source)->info().comments.size(), 1U);
  EXPECT_EQ((*source)->info().comments[0].size(), 65531U);
}

TEST_F(pcapng_writer, says_which_file_cannot_be_created) {
  const auto writer = PcapngWriter::create((folder_ / "none" / "x.pcapng").string(), "");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorKind::environment);
  EXPECT_NE(writer.error().message().find("none/x.pcapng: No such file"), std::string::npos);
}

TEST_F(pcapng_writer, reports_a_full_disk_when_closed) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  auto writer = PcapngWriter::create("/dev/full", "");
  ASSERT_TRUE(writer);
  (*writer)->add_interface("eth0", wire::LinkType::ethernet, 0);
  const auto bytes = frame_of(60'000, 0);
  for (int i = 0; i < 40; ++i) (*writer)->packet(0, time_from_ns(kStart), bytes, 60'000);
  const auto closed = (*writer)->close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().message().substr(0, 46),
            "cannot write /dev/full: No space left on devic");
}

TEST_F(pcapng_writer, is_understood_by_tshark_and_capinfos) {
  if (std::system("command -v tshark capinfos >/dev/null 2>&1") != 0) {
    GTEST_SKIP()
        << "tshark and capinfos are not installed (Debian packages tshark, wireshark-common)";
  }
  auto writer = PcapngWriter::create(file(), "slowpath");
  ASSERT_TRUE(writer);
  (*writer)->add_interface("eth0", wire::LinkType::ethernet, 65549);
  (*writer)->packet(0, time_from_ns(kStart), frame_of(61, 2), 61, wire::FrameDirection::inbound,
                    "why");
  (*writer)->packet(0, time_from_ns(kStart + 5), frame_of(1514, 2), 9014,
                    wire::FrameDirection::outbound);
  ASSERT_TRUE((*writer)->close());
  const auto fields = output_of("tshark -r " + file() +
                                " -T fields -e frame.time_epoch -e frame.len -e frame.cap_len"
                                " -e frame.packet_flags_direction -e frame.interface_name"
                                " -e frame.comment 2>/dev/null");
  EXPECT_EQ(fields,
            "1700000000.123456789\t61\t61\t0x00000001\teth0\twhy\n"
            "1700000000.123456794\t9014\t1514\t0x00000002\teth0\t\n");
  const auto facts = output_of("capinfos " + file() + " 2>&1");
  EXPECT_NE(facts.find("Number of packets:   2"), std::string::npos) << facts;
  EXPECT_NE(facts.find("nanoseconds (9)"), std::string::npos) << facts;
  EXPECT_NE(facts.find("slowpath"), std::string::npos) << facts;
}

}  // namespace
}  // namespace slowpath::capture
