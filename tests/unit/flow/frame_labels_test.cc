// SPDX-License-Identifier: Apache-2.0
// Wireshark's rules on packets made by hand, and the reasons where the analysis says otherwise.
#include "flow/frame_labels.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

using std::chrono::microseconds;

class Labels : public ::testing::Test {
 protected:
  Labels()
      : observer_([this](const FrameLabel& label) { told_.push_back(label); }),
        labels_(observer_) {}

  /// The next packet of the file; frame numbers count from 1.
  Record packet(Direction direction, std::int64_t at_us, std::uint32_t sequence, std::uint32_t len,
                std::uint32_t acknowledgment, std::uint16_t window = 1000,
                std::uint8_t flags = wire::kAck) {
    Record record;
    record.frame = FrameRef(0, ++frames_);
    record.time = Time{} + microseconds(at_us);
    record.direction = direction;
    record.sequence = SeqNum{sequence};
    record.acknowledgment = SeqNum{acknowledgment};
    record.payload_len = record.captured_len = len;
    record.window = window;
    record.flags = flags;
    return record;
  }
  Record data(std::int64_t at_us, std::uint32_t sequence, std::uint32_t len) {
    return packet(Direction::to_server, at_us, sequence, len, 500);
  }
  Record ack(std::int64_t at_us, std::uint32_t acknowledgment, std::uint16_t window = 1000) {
    return packet(Direction::to_client, at_us, 500, 0, acknowledgment, window);
  }
  /// What becomes of the packet once the analysis has marked it.
  FrameLabel label(Record record, std::uint32_t ours = 0, bool has_sack = false, bool cut = false) {
    labels_.add(record, has_sack, cut);
    labels_.mark(record.frame, ours);
    labels_.release(record);
    return told_.back();
  }
  static std::uint32_t bit(LabelReason reason) { return 1u << static_cast<unsigned>(reason); }

  std::vector<FrameLabel> told_;
  FrameObserver observer_;
  FrameLabels labels_;
  std::uint64_t frames_ = 0;
};

TEST_F(Labels, PlainStreamHasNoMarks) {
  EXPECT_EQ(label(data(0, 1000, 100)).wireshark, 0u);
  EXPECT_EQ(label(data(10, 1100, 100)).wireshark, 0u);
  EXPECT_EQ(label(ack(20, 1200)).wireshark, 0u);
}

