// SPDX-License-Identifier: Apache-2.0
// Figures keep their order, and their names although what named them is gone.
#include "facts/figures.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<Figures::Figure> listed(const Figures& figures) {
  return {figures.begin(), figures.end()};
}

TEST(Figures, KeepTheOrderInWhichTheyWereSaid) {
  Figures figures{{"superframes", 127}, {"rtt_min_us", 130}};
  figures.add("bytes", 2.5);
  EXPECT_THAT(listed(figures),
              ElementsAre(Pair("superframes", 127), Pair("rtt_min_us", 130), Pair("bytes", 2.5)));
}

TEST(Figures, OwnTheirNames) {
  Figures figures;
  {
    const std::string name = "a name that is too long to be kept within a string itself";
    figures.add(name, 1);
  }
  EXPECT_EQ(figures[0].first, "a name that is too long to be kept within a string itself");
}

TEST(Figures, OthersFollowOnesOwn) {
  Figures figures{{"drops", 3}};
  const Figures others{{"errors", 4}, {"drops", 5}};
  figures.add(others);
  EXPECT_THAT(listed(figures), ElementsAre(Pair("drops", 3), Pair("errors", 4), Pair("drops", 5)));
  EXPECT_EQ(others.size(), 2U);
}

TEST(Figures, ACopyIsOnesOwn) {
  Figures figures{{"drops", 3}};
  Figures copy = figures;
  copy.add("errors", 4);
  EXPECT_EQ(figures.size(), 1U);
  const Figures taken = std::move(copy);
  EXPECT_EQ(taken.size(), 2U);
}

}  // namespace
}  // namespace slowpath
