// SPDX-License-Identifier: Apache-2.0
// What is kept of bytes that came twice and differ.
#include <functional>

#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

constexpr std::uint32_t kSegment = 1460;
constexpr Duration kRtt = 20ms;

std::byte byte_of_stream(std::int64_t at) {
  return static_cast<std::byte>((static_cast<std::uint64_t>(at) * 0x9e3779b97f4a7c15U) >> 56);
}

using Change = std::function<void(Buffer&)>;

/// Packets as on the wire, their checksums computed and verified.
class ComparePayload : public ::testing::Test {
 protected:
  ComparePayload() { x.handshake(kRtt); }
  void send(std::int64_t from, std::uint32_t len, const Change& change = {},
            bool sum_is_bad = false) {
    Buffer bytes(len);
    for (std::uint32_t i = 0; i < len; ++i) bytes[i] = byte_of_stream(from + i);
    if (change) change(bytes);
    auto frame =
        packet()
            .ethernet()
            .ipv4("10.0.0.1", "10.0.0.2")
            .tcp(ack, ports(40000, 80), seq(x.client_isn + 1 + static_cast<std::uint32_t>(from)),
                 ack_number(x.server_isn + 1))
            .payload(std::move(bytes))
            .build();
    if (sum_is_bad) frame.bytes[14 + 20 + 16] ^= std::byte{0x55};
    x.add(frame);
  }
  const PayloadCompareFacts& payload() {
    facts = x.connection();
    return facts[Direction::to_server].payload;
  }

  Exchange x{flow::EngineOptions{}};
  ConnectionFacts facts;
};

TEST_F(ComparePayload, KeepsBothCopiesAroundTheDifference) {
  send(0, kSegment, [](Buffer& bytes) { bytes[700] ^= std::byte{4}; });
  x.after(300ms);
  send(0, kSegment);
  x.after(kRtt).to_client({.ack = kSegment});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  const PayloadDifference& difference = found.differences[0];
  EXPECT_EQ(difference.first_difference, 700u);
  EXPECT_EQ(difference.last_difference, 700u);
  EXPECT_EQ(difference.differing, 1u);
  EXPECT_EQ(difference.excerpt_at, 700u - 16);
  ASSERT_EQ(difference.original_bytes.size(), 33u);
  EXPECT_EQ(difference.resend_bytes[16], byte_of_stream(700));
  EXPECT_EQ(difference.original_bytes[16], byte_of_stream(700) ^ std::byte{4});
  EXPECT_EQ(difference.original_payload, kSegment);
  EXPECT_FALSE(difference.sums_equal);
  EXPECT_FALSE(difference.original_bad);
  EXPECT_EQ(found.damaged_packets, 0u);
}

TEST_F(ComparePayload, ABadCopyIsDamageAndNoDifference) {
  send(0, kSegment, [](Buffer& bytes) { bytes[9] ^= std::byte{1}; }, true);
  send(kSegment, kSegment);
  x.after(300ms);
  send(0, kSegment);
  x.after(kRtt).to_client({.ack = 2 * kSegment});
  const PayloadCompareFacts& found = payload();
  EXPECT_EQ(found.differing_packets, 0u);
  EXPECT_TRUE(found.differences.empty());
  EXPECT_EQ(found.damaged_packets, 1u);
  ASSERT_EQ(found.damages.size(), 1u);
  EXPECT_TRUE(found.damages[0].original_bad);
  EXPECT_EQ(found.damages[0].first_difference, 9u);
  EXPECT_EQ(found.compared_bytes, 0u);
}

TEST_F(ComparePayload, ABadCopyWithoutADifferenceIsNone) {
  send(0, kSegment, {}, true);
  send(kSegment, kSegment);
  x.after(300ms);
  send(0, kSegment);
  x.after(kRtt).to_client({.ack = 2 * kSegment});
  EXPECT_EQ(payload().damaged_packets, 0u);
}

