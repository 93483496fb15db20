// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/lessened.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/pcapng_writer.h"
#include "capture/source.h"
#include "support/packet_builder.h"

namespace slowpath::cli {
namespace {

using namespace test;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::SizeIs;

/// A handshake and then data and its ACK by turns, one frame every 10 ms.
class LabLessened : public testing::Test {
 protected:
  LabLessened() {
    built_.push_back(from_client(syn));
    built_.push_back(from_server(syn | ack));
    while (built_.size() < 31) {
      built_.push_back(from_client(ack));
      built_.push_back(from_server(ack));
    }
    for (std::size_t i = 0; i < built_.size(); ++i) {
      wire::Frame frame = built_[i].frame();
      frame.time = kBegin + i * milliseconds(10);
      frames_.push_back(frame);
    }
  }

  static BuiltFrame from_client(Flags flags) {
    return packet().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(flags, ports(4000, 80)).build();
  }
  static BuiltFrame from_server(Flags flags) {
    return packet()
        .ethernet()
        .ipv4("10.0.0.2", "10.0.0.1")
        .tcp(flags, ports(80, 4000))
        .payload(100)
        .build();
  }

  std::vector<wire::Frame> after(std::string_view name, std::uint64_t seed = 1) const {
    const auto how = std::ranges::find(lessenings(), name, &Lessening::name);
    EXPECT_NE(how, lessenings().end()) << name;
    std::vector<wire::Frame> frames = frames_;
    how->change(frames, seed);
    return frames;
  }

  static constexpr Time kBegin = time_from_ns(1'700'000'000'000'000'000);
  std::vector<BuiltFrame> built_;
  std::vector<wire::Frame> frames_;
};

TEST_F(LabLessened, begun_late_and_ended_early_are_thirds_of_the_time) {
  EXPECT_EQ(after("begun-late").front().time, kBegin + milliseconds(110));
  EXPECT_EQ(after("begun-late").back().time, frames_.back().time);
  EXPECT_EQ(after("ended-early").front().time, kBegin);
  EXPECT_EQ(after("ended-early").back().time, kBegin + milliseconds(100));
}

TEST_F(LabLessened, one_direction_alone) {
  EXPECT_THAT(after("opener-only"), SizeIs(16));
  EXPECT_EQ(after("opener-only").front().bytes.data(), frames_[0].bytes.data());
  EXPECT_THAT(after("other-only"), SizeIs(16));
  EXPECT_EQ(after("other-only").front().bytes.data(), frames_[1].bytes.data());
}

TEST_F(LabLessened, cut_short_keeps_the_length_on_the_wire) {
  const std::vector<wire::Frame> frames = after("cut-short");
  ASSERT_THAT(frames, SizeIs(frames_.size()));
  EXPECT_EQ(frames[1].bytes.size(), 68U);
  EXPECT_EQ(frames[1].original_len, frames_[1].original_len);
  EXPECT_EQ(frames[0].bytes.size(), frames_[0].bytes.size()) << "was shorter";
}

TEST_F(LabLessened, what_is_lost_is_drawn_by_the_seed) {
  std::vector<wire::Frame> many;
  for (int i = 0; i < 200; ++i) many.insert(many.end(), frames_.begin(), frames_.end());
  frames_ = many;
  const std::size_t left = after("frames-missing").size();
  EXPECT_NEAR(static_cast<double>(left) / static_cast<double>(many.size()), 0.98, 0.006);
  EXPECT_EQ(after("frames-missing").size(), left) << "the same once more";
  EXPECT_NE(after("frames-missing", 2).size(), left);
}

TEST_F(LabLessened, a_coarse_clock_never_goes_back) {
  const std::vector<wire::Frame> frames = after("coarse-clock");
  EXPECT_TRUE(std::ranges::is_sorted(frames, {}, &wire::Frame::time));
  for (const wire::Frame& frame : frames) {
    EXPECT_EQ(frame.time.time_since_epoch() % microseconds(15'625), Duration::zero());
  }
}

TEST_F(LabLessened, of_two_taps_the_openers_is_late) {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    frames_[i].time = kBegin + i * microseconds(400);
  }
  const std::vector<wire::Frame> frames = after("skewed-ways");
  EXPECT_TRUE(std::ranges::is_sorted(frames, {}, &wire::Frame::time));
  EXPECT_EQ(frames[0].bytes.data(), frames_[1].bytes.data()) << "the answer, before the question";
  EXPECT_EQ(frames[0].time, frames_[1].time);
  EXPECT_EQ(frames[1].time, kBegin + milliseconds(1));
}

TEST_F(LabLessened, a_mirror_port_shows_each_frame_twice) {
  const std::vector<wire::Frame> frames = after("seen-twice");
  ASSERT_THAT(frames, SizeIs(2 * frames_.size()));
  EXPECT_TRUE(std::ranges::is_sorted(frames, {}, &wire::Frame::time));
  EXPECT_EQ(frames[0].bytes.data(), frames[1].bytes.data());
}

TEST_F(LabLessened, a_file_is_read_and_written) {
  const std::string from = testing::TempDir() + "whole.pcapng", to = from + ".lessened";
  {
    auto writer = capture::PcapngWriter::create(from, "test");
    ASSERT_TRUE(writer);
    (*writer)->add_interface("eth0", wire::LinkType::ethernet, 0);
    for (const wire::Frame& frame : frames_) {
      (*writer)->packet(0, frame.time, frame.bytes, frame.original_len);
    }
    ASSERT_TRUE((*writer)->close());
  }
  const auto how = std::ranges::find(lessenings(), "opener-only", &Lessening::name);
  ASSERT_TRUE(write_lessened(from, to, *how, 1));
  auto source = capture::open_capture(to, 0);
  ASSERT_TRUE(source);
  std::size_t count = 0;
  for (wire::Frame frame; (*source)->next(frame); ++count) {
    EXPECT_EQ(frame.time, frames_[2 * count].time);
    EXPECT_EQ(frame.bytes.size(), frames_[2 * count].bytes.size());
  }
  EXPECT_EQ(count, 16U);
  EXPECT_THAT((*source)->info().interfaces, SizeIs(1));
  EXPECT_EQ((*source)->info().interfaces[0].name, "eth0");
}

TEST_F(LabLessened, what_cannot_be_read_is_an_error) {
  EXPECT_FALSE(write_lessened(testing::TempDir() + "no-such.pcapng",
                              testing::TempDir() + "nothing.pcapng", lessenings().front(), 1));
}

}  // namespace
}  // namespace slowpath::cli
