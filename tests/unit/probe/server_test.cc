// SPDX-License-Identifier: Apache-2.0
// The server and its client over loopback: what works, and what must not be possible.
#include "probe/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/preamble.h"
#include "probe/throughput.h"
#include "probe/transfer_end.h"
#include "running_server.h"

namespace slowpath::probe {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Duration kSoon = 60s;

TransferRequest small_request(TransferWay way = TransferWay::to_server) {
  TransferRequest request;
  request.way = way;
  request.key = 99;
  request.plan.bytes = 2'000'000;
  return request;
}

TestRun run(Session& session, const TransferRequest& request) {
  auto done = run_throughput(session, request);
  EXPECT_TRUE(done.has_value()) << done.error().message();
  return done ? *std::move(done) : TestRun{};
}

TEST(Server, MovesAndProvesBytesInEveryWay) {
  RunningServer server;
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value()) << session.error().message();
  EXPECT_EQ(session->server_version(), "test");
  for (const TransferWay way :
       {TransferWay::to_server, TransferWay::to_client, TransferWay::both}) {
    TransferRequest request = small_request(way);
    request.streams = 3;
    const TestRun done = run(*session, request);
    ASSERT_EQ(done.flows.size(), way == TransferWay::both ? 2U : 1U);
    for (const TestFlow& flow : done.flows) {
      EXPECT_EQ(flow.received_bytes, 2'000'000U) << to_string(way);
      EXPECT_EQ(flow.integrity.checked_bytes, 2'000'000U);
      EXPECT_EQ(flow.integrity.differing_bytes, 0U);
      EXPECT_TRUE(flow.complete);
      EXPECT_GT(flow.goodput_bps, 0);
      ASSERT_EQ(flow.streams.size(), 3U);
      EXPECT_TRUE(flow.streams[0].sender.has_value());
    }
  }
  EXPECT_EQ(server.stop().requests, 3U);
}

TEST(Server, LimitsAreToldBeforeATestBegins) {
  RunningServer server{{.limits = {.rate_bps = 100e6, .transfer = 3s}}};
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value()) << session.error().message();
  EXPECT_EQ(session->limits().most_s, 3);
  EXPECT_EQ(session->limits().most_rate_bps, 100e6);
  RunningServer free;
  session = Session::open(free.target(), "", kSoon);
  ASSERT_TRUE(session.has_value()) << session.error().message();
  EXPECT_EQ(session->limits().most_rate_bps, 0);
}

TEST(Server, EveryContentIsProved) {
  RunningServer server;
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  for (const ContentKind kind : {ContentKind::random, ContentKind::text, ContentKind::zeros}) {
    TransferRequest request = small_request(TransferWay::to_client);
    request.content = kind;
    const TestRun done = run(*session, request);
    EXPECT_EQ(done.flows[0].integrity.checked_bytes, 2'000'000U) << to_string(kind);
    EXPECT_EQ(done.flows[0].integrity.differing_bytes, 0U) << to_string(kind);
  }
  TransferRequest request = small_request();
  request.zero_copy = true;
  EXPECT_EQ(run(*session, request).flows[0].integrity.differing_bytes, 0U);
}

TEST(Server, TokenIsAskedForAndProved) {
  RunningServer server{{.secret = "open sesame", .secret_on_loopback = true}};
  const auto none = Session::open(server.target(), "", kSoon);
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message(), HasSubstr("--token"));
  const auto wrong = Session::open(server.target(), "open barley", kSoon);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message(), HasSubstr("token is wrong"));
  auto right = Session::open(server.target(), "open sesame", kSoon);
  ASSERT_TRUE(right.has_value()) << right.error().message();
  EXPECT_TRUE(run(*right, small_request()).flows[0].complete);
  EXPECT_EQ(server.stop().refused, 1U);
}

TEST(Server, ServesNobodyElseWithoutBeingTold) {
  const auto open_by_accident = Server::start({.host = "0.0.0.0", .port = 0});
  ASSERT_FALSE(open_by_accident.has_value());
  EXPECT_EQ(open_by_accident.error().kind, ErrorKind::usage);
  EXPECT_TRUE(Server::start({.host = "0.0.0.0", .port = 0, .open = true}).has_value());
  EXPECT_TRUE(Server::start({.host = "0.0.0.0", .port = 0, .secret = "s"}).has_value());
}

