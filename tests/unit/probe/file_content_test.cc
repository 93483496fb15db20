// SPDX-License-Identifier: Apache-2.0
// Content from a file: given to a server, sent, and every byte of it proved.
#include "probe/file_content.h"

#include <unistd.h>

#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/base64.h"
#include "probe/throughput.h"
#include "running_server.h"

namespace slowpath::probe {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

SharedBytes some_bytes(std::size_t count) {
  auto bytes = std::make_shared<std::vector<std::byte>>(count);
  for (std::size_t i = 0; i < count; ++i) (*bytes)[i] = static_cast<std::byte>(i * i % 251);
  return bytes;
}

TEST(FileContent, EveryByteIsProvedBothWaysAndWithoutCopying) {
  RunningServer server;
  auto session = Session::open(server.target(), "", 5s);
  ASSERT_TRUE(session.has_value());
  TransferRequest request;
  request.content = ContentKind::memory;
  request.bytes = some_bytes(1'300'001);  // three pieces, the last one odd
  const auto given = give_content(*session, request.bytes);
  ASSERT_TRUE(given.has_value()) << given.error().message();
  request.plan.bytes = 4'000'000;
  for (const bool zero_copy : {false, true}) {
    for (const TransferWay way : {TransferWay::to_server, TransferWay::to_client}) {
      request.way = way;
      request.zero_copy = zero_copy;
      const auto run = run_throughput(*session, request);
      ASSERT_TRUE(run.has_value()) << run.error().message();
      EXPECT_EQ(run->flows[0].integrity.checked_bytes, 4'000'000U);
      EXPECT_EQ(run->flows[0].integrity.differing_bytes, 0U);
    }
  }
}

TEST(FileContent, WhatWasNotGivenCannotBeAskedFor) {
  RunningServer server;
  auto session = Session::open(server.target(), "", 5s);
  ASSERT_TRUE(session.has_value());
  TransferRequest request;
  request.content = ContentKind::memory;
  request.bytes = some_bytes(10);
  request.plan.bytes = 1000;
  const auto run = run_throughput(*session, request);
  ASSERT_FALSE(run.has_value());
  EXPECT_THAT(run.error().message(), HasSubstr("has not given"));
}

TEST(FileContent, APieceThatCameDamagedIsNotTaken) {
  RunningServer server;
  auto session = Session::open(server.target(), "", 5s);
  ASSERT_TRUE(session.has_value());
  const auto answer = session->ask({{"type", "content"},
                                    {"total", 3},
                                    {"offset", 0},
                                    {"data", to_base64(*some_bytes(3))},
                                    {"sha256", std::string(64, '0')}},
                                   "content", 5s);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->at("have"), 0);
}

TEST(FileContent, AnAnswerThatBringsNothingNewIsATryWhateverItSays) {
  GiftTries tries;
  EXPECT_TRUE(tries.take(100));
  for (int i = 1; i < GiftTries::kMost; ++i) EXPECT_TRUE(tries.take(i % 2 == 0 ? 100 : 0)) << i;
  EXPECT_FALSE(tries.take(0));  // back and forth for ever
  GiftTries others;
  for (int i = 1; i < 100; ++i) {
    EXPECT_TRUE(others.take(static_cast<std::uint64_t>(i)));
    EXPECT_TRUE(others.take(static_cast<std::uint64_t>(i)));
  }
}

TEST(FileContent, FilesThatCannotServeAreRefused) {
  const std::string empty =
      ::testing::TempDir() + "file_content_test_empty_" + std::to_string(getpid());
  std::ofstream{empty}.flush();
  EXPECT_FALSE(read_content_file(empty).has_value());
  unlink(empty.c_str());
  const auto missing = read_content_file("/no/such/file");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::input);
}

TEST(Base64, ComesBackAsItWent) {
  for (std::size_t count = 1; count < 20; ++count) {
    const auto bytes = some_bytes(count);
    const auto back = from_base64(to_base64(*bytes));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, *bytes);
  }
  EXPECT_FALSE(from_base64("a"));
  EXPECT_FALSE(from_base64("@@@@"));
}

}  // namespace
}  // namespace slowpath::probe
