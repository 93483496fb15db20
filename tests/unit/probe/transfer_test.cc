// SPDX-License-Identifier: Apache-2.0
#include "probe/transfer.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connected_pair.h"
#include "probe/content_stream.h"
#include "probe/socket.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

/// Runs a receiver in a thread of its own beside the sender.
struct BothEnds {
  TransferOutcome sender, receiver;
};

BothEnds run_both(const TransferPlan& plan, const std::vector<StreamPlan>& sending,
                  const std::vector<StreamPlan>& receiving, const TransferHooks& hooks = {},
                  const std::function<void()>& after = {}) {
  BothEnds both;
  TransferPlan receive = plan;
  receive.omit = {};
  receive.rate_bps = 0;
  std::jthread thread{[&] {
    auto received = run_transfer(receive, receiving);
    EXPECT_TRUE(received.has_value());
    if (received) both.receiver = *std::move(received);
  }};
  auto sent = run_transfer(plan, sending, hooks);
  EXPECT_TRUE(sent.has_value());
  if (sent) both.sender = *std::move(sent);
  if (after) after();
  return both;
}

TEST(Transfer, MovesSoManyBytesAndProvesThem) {
  const ConnectedPair pair = connect_pair();
  const Content content = Content::random(1);
  ContentSource source{content};
  CheckingSink sink{content};
  TransferPlan plan;
  plan.bytes = 10'000'001;
  const BothEnds both =
      run_both(plan, {{.socket = pair.client.get(), .sends = true, .source = &source}},
               {{.socket = pair.server.get(), .sink = &sink}});
  EXPECT_EQ(both.sender.streams[0].bytes, 10'000'001U);
  EXPECT_EQ(both.receiver.streams[0].bytes, 10'000'001U);
  EXPECT_TRUE(both.sender.streams[0].finished);
  EXPECT_TRUE(both.receiver.streams[0].finished);
  EXPECT_EQ(sink.facts().checked_bytes, 10'000'001U);
  EXPECT_EQ(sink.facts().differing_bytes, 0U);
  ASSERT_TRUE(both.sender.streams[0].socket.has_value());
  // Some may still wait in the socket, some may have gone twice.
  EXPECT_GT(both.sender.streams[0].socket->bytes_sent, 1'000'000U);
}

