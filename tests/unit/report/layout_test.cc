// SPDX-License-Identifier: Apache-2.0
#include "report/layout.h"

#include <gtest/gtest.h>

namespace slowpath::report {
namespace {

std::string entry(std::size_t width, std::string_view label, std::string_view text) {
  Page page{{.width = width}};
  page.entry(label, text);
  return std::move(page).take();
}

TEST(Layout, CountsCodePointsAsColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("→µ…"), 3u);
  EXPECT_EQ(display_width("\xff\xfe"), 2u);
  EXPECT_EQ(display_width("\xe2\x86"), 2u);  // A cut sequence is two stray bytes.
}

TEST(Layout, WrapsWithAHangingIndent) {
  EXPECT_EQ(entry(24, "evidence", "none of the frames was acknowledged"),
            "evidence  none of the\n"
            "          frames was\n"
            "          acknowledged\n");
}

TEST(Layout, KeepsBlanksWithinALineAndDropsThemAtItsEnd) {
  EXPECT_EQ(entry(26, "time", "timeout 95 %   other 5 %"),
            "time      timeout 95 %\n"
            "          other 5 %\n");
  EXPECT_EQ(entry(40, "time", "timeout 95 %   other 5 %"), "time      timeout 95 %   other 5 %\n");
}

TEST(Layout, ANumberKeepsItsUnit) {
  EXPECT_EQ(entry(24, "cost", "held at 12.2 Mbit/s, then"),
            "cost      held at\n"
            "          12.2 Mbit/s,\n"
            "          then\n");
  EXPECT_EQ(entry(22, "evidence", "here 229 of 16 126 (1.4 %)"),
            "evidence  here 229 of\n"
            "          16 126\n"
            "          (1.4 %)\n");
  EXPECT_EQ(entry(22, "evidence", "segment 9 served"),
            "evidence  segment 9\n"
            "          served\n");
  EXPECT_EQ(entry(12, "cost", "9 ms 7"),
            "cost      9 ms\n"
            "          7\n");
}

TEST(Layout, AWordLongerThanTheLineStaysWhole) {
  EXPECT_EQ(entry(20, "look", "see tcp.stream&&frame.len>1514 there"),
            "look      see\n"
            "          tcp.stream&&frame.len>1514\n"
            "          there\n");
}

TEST(Layout, PutsTheMarginAtTheRightEdge) {
  Page page{{.width = 40}};
  page.entry_with_margin("VERDICT", "zero-window", "0.97", Tone::plain);
  EXPECT_EQ(std::move(page).take(), "VERDICT   zero-window               0.97\n");
}

TEST(Layout, ControlCharactersNeverReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\x7f", true), "a?[31mb???");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m",
                      true),
            "?31m");  // CSI as one code point
  EXPECT_EQ(printable("\xff", true), "?");
}

TEST(Layout, SpellsSignsInAsciiWhereThereIsNoUtf8) {
  EXPECT_EQ(printable("a → b, 12 µs …", false), "a -> b, 12 us ...");
  EXPECT_EQ(printable("é", false), "?");
  EXPECT_EQ(printable("é", true), "é");
}

TEST(Layout, ColoursOnlyWhenAsked) {
  Page plain{{.color = false}};
  plain.entry("VERDICT", "healthy", Tone::good);
  EXPECT_EQ(std::move(plain).take().find('\x1b'), std::string::npos);
  Page coloured{{.color = true}};
  coloured.entry("VERDICT", "healthy", Tone::good);
  EXPECT_NE(std::move(coloured).take().find("\x1b[1;32mhealthy\x1b[0m"), std::string::npos);
}

TEST(Layout, AHeadingMovesItsTextBelowALongName) {
  Page page{{.width = 40}};
  page.heading(std::string(35, 'f'), "sender-side");
  EXPECT_EQ(std::move(page).take(), std::string(35, 'f') + "\n          sender-side\n");
}

TEST(Layout, GapsDoNotPileUp) {
  Page page{{}};
  page.gap();
  page.heading("a", "");
  page.gap();
  page.gap();
  page.heading("b", "");
  EXPECT_EQ(std::move(page).take(), "a\n\nb\n");
}

}  // namespace
}  // namespace slowpath::report
