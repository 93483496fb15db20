// SPDX-License-Identifier: Apache-2.0
// What `slowpath explain` shows: complete, within the width, and equal to the committed document.
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "facts/catalogue.h"
#include "facts/non_faults.h"
#include "report/explain_markdown.h"
#include "report/explain_text.h"

namespace slowpath::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// One blank between words, whatever the line breaks and the indentation.
std::string unwrapped(std::string_view text) {
  std::istringstream words{std::string{text}};
  std::string joined;
  for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

/// Without the backquotes, which mark ids in the catalogue.
std::string unquoted(std::string text) {
  std::erase(text, '`');
  return text;
}

const Style kStyle{.width = 80, .color = false, .utf8 = true};

TEST(explain_text, leaves_nothing_of_the_catalogue_out) {
  for (const Fault& fault : all_faults()) {
    const std::string text = unquoted(unwrapped(explain_text(fault, kStyle)));
    for (const std::string_view part :
         {fault.id, fault.name, fault.specialises, fault.at_sender, fault.at_receiver,
          fault.at_midpath, fault.at_host, fault.active, fault.told_apart_by,
          fault.minimum_evidence, fault.references}) {
      EXPECT_THAT(text, HasSubstr(unquoted(std::string{part}))) << fault.id;
    }
    for (const RemedyStep& step : fault.remedies) {
      EXPECT_THAT(text, HasSubstr(unquoted(std::string{step.action}))) << fault.id;
      EXPECT_THAT(text, HasSubstr(unquoted(std::string{step.source}))) << fault.id;
      if (step.undo == kNothingToUndo) continue;
      EXPECT_THAT(text, HasSubstr("undo " + unquoted(std::string{step.undo}))) << fault.id;
    }
  }
}

TEST(explain_text, marks_steps_to_be_checked_first) {
  const Fault* fault = find_fault("lso-not-segmented");
  ASSERT_NE(fault, nullptr);
  EXPECT_THAT(unwrapped(explain_text(*fault, kStyle)),
              HasSubstr("Oracle Solaris Tunable Parameters Reference (read it first"));
}

TEST(explain_text, names_special_cases_of_a_general_fault) {
  const Fault* fault = find_fault("rwnd-limited");
  ASSERT_NE(fault, nullptr);
  EXPECT_THAT(unwrapped(explain_text(*fault, kStyle)),
              HasSubstr("its special cases are wscale-absent, wscale-stripped, wscale-misapplied, "
                        "rwnd-fixed-64k, zero-window, silly-window"));
}

TEST(explain_text, says_what_is_only_a_note) {
  const Fault* fault = find_fault("short-flow");
  ASSERT_NE(fault, nullptr);
  EXPECT_THAT(explain_text(*fault, kStyle), HasSubstr("at most note"));
}

TEST(explain_text, says_whether_it_is_detected) {
  // zero-window has a detector from the first version on; rss-one-queue needs facts of a machine.
  EXPECT_TRUE(is_detected(*find_fault("zero-window")));
  EXPECT_THAT(explain_text(*find_fault("zero-window"), kStyle),
              HasSubstr("this version can name it"));
  for (const Fault& fault : all_faults()) {
    if (is_detected(fault)) continue;
    EXPECT_THAT(explain_text(fault, kStyle), HasSubstr("none in this version")) << fault.id;
  }
}

TEST(explain_text, tells_what_is_normal) {
  for (const NonFault& normal : all_non_faults()) {
    const std::string text = unwrapped(explain_text(normal, kStyle));
    EXPECT_THAT(text, HasSubstr(std::string{normal.meaning})) << normal.id;
    EXPECT_THAT(text, HasSubstr(std::string{normal.how_recognised})) << normal.id;
    EXPECT_THAT(text, HasSubstr(unquoted(std::string{normal.must_not_hide}))) << normal.id;
  }
}

/// Lines that could have been broken at a blank behind the labels and were not.
int lines_too_wide(std::string_view text, std::size_t width) {
  int count = 0;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    if (display_width(line) <= width) continue;
    const auto word = line.find_first_not_of(' ', 10);
    if (word != std::string::npos && line.find(' ', word) != std::string::npos) ++count;
  }
  return count;
}

TEST(explain_text, keeps_to_the_width) {
  for (const std::size_t width : {80U, 100U, 120U}) {
    const Style style{.width = width, .color = false, .utf8 = true};
    for (const Fault& fault : all_faults())
      EXPECT_EQ(lines_too_wide(explain_text(fault, style), width), 0) << fault.id;
    EXPECT_EQ(lines_too_wide(explain_list(style), width), 0);
  }
}

TEST(explain_list, holds_every_id_and_name) {
  const std::string list = unwrapped(explain_list(kStyle));
  for (const Fault& fault : all_faults()) {
    EXPECT_THAT(list, HasSubstr(std::string{fault.id} + " " + std::string{fault.name}));
  }
  for (const NonFault& normal : all_non_faults()) {
    EXPECT_THAT(list, HasSubstr(std::string{normal.id} + " " + std::string{normal.looks_like}));
  }
}

TEST(explain_markdown, is_the_committed_document) {
  std::ifstream file{SLOWPATH_SOURCE_DIR "/docs/faults.md"};
  ASSERT_TRUE(file) << "docs/faults.md cannot be read";
  const std::string committed{std::istreambuf_iterator<char>{file}, {}};
  // Not EXPECT_EQ, which would print both documents.
  EXPECT_TRUE(committed == explain_markdown())
      << "docs/faults.md is out of date: slowpath explain --markdown > docs/faults.md";
}

TEST(explain_markdown, links_lead_to_headings) {
  const std::string text = explain_markdown();
  for (const Fault& fault : all_faults()) {
    EXPECT_THAT(text, HasSubstr("\n### " + std::string{fault.id} + "\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("](#)")));
}

}  // namespace
}  // namespace slowpath::report
