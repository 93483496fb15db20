// SPDX-License-Identifier: Apache-2.0
#include "flow/way_lag.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace slowpath::flow {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Course {
  Duration lag{0};      // of the ACKs' clock
  Duration answer{20};  // from an ACK to the data that it lets go
  std::uint32_t missing = 1000;
  bool stamped = true;
};

/// A hundred ACKs, one every 20 ms, each of which lets two packets with data go that echo its
/// timestamp; captured at the sender. Every `missing`th ACK was not captured.
std::vector<Record> flights(const Course& course) {
  std::vector<Record> records;
  const Time begin = time_from_ns(1'700'000'000'000'000'000);
  for (std::uint32_t i = 0; i < 100; ++i) {
    Record ack, data;
    ack.has_timestamps = data.has_timestamps = course.stamped;
    ack.flags = data.flags = wire::kAck;
    ack.direction = Direction::to_server;
    data.direction = Direction::to_client;
    ack.time = begin + i * milliseconds(20) + course.lag;
    ack.ts_value = data.ts_echo = 500 + 20 * i;
    ack.ts_echo = 9000 + 20 * i;
    data.ts_value = 9020 + 20 * i;
    data.payload_len = 1448;
    if (i % course.missing != course.missing - 1) records.push_back(ack);
    for (int packet = 0; packet < 2; ++packet) {
      data.time = begin + i * milliseconds(20) + course.answer + packet * microseconds(5);
      records.push_back(data);
    }
  }
  std::ranges::stable_sort(records, {}, &Record::time);
  return records;
}

TEST(LagOfWays, EchoesBeforeWhatTheyEchoTellIt) {
  const WayLag lag = lag_of_ways(flights({.lag = milliseconds(1), .answer = microseconds(20)}));
  EXPECT_EQ(lag.way, Direction::to_server);
  EXPECT_EQ(lag.by, microseconds(981));
}

TEST(LagOfWays, OneClockHasNone) {
  EXPECT_EQ(lag_of_ways(flights({})).by, Duration{0});
  EXPECT_EQ(lag_of_ways(flights({.lag = milliseconds(1), .answer = milliseconds(2)})).by,
            Duration{0})
      << "hidden by the time that the host takes";
  EXPECT_EQ(lag_of_ways(flights({.lag = microseconds(90)})).by, Duration{0})
      << "queues of one host swap them";
}

TEST(LagOfWays, WithoutTimestampsNothingTells) {
  EXPECT_EQ(lag_of_ways(flights({.lag = milliseconds(1), .stamped = false})).by, Duration{0});
}

TEST(LagOfWays, AcksThatWereNotCapturedAreNone) {
  EXPECT_EQ(lag_of_ways(flights({.missing = 2})).by, Duration{0});
  EXPECT_GT(lag_of_ways(flights({.lag = milliseconds(1), .missing = 4})).by, microseconds(900));
}

}  // namespace
}  // namespace slowpath::flow
