// SPDX-License-Identifier: Apache-2.0
// Wrong checksums that name the length of a super-frame, and those that do not.
#include "flow/checksum_seed.h"

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr std::uint32_t kSegment = 1448, kHeaders = 52;

class ChecksumSeedsTest : public ::testing::Test {
 protected:
  /// A bad frame whose checksum was made for `summed` bytes of payload.
  void add(std::uint32_t at, std::uint32_t len, std::uint32_t summed) {
    Record record;
    record.frame = FrameRef(0, ++number_);
    record.sequence = SeqNum{at};
    record.payload_len = len;
    record.ip_len = len + kHeaders;
    record.checksum_error = static_cast<std::uint16_t>(~(summed - len));
    seeds_.add(record, sums);
  }
  void add_with_error(std::uint32_t at, std::uint32_t len, std::uint16_t error) {
    Record record;
    record.sequence = SeqNum{at};
    record.payload_len = len;
    record.ip_len = len + kHeaders;
    record.checksum_error = error;
    seeds_.add(record, sums);
  }

  ChecksumFacts sums;

 private:
  ChecksumSeeds seeds_;
  std::uint64_t number_ = 0;
};

TEST_F(ChecksumSeedsTest, SegmentsThatAddUpToTheLengthTheyNameAreASuperframe) {
  constexpr std::uint32_t kWhole = 3 * kSegment + 700;
  add(1, kSegment, kWhole);
  add(1 + kSegment, kSegment, kWhole);
  add(1 + 2 * kSegment, kSegment, kWhole);
  EXPECT_EQ(sums.seeded_superframes, 0U);
  add(1 + 3 * kSegment, 700, kWhole);
  EXPECT_EQ(sums.seeded_superframes, 1U);
  EXPECT_EQ(sums.seeded_frames, 4U);
  EXPECT_EQ(sums.seeded_max_payload, kWhole);
  EXPECT_EQ(sums.seeded.count, 1U);
  EXPECT_EQ(sums.seeded.first[0], FrameRef(0, 1));
  EXPECT_EQ(sums.no_length_frames, 0U);
}

TEST_F(ChecksumSeedsTest, AMissingSegmentOrAnotherErrorProvesNothing) {
  add(1, kSegment, 3 * kSegment);
  add(1 + 2 * kSegment, kSegment, 3 * kSegment);
  add(1 + 3 * kSegment, kSegment, 5000);
  add(1 + 4 * kSegment, kSegment, 6000);
  EXPECT_EQ(sums.seeded_superframes, 0U);
  EXPECT_EQ(sums.seeded_frames, 0U);
}

TEST_F(ChecksumSeedsTest, TheSumWithoutItsOwnLengthIsCounted) {
  add_with_error(1, kSegment, kSegment + 32);  // TCP's header and payload
  add_with_error(1 + kSegment, 100, 132);
  add_with_error(1 + kSegment + 100, 100, 1);
  EXPECT_EQ(sums.no_length_frames, 2U);
  EXPECT_EQ(sums.seeded_superframes, 0U);
}

}  // namespace
}  // namespace slowpath::flow
