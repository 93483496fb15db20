// SPDX-License-Identifier: Apache-2.0
// What the program finds out about its terminal, and what it tells who waits there.
#include <cstdlib>

#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace slowpath::cli {
namespace {

TEST(Locale, TheFirstSetVariableDecides) {
  setenv("LC_ALL", "", 1);
  setenv("LC_CTYPE", "de_DE.UTF-8", 1);
  setenv("LANG", "C", 1);
  EXPECT_TRUE(locale_is_utf8());
  setenv("LC_ALL", "C", 1);
  EXPECT_FALSE(locale_is_utf8());
  setenv("LC_ALL", "en_US.utf8", 1);
  EXPECT_TRUE(locale_is_utf8());
}

TEST(Color, AskedForIsAskedFor) {
  setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(color_wanted(ColorMode::always));
  EXPECT_FALSE(color_wanted(ColorMode::automatic));
  EXPECT_FALSE(color_wanted(ColorMode::never));
}

TEST(Progress, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(progress_text(256 << 20, 1024 << 20, 1000, 1.0),
            "25 %  256 MiB of 1 GiB, 256 MiB/s, 3 s left");
}

TEST(Progress, APipeHasNoEndToKnow) {
  EXPECT_EQ(progress_text(10 << 20, 0, 12'345, 2.0), "12 345 packets, 10 MiB, 5 MiB/s");
}

TEST(ExitCodes, AreThoseOfTheManual) {
  EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::usage)), 2);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::input)), 3);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::environment)), 4);
  EXPECT_EQ(static_cast<int>(exit_code(ErrorKind::network)), 5);
}

}  // namespace
}  // namespace slowpath::cli
