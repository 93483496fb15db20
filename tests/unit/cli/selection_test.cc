// SPDX-License-Identifier: Apache-2.0
#include "cli/selection.h"

#include <gtest/gtest.h>

namespace slowpath::cli {
namespace {

Time at(double seconds) { return Time{from_seconds(1'700'000'000)} + from_seconds(seconds); }

TEST(Selection, TimesAreSecondsDurationsOrUtc) {
  EXPECT_EQ(std::get<Duration>(*parse_time_bound("12.5")), from_seconds(12.5));
  EXPECT_EQ(std::get<Duration>(*parse_time_bound("250ms")), std::chrono::milliseconds{250});
  EXPECT_EQ(std::get<Duration>(*parse_time_bound("1m30s")), std::chrono::seconds{90});
  EXPECT_EQ(std::get<Time>(*parse_time_bound("1970-01-01T00:01:00Z")),
            Time{std::chrono::minutes{1}});
  for (const char* wrong : {"", "x", "-1", "inf", "nan", "1e300", "12 parsecs"}) {
    EXPECT_FALSE(parse_time_bound(wrong)) << wrong;
  }
}

TEST(Selection, WindowsAreHalfOpenAndRelativeToTheFirstPacket) {
  const AbsoluteWindow window =
      resolve({TimeBound{from_seconds(1)}, TimeBound{from_seconds(2)}}, at(0));
  EXPECT_FALSE(window.contains(at(0.5)));
  EXPECT_TRUE(window.contains(at(1)));
  EXPECT_FALSE(window.contains(at(2)));
  EXPECT_FALSE(window.is_everything());
  EXPECT_TRUE(resolve({}, at(0)).is_everything());
}

TEST(Selection, ConnectionsAreNumbersOrEnds) {
  EXPECT_EQ(std::get<std::uint32_t>(*parse_connection("7")), 7u);
  const Ends four = std::get<Ends>(*parse_connection("10.0.0.1:5001-10.0.0.2:80"));
  EXPECT_EQ(to_string(four.a), "10.0.0.1:5001");
  EXPECT_EQ(to_string(four.b), "10.0.0.2:80");
  const Ends six = std::get<Ends>(*parse_connection("[2001:db8::1]:5001-[2001:db8::2]:80"));
  EXPECT_EQ(to_string(six.b), "[2001:db8::2]:80");
  for (const char* wrong : {"", "-", "a-b", "10.0.0.1-10.0.0.2", "10.0.0.1:99999-10.0.0.2:1"}) {
    EXPECT_FALSE(parse_connection(wrong)) << wrong;
  }
}

Case two_connections() {
  Case facts;
  for (std::uint32_t id : {0u, 1u}) {
    ConnectionFacts connection;
    connection.id = id;
    connection.client = {IpAddress{{10, 0, 0, 1}, 4}, static_cast<std::uint16_t>(5000 + id)};
    connection.server = {IpAddress{{10, 0, 0, 2}, 4}, 80};
    facts.connections.push_back(connection);
  }
  facts.connections_total = 2;
  PathFacts path;
  path.connections = {0, 1};
  facts.paths = {path};
  return facts;
}

TEST(Selection, TheChosenConnectionKeepsItsNumberAndItsPath) {
  Case facts = two_connections();
  ASSERT_TRUE(keep_connection(facts, *parse_connection("10.0.0.2:80-10.0.0.1:5001")));
  ASSERT_EQ(facts.connections.size(), 1u);
  EXPECT_EQ(facts.connections[0].id, 1u);
  ASSERT_EQ(facts.paths.size(), 1u);
  EXPECT_EQ(facts.paths[0].connections, std::vector<std::uint32_t>{1});
  EXPECT_EQ(facts.connections_total, 1u);
}

TEST(Selection, NoSuchConnectionIsTold) {
  Case facts = two_connections();
  EXPECT_FALSE(keep_connection(facts, ConnectionChoice{9u}));
}

}  // namespace
}  // namespace slowpath::cli
