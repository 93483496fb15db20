// SPDX-License-Identifier: Apache-2.0
// `slowpath explain` as a user runs it: what it prints and its exit code.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  std::string text;  // standard output and standard error
  int exit_code = -1;
};

Outcome explain(const std::string& arguments) {
  const std::string command = "COLUMNS=100 " SLOWPATH_PROGRAM " explain " + arguments + " 2>&1";
  Outcome outcome;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.text.append(buffer.data(), size);
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TEST(explain, shows_one_fault) {
  const Outcome outcome = explain("pmtud-blackhole");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, StartsWith("pmtud-blackhole   Full-size packets vanish"));
}

TEST(explain, shows_what_is_normal) {
  const Outcome outcome = explain("nf-tso-superframe");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("the NIC cuts them later"));
}

TEST(explain, lists_all_without_an_id) {
  const Outcome outcome = explain("");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, StartsWith("segmentation\n"));
  EXPECT_THAT(outcome.text, HasSubstr("tcp-auth-mismatch"));
}

TEST(explain, suggests_the_nearest_id) {
  const Outcome outcome = explain("zero_windwo");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.text, HasSubstr("did you mean 'zero-window'?"));
}

TEST(explain, suggests_an_id_that_holds_what_was_typed) {
  const Outcome outcome = explain("lso");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.text,
              HasSubstr("did you mean 'lso-not-segmented' or 'lso-wrong-csum-seed'?"));
}

TEST(explain, prints_the_document) {
  const Outcome outcome = explain("--markdown");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, StartsWith("# Faults that Slowpath knows\n"));
}

TEST(explain, takes_either_an_id_or_the_document) {
  EXPECT_EQ(explain("--markdown shaper").exit_code, 2);
}

}  // namespace
