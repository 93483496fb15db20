// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace slowpath {
namespace {

TEST(edit_distance, counts_letters_to_change) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("shaper", "shaper"), 0U);
  EXPECT_EQ(edit_distance("", "mtu"), 3U);
  EXPECT_EQ(edit_distance("mtu", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
  EXPECT_EQ(edit_distance("zero_window", "zero-window"), 1U);
}

TEST(nearest, takes_the_closest_and_the_first_of_equals) {
  constexpr std::array<std::string_view, 3> kWords{"policer", "shaper", "shaped"};
  EXPECT_EQ(nearest("shapre", kWords), "shaper");
  EXPECT_EQ(nearest("shape", kWords), "shaper");
  EXPECT_EQ(nearest("polizei", kWords), "policer");
}

TEST(nearest, has_no_answer_without_candidates) { EXPECT_EQ(nearest("x", {}), ""); }

}  // namespace
}  // namespace slowpath
