// SPDX-License-Identifier: Apache-2.0
// The parts of the iperf3 protocol that need no peer: parameters, datagram numbers, results.
// tests/iperf3 does the rest with iperf3 itself.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <future>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "probe/iperf3/client.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/parameters.h"
#include "probe/iperf3/protocol.h"
#include "probe/iperf3/results.h"
#include "probe/iperf3/test_file.h"
#include "probe/iperf3/watch.h"

namespace slowpath::probe::iperf3 {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

TEST(Iperf3Parameters, ComeBackAsTheyWent) {
  Parameters sent;
  sent.is_udp = sent.reverse = sent.no_delay = sent.wide_counters = true;
  sent.duration_s = 0.5;
  sent.omit_s = 2;
  sent.streams = 7;
  sent.block_bytes = 1200;
  sent.rate_bps = 5e9;
  sent.window_bytes = 1 << 20;
  sent.congestion_control = "reno";
  const auto got = parameters_from(to_json(sent), {});
  ASSERT_TRUE(got);
  EXPECT_EQ(to_json(*got), to_json(sent));
}

TEST(Iperf3Parameters, DefaultsAreThoseOfIperf3) {
  const auto got = parameters_from(Json{{"tcp", true}, {"time", 10}}, {});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->streams, 1U);
  EXPECT_EQ(got->block_bytes, 128U << 10);
  EXPECT_EQ(got->rate_bps, 0);
}

TEST(Iperf3Parameters, LimitsOfAServer) {
  const ServerLimits limits{.longest_s = 60, .highest_bps = 1e9};
  const Json sound{{"tcp", true}, {"time", 60}, {"bandwidth", 500'000'000}, {"parallel", 2}};
  EXPECT_TRUE(parameters_from(sound, limits));
  Json json = sound;
  json["time"] = 61;
  EXPECT_EQ(parameters_from(json, limits).error().iperf_error, 5);
  json = sound;
  json["bidirectional"] = true;
  EXPECT_EQ(parameters_from(json, limits).error().iperf_error, 27);
  json = sound;
  json["bandwidth"] = 0;  // as fast as it goes
  EXPECT_EQ(parameters_from(json, limits).error().iperf_error, 27);
  // A test without a rate of its own is measured.
  const ServerLimits average{.most_average_bps = 8e8};
  EXPECT_TRUE(parameters_from(Json{{"tcp", true}}, average));
  EXPECT_EQ(parameters_from(sound, average).error().iperf_error, 27);
}

class Datagrams : public testing::TestWithParam<bool> {
 protected:
  /// The datagram with this number.
  static std::array<std::byte, 100> datagram(std::uint64_t number) {
    DatagramSource source(GetParam());
    std::array<std::byte, 100> block{};
    for (std::uint64_t i = 0; i < number; ++i) source.fill(block, 0);
    return block;
  }
  void take(std::uint64_t number) { sink_.take(datagram(number), 0); }

  DatagramSink sink_{GetParam()};
};

TEST_P(Datagrams, InOrder) {
  for (std::uint64_t i = 1; i <= 10; ++i) take(i);
  EXPECT_EQ(sink_.counts().packets, 10U);
  EXPECT_EQ(sink_.counts().lost, 0U);
  EXPECT_EQ(sink_.counts().out_of_order, 0U);
}

TEST_P(Datagrams, AHoleIsALossUntilItIsFilled) {
  for (const std::uint64_t i : {1, 2, 5}) take(i);
  EXPECT_EQ(sink_.counts().lost, 2U);
  take(3);
  EXPECT_EQ(sink_.counts().lost, 1U);
  EXPECT_EQ(sink_.counts().out_of_order, 1U);
  EXPECT_EQ(sink_.counts().packets, 5U);
}

