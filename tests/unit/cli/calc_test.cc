// SPDX-License-Identifier: Apache-2.0
// `slowpath calc` as a user meets it: the program is run, its answer, exit code and refusals
// checked. The formulas have their own tests in detect/.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/json.h"

namespace slowpath {
namespace {

struct Outcome {
  int exit_code;
  std::string text;  // standard output and error
};

Outcome calc(const std::string& arguments) {
  const std::string command = "LC_ALL=C.UTF-8 '" SLOWPATH_PROGRAM "' calc " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  Outcome outcome{};
  char buffer[4096];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.text.append(buffer, n);
  }
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

nlohmann::json calc_json(const std::string& arguments) {
  const Outcome outcome = calc(arguments + " --json");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  return nlohmann::json::parse(outcome.text, nullptr, false);
}

TEST(Calc, bufferForAPath) {
  const auto answer = calc_json("bdp --rate 1G --rtt 20ms");
  EXPECT_EQ(answer["schema"], "slowpath.calc.v1");
  EXPECT_EQ(answer["bdp_bytes"], 2500000);
  EXPECT_EQ(answer["window_shift"], 6);
  EXPECT_EQ(answer["linux_tcp_rmem_max_bytes"], 5001216) << "twice the product, in whole pages";
  EXPECT_EQ(answer["windows_level"], "normal");
  EXPECT_EQ(answer["solaris_recv_buf_bytes"], 2502656);
}

TEST(Calc, pathBeyondOneWindow) {
  const auto answer = calc_json("bdp --rate 100G --rtt 200ms");
  EXPECT_TRUE(answer["window_shift"].is_null());
  EXPECT_EQ(answer["connections"], 3);
  EXPECT_EQ(answer["windows_level"], "experimental");
  EXPECT_LE(answer["linux_tcp_rmem_max_bytes"], 2147483647);
  const auto wasteful = calc_json("bdp --rate 100G --rtt 200ms --adv-win-scale -2");
  EXPECT_EQ(wasteful["linux_tcp_rmem_max_bytes"], 2147483647);
}

TEST(Calc, windowTable) {
  const Outcome outcome = calc("window --rtt 30ms");
  EXPECT_EQ(outcome.exit_code, 0);
  for (const auto* row : {"   30 ms  17.5 Mbit/s\n", "   60 ms  8.74 Mbit/s\n",
                          "   90 ms  5.83 Mbit/s\n", "  120 ms  4.37 Mbit/s\n"}) {
    EXPECT_TRUE(outcome.text.contains(row)) << row << outcome.text;
  }
}

TEST(Calc, fragmentsHaveTheirOwnHeaders) {
  const Outcome outcome = calc("fragments --size 2000 --mtu 1500");
  EXPECT_TRUE(
      outcome.text.starts_with("A packet of 2000 bytes at MTU 1500 becomes 1500 + 520 bytes\n"))
      << outcome.text;
  EXPECT_EQ(calc_json("fragments --payload 2000")["fragments"][1]["packet_bytes"], 548);
  EXPECT_EQ(calc_json("fragments --size 1500")["fragment_count"], 1);
}

TEST(Calc, mtuOfATunnel) {
  const auto answer = calc_json("mtu --tunnel wireguard");
  EXPECT_EQ(answer["mtu_bytes"], 1440);
  EXPECT_EQ(answer["overhead_bytes"], 60);
  EXPECT_EQ(answer["mss_ipv4_bytes"], 1400);
  EXPECT_EQ(answer["ping_ipv4_bytes"], 1412);
  EXPECT_EQ(calc_json("mtu --mtu 9000")["ping_ipv4_bytes"], 8972);
}

TEST(Calc, packetsASecond) {
  const Outcome outcome = calc("mtu");
  EXPECT_TRUE(outcome.text.contains("10 Gbit/s  1.23 µs    812 744\n")) << outcome.text;
}

TEST(Calc, lossBothWays) {
  const auto budget = calc_json("loss --rate 1G --rtt 80ms");
  EXPECT_NEAR(budget["cubic_max_loss"].get<double>(), 6.5e-7, 1e-8);
  EXPECT_NEAR(budget["reno_max_loss"].get<double>(), 3.15e-8, 1e-9);
  const auto rate = calc_json("rate --loss 0.1% --rtt 50ms");
  EXPECT_NEAR(rate["reno_bps"].get<double>(), 8.97e6, 1e4);
  const auto limited = calc_json("rate --loss 0.001% --rtt 50ms --window 65535");
  EXPECT_DOUBLE_EQ(limited["cubic_bps"].get<double>(), 65535 * 8 / 0.05);
}

TEST(Calc, distanceBothWays) {
  EXPECT_DOUBLE_EQ(calc_json("rtt --km 5000")["rtt_floor_s"].get<double>(), 0.05);
  EXPECT_DOUBLE_EQ(calc_json("rtt --rtt 42ms")["farthest_km"].get<double>(), 4200);
}

TEST(Calc, ports) {
  const Outcome outcome = calc("ports --range 28232 --time-wait 60s");
  EXPECT_TRUE(outcome.text.starts_with(
      "28 232 ports and a TIME_WAIT of 1 min allow 470 new connections a second\n"))
      << outcome.text;
}

TEST(Calc, scaledWindow) {
  EXPECT_EQ(calc_json("wscale --shift 7 --field 21927")["window_bytes"], 2806656);
  EXPECT_EQ(calc_json("wscale")["by_shift"][14]["window_bytes"], 1073725440);
  EXPECT_EQ(calc_json("autotuning")["levels"][3]["window_bytes"], 16776960);
}

TEST(Calc, transfer) {
  // Windows of 10, 20 ... 320 segments carry 630 of the 725; the rest comes in a seventh round.
  const auto answer = calc_json("transfer --size 1M --rate 1G --rtt 80ms");
  EXPECT_NEAR(answer["data_s"].get<double>(), 7 * 0.08, 0.002);
  EXPECT_EQ(answer["slow_start_rounds"], 7);
}

TEST(Calc, refusesWithOneSentence) {
  const char* const wrong[][2] = {
      {"bdp --rate fast --rtt 20ms", "write it like 10M, 1.5Gbit/s or 12.5MB/s"},
      {"bdp --rate 1G --rtt 20", "the unit is missing"},
      {"bdp --rate 0 --rtt 1s", "not above zero"},
      {"bdp --rate 1G", "--rtt is required"},
      {"mtu --tunnel pigeon", "known are pppoe"},
      {"mtu --mtu 80 --tunnel vxlan", "less than the 68 bytes"},
      {"mtu --mtu 67", "68"},
      {"fragments --mtu 1500", "--size"},
      {"fragments --size 70000", "21 to 65535 bytes"},
      {"fragments --size 20", "21 to 65535 bytes"},
      {"fragments --size 2000 --mtu 1200 --ipv6", "1280"},
      {"rtt", "--km"},
      {"rate --loss 101% --rtt 1ms", "more than the whole"},
      {"ports --range 0", "1 to 65535"},
      {"abacus", "abacus"},
  };
  for (const auto& [arguments, sentence] : wrong) {
    const Outcome outcome = calc(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_TRUE(outcome.text.contains(sentence)) << outcome.text;
    EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
  }
}

TEST(Calc, withoutArgumentsShowsExamples) {
  const Outcome outcome = calc("");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(outcome.text.contains("slowpath calc bdp --rate 1G --rtt 20ms")) << outcome.text;
}

TEST(Calc, survivesAbsurdNumbers) {
  for (const auto* arguments :
       {"bdp --rate 1e18 --rtt 100000d", "bdp --rate 1e-9 --rtt 1ns",
        "loss --rate 1e18 --rtt 100000d", "loss --rate 1e-9 --rtt 1ns",
        "rate --loss 1e-300 --rtt 1ns", "rate --loss 1 --rtt 100000d",
        "window --rtt 1ns --window 9e15", "transfer --size 9e18 --rate 1e-9 --rtt 100000d",
        "rtt --km 1e9", "rtt --rtt 100000d", "ports --time-wait 1ns",
        "fragments --size 65535 --mtu 68"}) {
    EXPECT_EQ(calc(arguments).exit_code, 0) << arguments;
    EXPECT_TRUE(calc_json(arguments).is_object()) << arguments;
  }
}

TEST(Calc, fitsOneScreenOfHundredColumns) {
  for (const auto* arguments :
       {"bdp --rate 1G --rtt 20ms", "window --rtt 30ms", "mtu", "mtu --tunnel ipsec-natt",
        "fragments --size 65535", "rtt --km 5000", "loss --rate 1G --rtt 80ms",
        "rate --loss 5% --rtt 50ms --window 64K", "transfer --size 10M --rate 1G --rtt 80ms",
        "ports", "wscale", "autotuning"}) {
    const Outcome outcome = calc(arguments);
    EXPECT_LE(std::ranges::count(outcome.text, '\n'), 40) << arguments;
    std::istringstream lines(outcome.text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
}

}  // namespace
}  // namespace slowpath
