// SPDX-License-Identifier: Apache-2.0
// Command lines taken apart, and programs run to their end.
#include "lab/command.h"

#include <chrono>
#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace slowpath::lab {
namespace {

using Words = std::vector<std::string>;

TEST(CommandLineTest, SplitsAtBlanksAndHonoursQuotes) {
  EXPECT_EQ(split_command_line("ethtool -K eth0  tso off").value(),
            (Words{"ethtool", "-K", "eth0", "tso", "off"}));
  EXPECT_EQ(split_command_line("nft 'add table ip t' \"a b\"c d\\ e ''").value(),
            (Words{"nft", "add table ip t", "a bc", "d e", ""}));
  EXPECT_EQ(split_command_line(R"(x '\n' "\"")").value(), (Words{"x", "\\n", "\""}));
}

TEST(CommandLineTest, RefusesWhatHasNoMeaning) {
  for (const auto* line : {"", "   ", "say 'hello", "say \"hello"}) {
    const auto split = split_command_line(line);
    ASSERT_FALSE(split) << line;
    EXPECT_EQ(split.error().kind, ErrorKind::usage);
  }
}

Result<std::string> run(Words words, std::string input = {},
                        Duration limit = std::chrono::seconds{60}) {
  return run_command({.words = std::move(words), .input = std::move(input), .limit = limit});
}

TEST(CommandTest, CatchesBothOutputs) {
  EXPECT_EQ(run({"sh", "-c", "echo out; echo err >&2"}).value(), "out\nerr");
  EXPECT_EQ(run({"cat"}, "from us").value(), "from us");
}

TEST(CommandTest, SaysWhatFailed) {
  const auto failed = run({"sh", "-c", "echo no such device >&2; exit 3"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::environment);
  EXPECT_EQ(failed.error().cause, "no such device");
  EXPECT_EQ(run({"sh", "-c", "exit 3"}).error().cause, "exit code 3");
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).error().cause, "killed by signal 9");
}

TEST(CommandTest, NamesThePackageOfAMissingProgram) {
  const auto failed = run({"no-such-program"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(),
            "cannot run \"no-such-program\": it is not installed; install no-such-program");
  EXPECT_EQ(program_with_package("nft"), "nft (Debian package nftables)");
}

TEST(CommandTest, EndsWhatDoesNotEnd) {
  const auto failed = run({"sleep", "600"}, {}, std::chrono::seconds{1});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().cause, "it did not end within 1 s");
}

TEST(CommandTest, DoesNotWaitForWhatWasLeftInTheBackground) {
  // To wait for it would be to exceed the limit.
  const auto ran = run({"sh", "-c", "sleep 90 & echo started $!"}, {}, std::chrono::seconds{60});
  ASSERT_TRUE(ran) << ran.error().message();
  ASSERT_TRUE(ran->starts_with("started "));
  kill(std::stoi(ran->substr(8)), SIGKILL);
}

}  // namespace
}  // namespace slowpath::lab