TEST_P(Datagrams, TooShortOnesAreNobodys) {
  sink_.take(Bytes(datagram(9)).first(11), 0);
  sink_.take({}, 0);
  EXPECT_EQ(sink_.counts().packets, 0U);
  DatagramSource source(GetParam());
  std::array<std::byte, 3> small{};
  source.fill(small, 0);
  EXPECT_EQ(source.packets(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Counters, Datagrams, testing::Bool());

Iperf3Facts sender() {
  Iperf3Facts facts;
  Iperf3Stream& stream = facts.streams.emplace_back();
  stream.id = 1;
  stream.sends = true;
  stream.sent_bytes = 1000;
  return facts;
}

TEST(Iperf3Results, OfTheOtherEnd) {
  Iperf3Facts facts = sender();
  take_results(facts, Json::parse(R"({"cpu_util_total":7.5,"congestion_used":"bbr","streams":[
      {"id":9,"bytes":5},{"id":1,"bytes":900,"retransmits":-1,"jitter":0.5,"errors":3,"packets":8,
       "start_time":0,"end_time":2}]})"));
  EXPECT_TRUE(facts.has_remote);
  EXPECT_EQ(facts.remote.total_percent, 7.5);
  EXPECT_EQ(facts.receiver_congestion, "bbr");
  EXPECT_EQ(facts.streams[0].received_bytes, 900U);
  EXPECT_EQ(facts.streams[0].received.lost, 3U);
  EXPECT_EQ(facts.streams[0].remote_seconds, 2);
}

TEST(Iperf3Results, OfOtherTypesAreLeftOut) {
  for (const char* text :
       {R"({"streams":{}})", R"({"streams":[[],3,{"id":"1"},{"id":1.5e300}]})",
        R"({"streams":[{"id":1,"bytes":-1,"errors":1e300,"jitter":[],"end_time":"x"}]})",
        R"({"cpu_util_total":"x","congestion_used":{},"server_output_text":5})"}) {
    Iperf3Facts facts = sender();
    take_results(facts, Json::parse(text));
    EXPECT_EQ(facts.streams[0].received_bytes, 0U) << text;
    EXPECT_EQ(facts.streams[0].sent_bytes, 1000U) << text;
  }
}

TEST(Iperf3Protocol, CookiesAreTheirOwn) {
  const std::string cookie = make_cookie();
  EXPECT_EQ(cookie.size(), kCookieBytes);
  EXPECT_EQ(cookie.find('\0'), kCookieBytes - 1);
  EXPECT_NE(cookie, make_cookie());
}

TEST(Iperf3Protocol, EveryNumberHasWords) {
  EXPECT_THAT(error_words(121, 0), testing::HasSubstr("busy"));
  EXPECT_THAT(error_words(-7, 0), testing::HasSubstr("-7"));
  EXPECT_THAT(error_words(103, 111), testing::HasSubstr("refused"));
  // IEAFFINITY of iperf_api.h, whichever of both ends says it.
  const auto refused = parameters_from(Json{{"tcp", true}, {"server_affinity", 5000}}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().iperf_error, 132);
  EXPECT_THAT(error_words(refused.error().iperf_error, 0), testing::HasSubstr("processor"));
}

TEST(Iperf3Run, APauseOfTheSendersOwnIsNoSilence) {
  Parameters parameters;
  parameters.block_bytes = 1'000'000;
  EXPECT_EQ(silence_limit_s(parameters, 120), 120);
  parameters.rate_bps = 8000;  // a block in 1000 s
  EXPECT_EQ(silence_limit_s(parameters, 120), 1120);
  parameters.burst_blocks = 2;
  EXPECT_EQ(silence_limit_s(parameters, 120), 2120);
}

TEST(Iperf3Run, WhatIsSentWithoutCopyingIsWhatWasAskedFor) {
  Parameters parameters;
  parameters.block_bytes = 1000;
  std::array<char, 2000> block{};
  const Descriptor noise = memory_file(parameters);
  ASSERT_EQ(pread(noise.get(), block.data(), block.size(), 0), 1000);
  EXPECT_GT(std::set<char>(block.begin(), block.begin() + 1000).size(), 50U);
  parameters.repeating_payload = true;
  const Descriptor digits = memory_file(parameters);
  ASSERT_EQ(pread(digits.get(), block.data(), block.size(), 0), 1000);
  EXPECT_EQ(std::string_view(block.data(), 12), "012345678901");
  EXPECT_EQ(block[999], '9');
}

/// A control connection from 127.0.0.2, and a server's UDP socket that tells who it hears.
TEST(Iperf3Streams, DatagramsLeaveFromTheAddressOfTheControlConnection) {
  const auto listener = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
  ASSERT_TRUE(listener.has_value());
  const std::uint16_t port = local_endpoint(listener->get())->port;
  const auto control =
      connect_tcp({.host = "127.0.0.1", .port = port, .bind_host = "127.0.0.2"}, {}, 60s);
  ASSERT_TRUE(control.has_value());
  const auto accepted = accept_tcp(listener->get(), 60s);
  ASSERT_TRUE(accepted.has_value() && accepted->has_value());
  auto server = UdpListener::bind((*accepted)->get(), {});
  ASSERT_TRUE(server.has_value()) << server.error().message();
  auto stream = std::async(std::launch::async,
                           [&] { return connect_udp_stream(control->get(), 0, {}, {}, 60s); });
  const auto served = server->accept(60s);
  ASSERT_TRUE(served.has_value()) << served.error().message();
  EXPECT_EQ(to_string(remote_endpoint(served->get())->address), "127.0.0.2");
  ASSERT_TRUE(stream.get().has_value());
  const auto nowhere = connect_udp_stream(control->get(), 0, "no-such-device", {}, 1s);
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_THAT(nowhere.error().message(), testing::HasSubstr("no-such-device"));
}

TEST(Iperf3Streams, AListenerTakesPartInItsInterfaceOnly) {
  EXPECT_TRUE(listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {}, 1, "lo").has_value());
  const auto nowhere = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {}, 1, "no-such-device");
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_THAT(nowhere.error().message(), testing::HasSubstr("no-such-device"));
}

