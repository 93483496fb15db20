// SPDX-License-Identifier: Apache-2.0
#include "report/table.h"

#include <gtest/gtest.h>

namespace slowpath::report {
namespace {

TEST(Table, aligns_columns_and_counts_signs_not_bytes) {
  Table table({{"name"}, {"time", Align::right}, {"what"}});
  table.row({"a", "20 µs", "x"});
  table.row({"longer", "3 s", "y"});
  EXPECT_EQ(table.text(80),
            "name     time  what\n"
            "a       20 µs  x\n"
            "longer    3 s  y\n");
}

TEST(Table, folds_the_last_column_but_not_at_blanks_that_hold) {
  Table table({{"a"}, {"verdicts"}});
  table.row({"row", "rwnd-limited\u00a014, zero-window\u00a02, unclear\u00a01"});
  EXPECT_EQ(table.text(30),
            "a    verdicts\n"
            "row  rwnd-limited 14,\n"
            "     zero-window 2, unclear 1\n");
}

TEST(Table, folds_text_at_blanks) {
  Table table({{"a"}, {"b"}});
  table.row({"x", "drops large sends whole"});
  EXPECT_EQ(table.text(21, 1),
            " a  b\n"
            " x  drops large sends\n"
            "    whole\n");
}

TEST(Table, is_markdown_too) {
  Table table({{"fault"}, {"n", Align::right}});
  table.row({"shaper", "3"});
  EXPECT_EQ(table.markdown(), "| fault | n |\n|---|---:|\n| shaper | 3 |\n");
}

}  // namespace
}  // namespace slowpath::report