TEST_F(Labels, ResendWithinThreeMillisecondsIsCalledOutOfOrder) {
  label(data(0, 1000, 100));
  label(data(10, 1100, 100));
  const FrameLabel soon = label(data(1'000, 1000, 100), kResend | kSentBefore);
  EXPECT_EQ(soon.wireshark, kOutOfOrder);
  EXPECT_EQ(soon.reasons, bit(LabelReason::irtt_window));
  EXPECT_EQ(soon.unexplained, 0u);
  const FrameLabel later = label(data(9'000, 1000, 100), kResend | kSentBefore);
  EXPECT_EQ(later.wireshark, kResend);
  EXPECT_EQ(later.reasons, 0u);
}

TEST_F(Labels, NoReasonWithoutItsEvidence) {
  label(data(0, 1000, 100));
  label(data(10, 1100, 100));
  const FrameLabel frame = label(data(1'000, 1000, 100), kResend);
  EXPECT_EQ(frame.reasons, 0u);
  EXPECT_EQ(frame.unexplained, kResend | kOutOfOrder);
  const FrameLabel silent = label(data(9'000, 1000, 100));
  EXPECT_EQ(silent.wireshark, kResend);
  EXPECT_EQ(silent.unexplained, kResend);
}

TEST_F(Labels, HandshakeSetsTheWindowOfOutOfOrder) {
  label(packet(Direction::to_server, 0, 999, 0, 0, 1000, wire::kSyn));
  label(packet(Direction::to_client, 1'000, 499, 0, 1000, 1000, wire::kSyn | wire::kAck));
  label(packet(Direction::to_server, 50'000, 1000, 0, 500));
  label(data(60'000, 1000, 100));
  label(data(60'010, 1100, 100));
  EXPECT_EQ(label(data(100'000, 1000, 100), kResend | kSentBefore).wireshark, kOutOfOrder);
  EXPECT_EQ(label(data(120'000, 1000, 100), kResend | kSentBefore).wireshark, kResend);
}

TEST_F(Labels, LateOriginal) {
  label(data(0, 1000, 100));
  EXPECT_EQ(label(data(10, 1200, 100), kLostSegment).wireshark, kLostSegment);
  const FrameLabel late = label(data(8'000, 1100, 100), kOutOfOrder | kSentEarlier);
  EXPECT_EQ(late.wireshark, kResend);
  EXPECT_EQ(late.reasons, bit(LabelReason::late_original));
}

TEST_F(Labels, DuplicateAcks) {
  label(data(0, 1000, 100));
  label(ack(10, 1100));
  const FrameLabel idle = label(ack(20, 1100), kNothingOutstanding);
  EXPECT_EQ(idle.wireshark, kDuplicateAck);
  EXPECT_EQ(idle.reasons, bit(LabelReason::nothing_outstanding));
  const FrameLabel update = label(ack(30, 1100, 2000), kDuplicateAck, true);
  EXPECT_EQ(update.wireshark, 0u);
  EXPECT_EQ(update.reasons, bit(LabelReason::sack_with_update));
  EXPECT_EQ(label(ack(40, 1100, 3000), kDuplicateAck).unexplained, kDuplicateAck);
}

TEST_F(Labels, FastResendIsToldByDuplicateAcks) {
  label(data(0, 1000, 100));
  label(data(10, 1100, 100));
  for (int i = 0; i < 3; ++i) label(ack(100 + i, 1000), i == 0 ? 0u : kDuplicateAck);
  EXPECT_EQ(label(data(200, 1000, 100), kResend | kSentBefore).wireshark, kResend);
}

TEST_F(Labels, KeepAliveAndTheLastByteSentAgain) {
  label(data(0, 1000, 100));
  const FrameLabel resend = label(data(300'000, 1099, 1), kResend | kSentBefore);
  EXPECT_EQ(resend.wireshark, kKeepAlive);
  EXPECT_EQ(resend.reasons, bit(LabelReason::one_byte_resend));
  const FrameLabel reply = label(ack(300'100, 1100));
  EXPECT_EQ(reply.wireshark, 0u);
  const FrameLabel alive = label(data(9'000'000, 1099, 1), kKeepAlive);
  EXPECT_EQ(alive.wireshark, kKeepAlive);
  EXPECT_EQ(alive.unexplained, 0u);
}

TEST_F(Labels, WindowProbeDoesNotAdvance) {
  label(data(0, 1000, 100));
  EXPECT_EQ(label(ack(10, 1100, 0), kZeroWindow).wireshark, kZeroWindow);
  EXPECT_EQ(label(data(500'000, 1100, 1), kWindowProbe).wireshark, kWindowProbe);
  EXPECT_EQ(label(ack(500'010, 1100, 0), kZeroWindow).wireshark, kZeroWindow);
  EXPECT_EQ(label(data(1'500'000, 1100, 1), kWindowProbe).wireshark, kWindowProbe);
}

TEST_F(Labels, CutLengthsLookLikeMissingSegments) {
  Record cut = data(0, 1000, 100);
  cut.captured_len = 40;
  label(cut, 0, false, true);
  const FrameLabel next = label(data(10, 1100, 100));
  EXPECT_EQ(next.wireshark, kLostSegment);
  EXPECT_EQ(next.reasons, bit(LabelReason::cut_length));
  // A segment that is really missing has no such excuse.
  EXPECT_EQ(label(data(20, 1300, 100)).unexplained, kLostSegment);
}

TEST_F(Labels, CopiesExplainEverythingAboutTheirFrame) {
  label(data(0, 1000, 100));
  Record copy = data(5'000, 1000, 100);
  copy.tap_copy = true;
  const FrameLabel tap = label(copy);
  EXPECT_EQ(tap.ours, kTapCopy);
  EXPECT_EQ(tap.wireshark, kResend);
  EXPECT_EQ(tap.reasons, bit(LabelReason::tap_copy));
  copy = data(6'000, 1000, 100);
  copy.network_copy = true;
  EXPECT_EQ(label(copy).reasons, bit(LabelReason::network_copy));
}

TEST_F(Labels, DamagedNumbersAndEmptyPacketsMislead) {
  Record damaged = data(0, 90'000, 100);
  damaged.checksum = wire::ChecksumState::bad;
  label(damaged, kNotBelieved);
  const FrameLabel sound = label(data(10'000, 1000, 100));
  EXPECT_EQ(sound.wireshark, kResend);
  EXPECT_EQ(sound.reasons, bit(LabelReason::bad_checksum));
  label(data(20'000, 95'000, 0), kLostSegment);
  EXPECT_EQ(label(data(30'000, 94'000, 100)).reasons, bit(LabelReason::empty_advance));
}

TEST_F(Labels, FileOrderAgainstTime) {
  label(data(5'000, 1100, 100));
  const FrameLabel older = label(data(4'000, 1000, 100));
  EXPECT_EQ(older.wireshark, kResend);  // an age below zero counts as very long
  EXPECT_EQ(older.reasons, bit(LabelReason::capture_order));
}

TEST_F(Labels, EndsChangePlaces) {
  label(data(0, 1000, 100));
  labels_.swap_ends();
  EXPECT_EQ(
      label(packet(Direction::to_client, 9'000, 1000, 100, 500), kResend | kSentBefore).wireshark,
      kResend);
}

TEST(LabelReasons, EveryOneHasAName) {
  for (std::size_t i = 0; i < kLabelReasonCount; ++i) {
    EXPECT_FALSE(name(static_cast<LabelReason>(i)).empty()) << i;
  }
}

}  // namespace
}  // namespace slowpath::flow
