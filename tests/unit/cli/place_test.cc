// SPDX-License-Identifier: Apache-2.0
#include "cli/place.h"

#include <gtest/gtest.h>

namespace slowpath::cli {
namespace {

Time at(double seconds) { return Time{from_seconds(1'700'000'000)} + from_seconds(seconds); }

Place& file(Places& places, const std::string& name, double from, double to) {
  Place& place = places.place_of(name, at(from));
  place.reached(at(from));
  place.reached(at(to));
  return place;
}

TEST(Places, FilesThatFollowEachOtherAreOnePlace) {
  Places places(3, true, 1 << 20);
  Place& first = file(places, "", 0, 100);
  EXPECT_EQ(&first, &file(places, "", 100.2, 200));
  EXPECT_EQ(&first, &file(places, "", 199.9, 300));  // swapped at the seam
}

TEST(Places, FilesThatOverlapAreTwo) {
  Places places(2, true, 1 << 20);
  Place& first = file(places, "", 0, 100);
  EXPECT_NE(&first, &file(places, "", 0.01, 100));
}

TEST(Places, AShortTransferSeenTwiceIsTwo) {
  Places places(2, true, 1 << 20);
  Place& first = file(places, "", 0, 0.05);
  EXPECT_NE(&first, &file(places, "", 0.001, 0.051));
}

TEST(Places, RotatedFilesOfTwoPointsFindTheirOwn) {
  Places places(4, true, 1 << 20);
  Place& a = file(places, "a", 0, 100);
  Place& b = file(places, "b", 10, 110);
  EXPECT_NE(&a, &b);
  EXPECT_EQ(&a, &file(places, "a", 100, 200));
  EXPECT_EQ(&b, &file(places, "b", 110, 210));
}

TEST(Merge, RenumbersTheSecondPlacesConnections) {
  Case facts;
  facts.connections.resize(2);
  facts.connections[1].id = 1;
  facts.connections_total = 2;
  facts.captures.resize(1);
  facts.captures[0].packets = 10;
  Case more;
  more.connections.resize(2);
  more.connections[1].id = 1;
  more.connections[1].reuses = 0;
  more.connections_total = 2;
  more.paths.resize(1);
  more.paths[0].connections = {0, 1};
  more.captures.resize(2);
  more.captures[1].packets = 20;
  merge(facts, std::move(more), {1});
  ASSERT_EQ(facts.connections.size(), 4u);
  EXPECT_EQ(facts.connections[2].id, 2u);
  EXPECT_EQ(facts.connections[3].reuses, 2u);
  EXPECT_EQ(facts.paths[0].connections, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(facts.connections_total, 4u);
  EXPECT_EQ(facts.captures[0].packets, 10u);
  EXPECT_EQ(facts.captures[1].packets, 20u);
}

}  // namespace
}  // namespace slowpath::cli