TEST(Transfer, OtherContentIsFound) {
  const ConnectedPair pair = connect_pair();
  ContentSource source{Content::random(1)};
  CheckingSink sink{Content::random(2)};
  TransferPlan plan;
  plan.bytes = 100'000;
  run_both(plan, {{.socket = pair.client.get(), .sends = true, .source = &source}},
           {{.socket = pair.server.get(), .sink = &sink}});
  EXPECT_GT(sink.facts().differing_bytes, 90'000U);
}

TEST(Transfer, BlocksAreCountedOverAllStreams) {
  const ConnectedPair first = connect_pair(), second = connect_pair();
  TransferPlan plan;
  plan.block_bytes = 5000;
  plan.blocks = 30;
  const BothEnds both = run_both(
      plan,
      {{.socket = first.client.get(), .number = 1, .sends = true},
       {.socket = second.client.get(), .number = 2, .sends = true}},
      {{.socket = first.server.get(), .number = 1}, {.socket = second.server.get(), .number = 2}});
  EXPECT_EQ(both.sender.streams[0].blocks + both.sender.streams[1].blocks, 30U);
  EXPECT_EQ(both.receiver.streams[0].bytes + both.receiver.streams[1].bytes, 150'000U);
}

TEST(Transfer, BothDirectionsOfOneSocketAtOnce) {
  const ConnectedPair pair = connect_pair();
  const Content content = Content::text(3);
  ContentSource there{content}, back{content};
  CheckingSink at_server{content}, at_client{content};
  TransferPlan plan;
  plan.bytes = 3'000'000;
  run_both(plan,
           {{.socket = pair.client.get(), .sends = true, .source = &there},
            {.socket = pair.client.get(), .sink = &at_client}},
           {{.socket = pair.server.get(), .sink = &at_server},
            {.socket = pair.server.get(), .sends = true, .source = &back}});
  EXPECT_EQ(at_server.facts().checked_bytes, 3'000'000U);
  EXPECT_EQ(at_client.facts().checked_bytes, 3'000'000U);
  EXPECT_EQ(at_server.facts().differing_bytes + at_client.facts().differing_bytes, 0U);
}

TEST(Transfer, SendsAFileWithoutCopying) {
  const ConnectedPair pair = connect_pair();
  constexpr std::uint64_t kPeriod = 256 * 1024;
  const Content content = Content::random(7, kPeriod);
  const auto file = make_content_file(content, kPeriod);
  ASSERT_TRUE(file.has_value());
  CheckingSink sink{content};
  TransferPlan plan;
  plan.bytes = 2'000'000;
  run_both(
      plan,
      {{.socket = pair.client.get(), .sends = true, .file = file->get(), .file_bytes = kPeriod}},
      {{.socket = pair.server.get(), .sink = &sink}});
  EXPECT_EQ(sink.facts().checked_bytes, 2'000'000U);
  EXPECT_EQ(sink.facts().differing_bytes, 0U);
}

TEST(Transfer, AFileThatIsSentOnceEndsItsStream) {
  const ConnectedPair pair = connect_pair();
  const Content content = Content::text(3);
  constexpr std::uint64_t kSize = 300'001;
  const auto file = make_content_file(content, kSize);
  ASSERT_TRUE(file.has_value());
  CheckingSink sink{content};
  const BothEnds both = run_both({},
                                 {{.socket = pair.client.get(),
                                   .sends = true,
                                   .file = file->get(),
                                   .file_bytes = kSize,
                                   .file_once = true}},
                                 {{.socket = pair.server.get(), .sink = &sink}}, {},
                                 [&] { shutdown(pair.client.get(), SHUT_WR); });
  EXPECT_EQ(both.sender.streams[0].bytes, kSize);
  EXPECT_TRUE(both.sender.streams[0].finished);
  EXPECT_EQ(both.receiver.streams[0].bytes, kSize);
  EXPECT_EQ(sink.facts().differing_bytes, 0U);
}

TEST(Transfer, AFileThatBecameShorterBreaksTheStream) {
  const ConnectedPair pair = connect_pair();
  const auto file = make_content_file(Content::text(3), 1000);
  ASSERT_TRUE(file.has_value());
  const auto sent = run_transfer(
      {},
      std::vector<StreamPlan>{
          {.socket = pair.client.get(), .sends = true, .file = file->get(), .file_bytes = 2000}});
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(sent->streams[0].bytes, 1000U);
  EXPECT_FALSE(sent->streams[0].error.empty());
}

TEST(Transfer, OmittedBytesAreToldApart) {
  const ConnectedPair pair = connect_pair();
  TransferPlan plan;
  plan.omit = 500ms;
  plan.duration = 500ms;
  plan.interval = 50ms;
  plan.rate_bps = 50e6;
  plan.block_bytes = 10'000;
  std::uint64_t omitted = 0, counted = 0;
  TransferHooks hooks;
  hooks.on_interval = [&](const IntervalReport& report) {
    (report.omitted ? omitted : counted) += report.streams[0].bytes;
  };
  const BothEnds both = run_both(plan, {{.socket = pair.client.get(), .sends = true}},
                                 {{.socket = pair.server.get()}}, hooks);
  const StreamOutcome& sent = both.sender.streams[0];
  EXPECT_GT(sent.omitted_bytes, 0U);
  EXPECT_EQ(sent.omitted_bytes, omitted);
  EXPECT_LE(counted, sent.bytes);
  EXPECT_EQ(sent.omitted_bytes + sent.bytes, both.receiver.streams[0].bytes);
  EXPECT_GE(sent.begin_s, 0.5);
  EXPECT_GE(both.sender.counted_s, 0.5);
}

/// What is dropped is waited for in larger pieces; the last ones, however few, come all the same.
TEST(Transfer, NothingWaitsForMoreThatDoesNotCome) {
  const ConnectedPair pair = connect_pair();
  constexpr std::uint64_t kMuch = 20'000'000;
  std::jthread sender{[&] {
    const std::vector<char> bytes(kMuch + 1);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      // All but one byte as fast as it goes, and that one alone.
      const std::size_t more = sent < kMuch ? kMuch - sent : 1;
      const ssize_t done = send(pair.client.get(), bytes.data() + sent, more, MSG_NOSIGNAL);
      if (done > 0) sent += static_cast<std::size_t>(done);
      if (done < 0) wait_writable(pair.client.get(), 1s);
    }
  }};
  std::uint64_t came = 0;
  std::atomic<bool> stop{false};
  TransferHooks hooks;
  hooks.stop = &stop;
  hooks.on_interval = [&](const IntervalReport& report) {
    came += report.streams[0].bytes;
    stop = came == kMuch + 1;
  };
  TransferPlan plan;
  plan.interval = 10ms;
  plan.most = 60s;
  const auto received =
      run_transfer(plan, std::vector<StreamPlan>{{.socket = pair.server.get()}}, hooks);
  ASSERT_TRUE(received.has_value());
  EXPECT_TRUE(received->stopped);
  EXPECT_EQ(received->streams[0].bytes, kMuch + 1);
}

TEST(Transfer, PacingKeepsTheRate) {
  const ConnectedPair pair = connect_pair();
  TransferPlan plan;
  plan.bytes = 500'000;
  plan.rate_bps = 20e6;  // 200 ms
  plan.block_bytes = 5000;
  const BothEnds both = run_both(plan, {{.socket = pair.client.get(), .sends = true}},
                                 {{.socket = pair.server.get()}});
  EXPECT_GE(both.sender.elapsed_s, 0.19);  // never faster
}

TEST(Transfer, WatcherCanStopIt) {
  const ConnectedPair pair = connect_pair();
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const Descriptor reader{pipe_ends[0]}, writer{pipe_ends[1]};
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  TransferHooks hooks;
  hooks.watched = reader.get();
  hooks.on_watched = [] { return false; };
  const auto outcome =
      run_transfer(TransferPlan{}, std::vector<StreamPlan>{{.socket = pair.server.get()}}, hooks);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->stopped);
  EXPECT_FALSE(outcome->streams[0].finished);
}

