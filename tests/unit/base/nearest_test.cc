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

constexpr std::array<std::string_view, 6> kWords{"policer",     "shaper",  "shaped",
                                                 "mtu-too-big", "mtu-cut", "jumbo"};

TEST(did_you_mean, takes_the_closest_and_the_first_of_equals) {
  EXPECT_EQ(did_you_mean("shapre", kWords), "did you mean 'shaper'?");
  EXPECT_EQ(did_you_mean("polizer", kWords), "did you mean 'policer'?");
}

TEST(did_you_mean, takes_what_holds_the_text_before_what_looks_alike) {
  EXPECT_EQ(did_you_mean("big", kWords), "did you mean 'mtu-too-big'?");
  EXPECT_EQ(did_you_mean("mtu", kWords), "did you mean 'mtu-cut' or 'mtu-too-big'?");
  EXPECT_EQ(did_you_mean("shape", kWords), "did you mean 'shaper' or 'shaped'?");
}

TEST(did_you_mean, names_no_more_than_four) {
  constexpr std::array<std::string_view, 5> kAlike{"cut-1", "cut-2", "cut-3", "cut-4", "cut-5"};
  EXPECT_EQ(did_you_mean("cut", kAlike), "did you mean 'cut-1', 'cut-2', 'cut-3' or 'cut-4'?");
}

TEST(did_you_mean, is_silent_where_nothing_is_near) {
  EXPECT_EQ(did_you_mean("nothing", kWords), "");
  EXPECT_EQ(did_you_mean("nothing", kWords, "'list' shows all"), "'list' shows all");
  EXPECT_EQ(did_you_mean("jumbos", kWords, "'list' shows all"),
            "did you mean 'jumbo'? 'list' shows all");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace slowpath