TEST(Server, SaysWhenItIsBusy) {
  ServerConfig config;
  config.limits.clients = 1;
  RunningServer server{config};
  auto first = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(first.has_value());
  const auto second = Session::open(server.target(), "", kSoon);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message(), HasSubstr("try again later"));
  EXPECT_TRUE(run(*first, small_request()).flows[0].complete);
}

TEST(Server, UnknownRequestIsToldAndTheSessionGoesOn) {
  RunningServer server;
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  EXPECT_TRUE(session->knows("transfer"));
  EXPECT_FALSE(session->knows("teleport"));
  const auto answer = session->ask({{"type", "teleport"}}, "ready", kSoon);
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message(), HasSubstr("knows no request \"teleport\""));
  EXPECT_TRUE(run(*session, small_request()).flows[0].complete);
}

TEST(Server, RequestBeyondItsLimitsIsRefusedByName) {
  RunningServer server;
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  TransferRequest request = small_request();
  request.streams = 100'000;
  const auto refused = run_throughput(*session, request);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), HasSubstr("streams"));
}

TEST(Server, RateLimitHoldsBothWays) {
  ServerConfig config;
  config.limits.rate_bps = 40e6;
  RunningServer server{config};
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  TransferRequest request = small_request(TransferWay::to_client);
  request.plan.block_bytes = 10'000;
  // Both clocks run longer than 16 Mbit at 40 Mbit/s take, but for what goes at once.
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run(*session, request).flows[0].received_bytes, 2'000'000U);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
}