TEST(Transfer, StopFlagAndTheWholesLimitEndIt) {
  const ConnectedPair pair = connect_pair();
  const std::vector<StreamPlan> silent{{.socket = pair.server.get()}};
  const std::atomic<bool> stop{true};
  TransferHooks hooks;
  hooks.stop = &stop;
  EXPECT_TRUE(run_transfer(TransferPlan{}, silent, hooks)->stopped);
  TransferPlan plan;
  plan.most = 20ms;
  EXPECT_TRUE(run_transfer(plan, silent)->timed_out);
}

TEST(Transfer, BrokenStreamEndsAloneWithItsError) {
  ConnectedPair broken = connect_pair(), sound = connect_pair();
  const linger at_once{1, 0};
  setsockopt(broken.server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  broken.server.reset();  // RST
  TransferPlan plan;
  plan.duration = 1s;
  const BothEnds both = run_both(plan,
                                 {{.socket = broken.client.get(), .sends = true},
                                  {.socket = sound.client.get(), .sends = true}},
                                 {{.socket = sound.server.get()}});
  EXPECT_THAT(both.sender.streams[0].error,
              ::testing::AnyOf("Connection reset by peer", "Broken pipe"));
  EXPECT_FALSE(both.sender.streams[0].finished);
  EXPECT_TRUE(both.sender.streams[1].finished);
  EXPECT_EQ(both.sender.streams[1].bytes, both.receiver.streams[0].bytes);
}

}  // namespace
}  // namespace slowpath::probe