TEST_F(ComparePayload, SaysWhereElseTheBytesStand) {
  send(0, kSegment);
  send(kSegment, kSegment);
  send(2 * kSegment, kSegment, [](Buffer& bytes) {
    for (std::uint32_t i = 0; i < kSegment; ++i) bytes[i] = byte_of_stream(kSegment + i);
  });
  x.after(300ms);
  send(2 * kSegment, kSegment);
  x.after(kRtt).to_client({.ack = 3 * kSegment});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  EXPECT_EQ(found.differences[0].original_found_at, kSegment);
  EXPECT_FALSE(found.differences[0].resend_found_at);
}

TEST_F(ComparePayload, FindsNothingElsewhereForZeros) {
  const auto zero = [](Buffer& bytes) {
    std::fill(bytes.begin() + 200, bytes.end(), std::byte{0});
  };
  send(0, kSegment, [](Buffer& bytes) { std::ranges::fill(bytes, std::byte{0}); });
  send(kSegment, kSegment, zero);
  x.after(300ms);
  send(kSegment, kSegment);
  x.after(kRtt).to_client({.ack = 2 * kSegment});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  EXPECT_FALSE(found.differences[0].original_found_at);
}

TEST_F(ComparePayload, KnowsThePlaceInBothFramesWhenBoundariesMoved) {
  send(0, 3000);
  x.after(300ms);
  send(1000, 1000, [](Buffer& bytes) { bytes[500] ^= std::byte{0xff}; });
  x.after(kRtt).to_client({.ack = 3000});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  const PayloadDifference& difference = found.differences[0];
  EXPECT_EQ(difference.offset, 1000u);
  EXPECT_EQ(difference.at_original, 1000u);
  EXPECT_EQ(difference.at_resend, 0u);
  EXPECT_EQ(difference.original_payload, 3000u);
  EXPECT_EQ(difference.resend_payload, 1000u);
}

TEST_F(ComparePayload, APartlyAcknowledgedFrameKeepsItsPlace) {
  send(0, 3000);
  x.after(kRtt).to_client({.ack = 1200});
  x.after(300ms);
  send(1200, 1000, [](Buffer& bytes) { bytes[0] ^= std::byte{0xff}; });
  x.after(kRtt).to_client({.ack = 3000});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  EXPECT_EQ(found.differences[0].at_original, 1200u);
  EXPECT_EQ(found.differences[0].original_payload, 3000u);
}

TEST_F(ComparePayload, ExcerptsAreBounded) {
  for (std::int64_t i = 0; i < 20; ++i) {
    send(i * 4000, 4000, [](Buffer& bytes) {
      for (std::byte& byte : bytes) byte ^= std::byte{0x5a};
    });
    x.after(300ms);
    send(i * 4000, 4000);
    x.after(kRtt).to_client({.ack = (i + 1) * 4000});
  }
  const PayloadCompareFacts& found = payload();
  EXPECT_EQ(found.differing_packets, 20u);
  ASSERT_EQ(found.differences.size(), 16u);
  EXPECT_EQ(found.differences[0].original_bytes.size(), PayloadDifference::kExcerptBytes);
  EXPECT_EQ(found.differences[0].last_difference, 3999u);
  EXPECT_FALSE(found.differences[7].original_bytes.empty());
  EXPECT_TRUE(found.differences[8].original_bytes.empty());
}

TEST_F(ComparePayload, SwappedWordsKeepTheSum) {
  send(0, kSegment, [](Buffer& bytes) {
    std::swap(bytes[100], bytes[102]);
    std::swap(bytes[101], bytes[103]);
  });
  x.after(300ms);
  send(0, kSegment);
  x.after(kRtt).to_client({.ack = kSegment});
  const PayloadCompareFacts& found = payload();
  ASSERT_EQ(found.differences.size(), 1u);
  EXPECT_TRUE(found.differences[0].sums_equal);
}

}  // namespace
}  // namespace slowpath::test
