// SPDX-License-Identifier: Apache-2.0
#include "flow/scale_guess.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

constexpr std::uint32_t kSegment = 1448;

/// A bulk transfer to the client by one whose sender fills what `window` bytes allow, or `flight`
/// if that is less. The field is the window less what was not read when the ACK went, by `scale`.
struct Bulk {
  std::uint8_t scale = 7;
  std::uint32_t window = 1 << 20;
  std::uint32_t flight = 64 * kSegment;
  bool reads_late = false;  // the first half of a flight is still there when it is acknowledged
  std::uint32_t grows_at =
      40;  // one of the rounds, of 40, after which `flight` is three times that
};

std::vector<Record> packets_of(const Bulk& bulk) {
  std::vector<Record> records;
  std::uint32_t sent = 1000;
  const auto acknowledge = [&](std::uint32_t ack, std::uint32_t unread) {
    Record record;
    record.direction = Direction::to_server;
    record.flags = wire::kAck;
    record.acknowledgment = SeqNum{ack};
    record.window = static_cast<std::uint16_t>((bulk.window - unread) >> bulk.scale);
    records.push_back(record);
  };
  acknowledge(sent, 0);
  for (std::uint32_t round = 0; round < 40; ++round) {
    const std::uint32_t begin = sent;
    const std::uint32_t flight = round < bulk.grows_at ? bulk.flight : 3 * bulk.flight;
    const std::uint32_t most = std::min(flight, bulk.window >> bulk.scale << bulk.scale);
    while (sent + kSegment <= begin + most) {
      Record record;
      record.direction = Direction::to_client;
      record.flags = wire::kAck;
      record.sequence = SeqNum{sent};
      record.payload_len = kSegment;
      records.push_back(record);
      sent += kSegment;
    }
    const std::uint32_t half = (sent - begin) / 2;
    acknowledge(begin + half, bulk.reads_late ? half : 0);
    acknowledge(sent, 0);
  }
  return records;
}

ScaleGuess guess(const Bulk& bulk) {
  return guess_scale(packets_of(bulk), Direction::to_server, kSegment);
}

TEST(GuessScale, EdgesThatStandStillTellIt) {
  const ScaleGuess seen = guess({.scale = 7, .reads_late = true});
  EXPECT_TRUE(seen.told);
  EXPECT_EQ(seen.shift, 7);
  EXPECT_EQ(guess({.scale = 0, .window = 60'000, .flight = 30'000, .reads_late = true}).shift, 0);
}

TEST(GuessScale, AWindowThatIsFilledTellsIt) {
  const ScaleGuess none = guess({.scale = 0, .window = 65'000, .flight = 1 << 30});
  EXPECT_TRUE(none.told);
  EXPECT_EQ(none.shift, 0);
  const ScaleGuess some = guess({.scale = 3, .window = 200'000, .flight = 1 << 30});
  EXPECT_TRUE(some.told);
  EXPECT_EQ(some.shift, 3);
}

TEST(GuessScale, AFlightThatStopsElsewhereTellsNothing) {
  const ScaleGuess seen = guess({.scale = 7});
  EXPECT_FALSE(seen.told);
  EXPECT_LE(seen.shift, 7) << "the least that leaves room for the flight";
}

// 45 segments leave no room for another by a scale of 3, and two thirds of the time there are 45.
TEST(GuessScale, AnEdgeThatTheFlightPassesInTheEndIsNone) {
  const Bulk bulk{.scale = 10, .window = 8192 << 10, .flight = 45 * kSegment};
  EXPECT_TRUE(guess(bulk).told) << "what cannot be told from a limit as long as it lasts";
  Bulk growing = bulk;
  growing.grows_at = 39;
  EXPECT_FALSE(guess(growing).told);
}

// 502 by a scale of 7: by one of 2 a lone segment would leave no room for another.
TEST(GuessScale, AFewSegmentsInFlightTellNothing) {
  EXPECT_FALSE(guess({.scale = 7, .window = 64'256, .flight = kSegment}).told);
}

}  // namespace
}  // namespace slowpath::flow
