// SPDX-License-Identifier: Apache-2.0
// A clock that ticks seldom is told from a fine one by how packets share its times.
#include "flow/clock.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// Packets at moments some milliseconds apart, in groups that follow each other by 400 us, by a
/// clock with this tick.
std::vector<Record> records_by(Duration tick, std::size_t count = 200) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> apart_us(3000, 30'000);
  std::vector<Record> records(count);
  Time now = time_from_ns(1'700'000'000'123'456'789);
  for (std::size_t i = 0; i < count; ++i) {
    now += i % 4 == 0 ? microseconds(apart_us(random)) : microseconds(400);
    records[i].time = now - now.time_since_epoch() % tick;
    records[i].has_timestamps = true;
    records[i].ts_value = static_cast<std::uint32_t>((to_ns(now) + 300'000) / 1'000'000);
  }
  return records;
}

// Seconds as a double are rounded to hundreds of nanoseconds there.
TEST(ClockJumps, OfManyYearsTurnsNoTimeBack) {
  for (int odd = 1; odd < 1000; odd += 37) {
    std::vector<Record> records = records_by(Duration{1}, 8);
    const Duration years = std::chrono::hours(24 * 365 * 80) + std::chrono::nanoseconds(odd);
    // Its sender was silent for longer than the connection.
    records[3].direction = Direction::to_client;
    records[3].time += std::chrono::seconds(20);
    for (std::size_t i = 4; i < records.size(); ++i) {
      records[i].time += years;
      records[i].ts_value = records[2].ts_value;
    }
    const ClockJumps jumps = remove_clock_jumps(records);
    EXPECT_EQ(jumps.count, 1U);
    for (std::size_t i = 1; i < records.size(); ++i)
      EXPECT_GE(records[i].time, records[i - 1].time) << odd << " ns, record " << i;
  }
}

TEST(CoarseTick, PacketsShareTimesThatAreTicksApart) {
  EXPECT_EQ(coarse_tick(records_by(microseconds(15'625))), microseconds(15'625));
  EXPECT_EQ(coarse_tick(records_by(milliseconds(1))), milliseconds(1));
}

TEST(CoarseTick, FineClocksHaveNone) {
  EXPECT_EQ(coarse_tick(records_by(microseconds(1))), Duration{0});
  EXPECT_EQ(coarse_tick(records_by(microseconds(100))), Duration{0});
}

TEST(CoarseTick, ACaptureThatAProgramMadeSharesTimesAsItLikes) {
  std::vector<Record> made = records_by(milliseconds(15));
  for (Record& record : made) {
    record.ts_value = static_cast<std::uint32_t>(to_ns(record.time) / 1'000'000);
  }
  EXPECT_EQ(coarse_tick(made), Duration{0});
}

// Most of what shares a time of a short capture was sent within a millisecond.
TEST(CoarseTick, AFewForWhichTimePassedAreEnough) {
  for (const int passed : {2, 4}) {
    std::vector<Record> records = records_by(milliseconds(15));
    int left = passed;
    std::uint32_t value = 1;
    for (std::size_t i = 1; i < records.size(); ++i) {
      const bool shared = records[i].time == records[i - 1].time;
      value += shared ? static_cast<std::uint32_t>(left-- > 0) : 15U;
      records[i].ts_value = value;
    }
    records[0].ts_value = 1;
    EXPECT_EQ(coarse_tick(records), passed > 2 ? milliseconds(15) : Duration{0}) << passed;
  }
}

TEST(CoarseTick, FewPacketsOrLonePacketsTellNothing) {
  EXPECT_EQ(coarse_tick(records_by(microseconds(15'625), 40)), Duration{0});
  std::vector<Record> lone = records_by(microseconds(1));
  for (std::size_t i = 0; i < lone.size(); ++i) {
    lone[i].time = time_from_ns(1'700'000'000'000'000'000) + i * milliseconds(20);
  }
  EXPECT_EQ(coarse_tick(lone), Duration{0}) << "telemetry every 20 ms";
}

TEST(CoarseTick, TimesThatAreSharedByChanceAreNoWholeTicksApart) {
  std::vector<Record> records = records_by(microseconds(1));
  for (std::size_t i = 0; i < records.size(); ++i) records[i].time = records[i / 4 * 4].time;
  EXPECT_EQ(coarse_tick(records), Duration{0});
}

/// Data of one end and its ACK 10 ms later, every 20 ms; the data's clock is ahead by `skew`. Every
/// `missing`th packet with data was not captured.
std::vector<Record> exchange_by(Duration skew, std::size_t missing = 1000) {
  std::vector<Record> records;
  const Time begin = time_from_ns(1'700'000'000'000'000'000);
  for (std::uint32_t i = 0; i < 100; ++i) {
    Record data, ack;
    data.time = begin + i * milliseconds(20) + skew;
    data.sequence = SeqNum{1000 + 100 * i};
    data.payload_len = 100;
    data.flags = ack.flags = wire::kAck;
    ack.direction = Direction::to_client;
    ack.time = begin + i * milliseconds(20) + milliseconds(10);
    ack.acknowledgment = data.sequence + 100;
    if (i % missing != missing - 1) records.push_back(data);
    records.push_back(ack);
  }
  std::ranges::stable_sort(records, {}, &Record::time);
  return records;
}

TEST(SkewOfWays, AcksThatStandBeforeTheirDataTellIt) {
  EXPECT_EQ(skew_of_ways(exchange_by(Duration{0})), Duration{0});
  EXPECT_EQ(skew_of_ways(exchange_by(milliseconds(8))), Duration{0}) << "hidden by the path";
  EXPECT_EQ(skew_of_ways(exchange_by(milliseconds(12))), milliseconds(2));
}

/// A handshake as it was captured at the server, whose answer takes no time, and the client's clock
/// is ahead by `skew`. The round trip takes 10 ms; the client sends its SYN at each of `syns`.
Duration skew_of_handshake(Duration skew, std::initializer_list<Duration> syns = {Duration{0}}) {
  const Time begin = time_from_ns(1'700'000'000'000'000'000);
  std::vector<Record> records;
  for (const Duration at : syns) {
    Record syn;
    syn.time = begin + at + skew;
    syn.sequence = SeqNum{1000};
    syn.flags = wire::kSyn;
    records.push_back(syn);
  }
  Record syn_ack, ack;
  syn_ack.direction = Direction::to_client;
  syn_ack.time = begin + std::chrono::microseconds(30);
  syn_ack.sequence = SeqNum{9000};
  syn_ack.acknowledgment = ack.sequence = SeqNum{1001};
  syn_ack.flags = wire::kSyn | wire::kAck;
  ack.time = begin + milliseconds(10) + skew;
  ack.acknowledgment = SeqNum{9001};
  ack.flags = wire::kAck;
  records.push_back(syn_ack);
  records.push_back(ack);
  std::ranges::stable_sort(records, {}, &Record::time);
  return skew_of_ways(records);
}

TEST(SkewOfWays, AnAnswerBeforeItsSynTellsIt) {
  EXPECT_EQ(skew_of_handshake(Duration{0}), Duration{0});
  EXPECT_EQ(skew_of_handshake(microseconds(90)), Duration{0}) << "queues of one host swap them";
  EXPECT_EQ(skew_of_handshake(milliseconds(2)), Duration{0}) << "short beside the round trip";
  EXPECT_EQ(skew_of_handshake(milliseconds(3)), microseconds(2970));
  EXPECT_EQ(skew_of_handshake(milliseconds(-15)), microseconds(5030))
      << "the ACK before the SYN-ACK";
  EXPECT_EQ(skew_of_handshake(Duration{0}, {milliseconds(-20), milliseconds(20)}), Duration{0})
      << "the SYN came twice";
  EXPECT_EQ(skew_of_handshake(Duration{0}, {milliseconds(1000)}), Duration{0})
      << "the first SYN was not captured";
}

TEST(SkewOfWays, DataThatWasNotCapturedTellsNothing) {
  EXPECT_EQ(skew_of_ways(exchange_by(Duration{0}, 2)), Duration{0});
}

}  // namespace
}  // namespace slowpath::flow