/// What a client of another kind gets to read until the server closes.
std::string answer_to(const Target& target, Bytes words) {
  auto socket = connect_tcp(target, {}, kSoon);
  EXPECT_TRUE(socket.has_value());
  EXPECT_EQ(send(socket->get(), words.data(), words.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(words.size()));
  shutdown(socket->get(), SHUT_WR);
  std::string text;
  std::array<char, 1000> piece;
  while (wait_readable(socket->get(), kSoon)) {
    const ssize_t got = recv(socket->get(), piece.data(), piece.size(), 0);
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

TEST(Server, SaysNothingToStrangers) {
  RunningServer server;
  const std::string http = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(answer_to(server.target(), std::as_bytes(std::span{http})), "");
  EXPECT_EQ(answer_to(server.target(), {}), "");
  const auto stream = encode({.kind = ConnectionKind::data, .session = std::string(32, 'a')});
  EXPECT_EQ(answer_to(server.target(), stream), "");
  EXPECT_EQ(server.stop().garbled, 1U);
}

TEST(Server, TellsItsVersionToAnyVersion) {
  RunningServer server;
  auto first = encode({});
  first[9] = std::byte{7};
  EXPECT_THAT(answer_to(server.target(), first), HasSubstr("\"major\":1"));
}

TEST(Server, SurvivesGarbageWhereALoginIsDue) {
  RunningServer server;
  const auto first = encode({});
  for (const std::string& text : {std::string{"\xff\xff\xff\xff", 4}, std::string{"\0\0\0\2[]", 6},
                                  std::string{"\0\0\0\x0e{\"type\":\"hi\"}", 18}}) {
    std::vector<std::byte> words{first.begin(), first.end()};
    const Bytes more = std::as_bytes(std::span{text});
    words.insert(words.end(), more.begin(), more.end());
    answer_to(server.target(), words);
  }
  EXPECT_TRUE(Session::open(server.target(), "", kSoon).has_value());
  EXPECT_EQ(server.stop().garbled, 3U);
}

TEST(Server, AnswersBesideAThousandThatSayNothing) {
  RunningServer server;
  std::vector<Descriptor> silent;
  for (int i = 0; i < 1000; ++i) {
    auto socket = connect_tcp(server.target(), {}, kSoon);
    if (!socket) GTEST_SKIP() << "not so many descriptors: " << socket.error().message();
    silent.push_back(*std::move(socket));
  }
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value()) << session.error().message();
  const TestRun done = run(*session, small_request(TransferWay::both));
  for (const TestFlow& flow : done.flows) EXPECT_EQ(flow.integrity.checked_bytes, 2'000'000U);
}

TEST(Server, ClosesWhoIsSilentTooLong) {
  ServerConfig config;
  config.limits.handshake = 50ms;
  RunningServer server{config};
  auto socket = connect_tcp(server.target(), {}, kSoon);
  ASSERT_TRUE(socket.has_value());
  ASSERT_TRUE(wait_readable(socket->get(), kSoon));
  char byte = 0;
  EXPECT_EQ(recv(socket->get(), &byte, 1, 0), 0);
  EXPECT_EQ(server.stop().too_slow, 1U);
}

TEST(Server, LostClientDoesNotWedgeIt) {
  RunningServer server;
  for (int i = 0; i < 3; ++i) {
    auto session = Session::open(server.target(), "", kSoon);
    ASSERT_TRUE(session.has_value());
    // It asks for a transfer, brings one of its two streams, and is gone.
    TransferRequest request = small_request();
    request.streams = 2;
    ASSERT_TRUE(session->ask(to_json(request), "ready", kSoon).has_value());
    ASSERT_TRUE(session->open_stream(0, {}, kSoon).has_value());
  }
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  EXPECT_TRUE(run(*session, small_request()).flows[0].complete);
}

TEST(Server, CeilingIsTold) {
  RunningServer server;
  auto session = Session::open(server.target(), "", kSoon);
  ASSERT_TRUE(session.has_value());
  const auto ceiling = ask_ceiling(*session, 131'072, true);
  ASSERT_TRUE(ceiling.has_value()) << ceiling.error().message();
  EXPECT_GT(*ceiling, 1e6);
}

TEST(Client, OtherVersionIsTold) {
  const auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
  const std::jthread other{[&] {
    auto taken = accept_tcp(listener->get(), kSoon);
    Channel channel{**std::move(taken)};
    const auto told =
        channel.send({{"type", "hello"}, {"major", 2}, {"minor", 0}, {"nonce", "00"}}, kSoon);
    EXPECT_TRUE(told.has_value());
    wait_readable(channel.socket(), kSoon);
  }};
  const auto session = Session::open(
      {.host = "127.0.0.1", .port = local_endpoint(listener->get())->port}, "", kSoon);
  ASSERT_FALSE(session.has_value());
  EXPECT_THAT(session.error().message(), HasSubstr("version 2"));
  EXPECT_THAT(session.error().message(), HasSubstr("same version"));
}

TEST(Client, GarbledReportIsAnError) {
  for (const Json& report :
       {Json{{"type", "report"}, {"counted_s", "x"}}, Json{{"type", "report"}, {"counted_s", -1}},
        Json{{"type", "report"}, {"streams", {{{"number", "a"}}}}},
        Json{{"type", "report"}, {"cpus", {{{"user_s", false}}}}}})
    EXPECT_FALSE(parse_end_report(report).has_value()) << report;
  EXPECT_TRUE(parse_end_report({{"type", "report"}}).has_value());
}

TEST(Client, ReportPassesUnchanged) {
  EndReport report;
  report.counted_s = 2.5;
  report.streams.push_back({.number = 3,
                            .sent = true,
                            .bytes = 77,
                            .seconds = 1.5,
                            .finished = true,
                            .error = "e",
                            .socket = SocketFacts{}});
  report.streams[0].socket->busy_s = 1.25;
  report.streams[0].socket->sack = true;
  report.integrity.places = 1;
  report.integrity.displaced_by = -5;
  report.integrity.differences.push_back({.offset = 9,
                                          .length = 2,
                                          .differing = 2,
                                          .expected = {std::byte{1}, std::byte{255}},
                                          .seen = {std::byte{0}, std::byte{7}},
                                          .found_at = 4});
  const auto again = parse_end_report(Json::parse(to_json(report).dump()));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_json(*again), to_json(report));
  EXPECT_EQ(again->integrity.differences[0].seen, report.integrity.differences[0].seen);
  EXPECT_EQ(again->streams[0].socket->busy_s, 1.25);
}

}  // namespace
}  // namespace slowpath::probe
