// SPDX-License-Identifier: Apache-2.0
// truth.json and tcp_info.jsonl of a run that never happened.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/json.h"
#include "lab/run.h"

namespace slowpath::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kScenario = R"(title = "Loss on a line that loses anyway"
faults = ["random-loss"]
[parameters]
loss = "1%"
[hosts.server]
sysctl = { "net.ipv4.tcp_sack" = "0" }
[[stages]]
kind = "loss"
on = "server>client"
share = "$loss"
[[transfers]]
name = "main"
bytes = "1MiB"
[[fault.stages]]
kind = "loss"
on = "server>client"
share = "$loss"
[expect]
server = ["random-loss"]
client = ["random-loss", "unclear"]
)";

RunResult a_run() {
  RunResult result;
  result.seed = 42;
  result.void_because = {"3 frames were not taken by client"};
  TransferResult transfer;
  transfer.name = "main";
  StreamResult stream;
  stream.bytes_received = 9;
  stream.bytes_right = false;
  stream.bad = {{.offset = 5, .length = 2, .sent_hex = "00", .received_hex = "01"}};
  stream.sent_sha256 = "aa";
  stream.received_sha256 = "bb";
  stream.samples.resize(3);
  stream.samples[2].at = std::chrono::milliseconds{40};
  stream.samples[2].rwnd_limited_us = 1234;
  stream.last = stream.samples[2];
  transfer.streams = {stream};
  result.transfers = {transfer};
  result.captures = {{.point = "client", .file = "some/where/client.pcapng", .frames = 5}};
  result.directions = {{.name = "server>client",
                        .stages = {{.name = "loss", .taken = 9, .touched = 0, .dropped = 2}}}};
  result.activity = {
      {.direction = 0, .stage = 0, .events = 2, .first = time_from_ns(5), .last = time_from_ns(8)}};
  result.commands = {{.host = "server", .command = "ethtool -K eth0 tso off"}};
  result.counters_before["server"] = {{"Tcp.RetransSegs", 1}, {"Tcp.CurrEstab", 2}, {"x", 0}};
  result.counters_after["server"] = {{"Tcp.RetransSegs", 5}, {"Tcp.CurrEstab", 0}, {"x", 0}};
  return result;
}

class Truth : public ::testing::Test {
 protected:
  void SetUp() override {
    // Tests run side by side, each in a process of its own.
    folder_ = fs::temp_directory_path() / ("slowpath_truth_test." + std::to_string(getpid()));
    fs::create_directories(folder_);
    scenario_ = *read_scenario("lossy", kScenario);
  }
  void TearDown() override { fs::remove_all(folder_); }
  json write(Variant variant) {
    const auto& world = variant == Variant::healthy ? scenario_.healthy : scenario_.broken;
    const auto written = write_truth(folder_.string(), scenario_, variant, world, a_run());
    EXPECT_TRUE(written) << written.error().message();
    std::ifstream file(folder_ / "truth.json");
    return json::parse(file);
  }

  fs::path folder_;
  Scenario scenario_;
};

TEST_F(Truth, says_what_was_broken_and_where) {
  const auto truth = write(Variant::broken);
  EXPECT_EQ(truth["scenario"], "lossy");
  EXPECT_EQ(truth["variant"], "broken");
  EXPECT_EQ(truth["faults"], json({"random-loss"}));
  EXPECT_EQ(truth["seed"], 42);
  EXPECT_EQ(truth["parameters"], json({{"loss", "1%"}}));
  EXPECT_EQ(truth["void_because"].size(), 1U);
  EXPECT_EQ(truth["hosts"][0]["sysctl"]["net.ipv4.tcp_sack"], "0");
  // Of two stages alike one is the healthy twin's.
  const auto& stages = truth["links"][0]["server>client"];
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_EQ(stages[0]["of_fault"], false);
  EXPECT_EQ(stages[1]["of_fault"], true);
  EXPECT_EQ(stages[1]["settings"], json({{"share", "1%"}}));
  EXPECT_EQ(stages[1]["level"], "path");
  EXPECT_EQ(truth["captures"][0]["file"], "client.pcapng");
  EXPECT_EQ(truth["captures"][0]["accepted"], json({"random-loss", "unclear"}));
  EXPECT_EQ(truth["fix_commands"][0]["run"], "ethtool -K eth0 tso off");
  EXPECT_TRUE(truth["kernel"].get<std::string>().starts_with("Linux "));
}

TEST_F(Truth, says_what_came_out) {
  const auto truth = write(Variant::broken);
  const auto& transfer = truth["transfers"][0];
  EXPECT_EQ(transfer["settings"], json({{"bytes", "1MiB"}}));
  const auto& stream = transfer["streams"][0];
  EXPECT_EQ(stream["bytes_received"], 9);
  EXPECT_EQ(stream["sent_sha256"], "aa");
  EXPECT_EQ(stream["bad_ranges"][0]["offset"], 5);
  EXPECT_EQ(stream["tcp_info"]["rwnd_limited_us"], 1234);
  const auto& stage = truth["directions"][0]["stages"][0];
  EXPECT_EQ(stage["dropped"], 2);
  EXPECT_EQ(stage["active_from_ns"], 5);
  EXPECT_EQ(stage["active_until_ns"], 8);
  const auto& counters = truth["counters"]["server"];
  EXPECT_EQ(counters["Tcp.RetransSegs"], json({{"before", 1}, {"after", 5}, {"difference", 4}}));
  EXPECT_EQ(counters["Tcp.CurrEstab"]["difference"], -2);
  EXPECT_FALSE(counters.contains("x"));

  std::ifstream file(folder_ / "tcp_info.jsonl");
  std::string line, last;
  int lines = 0;
  for (; std::getline(file, line); ++lines) last = line;
  EXPECT_EQ(lines, 3);
  EXPECT_EQ(json::parse(last)["t_s"], 0.04);
  EXPECT_EQ(json::parse(last)["transfer"], "main");
}

TEST_F(Truth, the_healthy_twin_has_no_faults) {
  const auto truth = write(Variant::healthy);
  EXPECT_EQ(truth["faults"], json::array());
  EXPECT_EQ(truth["captures"][0]["accepted"], json::array({"healthy"}));
  EXPECT_EQ(truth["links"][0]["server>client"].size(), 1U);
  EXPECT_EQ(truth["links"][0]["server>client"][0]["of_fault"], false);
}

TEST_F(Truth, what_a_fix_leaves_is_not_told_beforehand) {
  EXPECT_FALSE(write(Variant::fixed)["captures"][0].contains("accepted"));
}

TEST_F(Truth, a_folder_that_is_not_there_is_an_error) {
  const auto written = write_truth((folder_ / "none").string(), scenario_, Variant::broken,
                                   scenario_.broken, a_run());
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().message().contains("none/truth.json: No such file"));
}

}  // namespace
}  // namespace slowpath::lab