TEST(Iperf3Run, TheAverageIsThatOfTheLastIntervals) {
  AverageRate rate(8000, 3s, 1s);
  // A thousand bytes a second are allowed.
  EXPECT_FALSE(rate.exceeds(5000, 1));
  EXPECT_FALSE(rate.exceeds(5000, 1));
  EXPECT_TRUE(rate.exceeds(0, 1));
  EXPECT_TRUE(rate.exceeds(0, 1));
  EXPECT_FALSE(rate.exceeds(1000, 1));
  EXPECT_FALSE(rate.exceeds(2000, 1));
  // An interval that came late was a longer one.
  EXPECT_FALSE(AverageRate(8000, 1s, 1s).exceeds(3000, 3));
  EXPECT_TRUE(AverageRate(8000, 100ms, 1s).exceeds(1001, 1));
}

TEST(Iperf3Run, WhatComesIsWrittenFromTheBeginning) {
  const std::string name = testing::TempDir() + "iperf3_test_written_" + std::to_string(getpid());
  std::ofstream(name) << "what was there before";
  const auto file = TestFile::open(name, FileUse::either);
  ASSERT_TRUE(file.has_value());
  Watch watch;
  for (const std::string_view text : {"first and long", "second"}) {
    ASSERT_TRUE(file->empty().has_value());
    FileSink sink(watch, file->get(), nullptr);
    sink.take(std::as_bytes(std::span(text.substr(0, 3))), 0);
    sink.take(std::as_bytes(std::span(text.substr(3))), 3);
    std::string written;
    std::getline(std::ifstream(name), written);
    EXPECT_EQ(written, text);
  }
  EXPECT_EQ(file->bytes_to_send().value_or(0), 6U);
  EXPECT_EQ(watch.moved_bytes, 20U);
  unlink(name.c_str());
}

TEST(Iperf3Run, AFileThatIsNoneIsRefused) {
  EXPECT_FALSE(TestFile::open(testing::TempDir(), FileUse::either).has_value());
  EXPECT_FALSE(TestFile::open("/no/such/folder/file", FileUse::either).has_value());
  const auto device = TestFile::open("/dev/null", FileUse::either);
  ASSERT_TRUE(device.has_value());
  EXPECT_TRUE(device->is_writable());
  EXPECT_TRUE(device->empty().has_value());
  EXPECT_FALSE(device->bytes_to_send().has_value());
}

TEST(Iperf3Client, AFileIsNotEmptiedForAServerThatIsNotThere) {
  const std::string file = testing::TempDir() + "iperf3_test_kept_" + std::to_string(getpid());
  std::ofstream(file) << "precious";
  // A port that nobody listens on: bound, and closed with this test.
  const auto taken = listen_tcp("127.0.0.1", 0, IpFamily::ipv4, {});
  ASSERT_TRUE(taken.has_value());
  ClientOptions options;
  options.server = {.host = "127.0.0.1", .port = local_endpoint(taken->get())->port};
  ASSERT_EQ(shutdown(taken->get(), SHUT_RDWR), 0);
  options.parameters.reverse = true;
  options.file = file;
  options.connect_timeout = 1s;
  EXPECT_FALSE(run_client(options).has_value());
  std::string text;
  std::ifstream(file) >> text;
  EXPECT_EQ(text, "precious");
  unlink(file.c_str());
}

}  // namespace
}  // namespace slowpath::probe::iperf3
