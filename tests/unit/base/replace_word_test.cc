// SPDX-License-Identifier: Apache-2.0
#include "base/replace_word.h"

#include <gtest/gtest.h>

namespace slowpath {
namespace {

TEST(ReplaceWord, OnlyWhereItStandsAlone) {
  EXPECT_EQ(replace_word("ss dst DST: DST, not DSTA or xDST", "DST", "::1"),
            "ss dst ::1: ::1, not DSTA or xDST");
  EXPECT_EQ(replace_word("DST", "DST", "10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(replace_word("conf.DEV.rp_filter", "DEV", "eth0"), "conf.eth0.rp_filter");
  EXPECT_EQ(replace_word("a-DEV DEV_b", "DEV", "eth0"), "a-DEV DEV_b");
}

TEST(ReplaceWord, WhatIsPutInIsNotLookedAtAgain) {
  EXPECT_EQ(replace_word("N N", "N", "N N"), "N N N N");
}

}  // namespace
}  // namespace slowpath
