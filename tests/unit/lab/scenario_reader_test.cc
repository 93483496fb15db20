// SPDX-License-Identifier: Apache-2.0
// Scenarios read: worlds with and without their fault, and every mistake refused with its line.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "lab/scenario.h"

namespace slowpath::lab {
namespace {

constexpr std::string_view kLoss = R"(title = "A line that loses"
about = """
Two sentences. Of it.
"""
faults = ["random-loss"]
ci = true

[parameters]
rtt = { value = "21ms", draw = ["0.1ms", "200ms"] }
loss = { value = "1%", draw = ["0.05%", "5%"] }

[hosts.client]
mtu = 9000
sysctl = { "net.ipv4.tcp_sack" = 1, "net.ipv4.tcp_ecn" = "0" }
run = ["ethtool -K eth0 gro off"]

[path]
rtt = "$rtt"
rate = "100Mbit/s"
queue = "250KB"

[[transfers]]
name = "main"
bytes = "20MiB"
limit = "8s"

[capture]
points = ["server", "client", "client-wire"]
snap = 128
ports = [5001]

[fault.hosts.client]
sysctl = { "net.ipv4.tcp_sack" = "0" }
run = ["ethtool -K eth0 tso off"]
congestion_control = "bbr"
[fault.transfers.main]
rcvbuf = "16KiB"
bytes = "1MiB"
[fault.path]
queue = "25KB"
[[fault.stages]]
kind = "loss"
on = "server>client"
share = "$loss"
[[fault.more_transfers]]
name = "cross"
limit = "1s"

[symptom]
rate_below = "50Mbit/s"
[expect]
server = ["random-loss"]
client = ["random-loss", "unclear"]
client-wire = ["random-loss"]
allowed = ["tail-loss"]
never = ["policer"]

[[fixes]]
summary = "the line repaired"
heal = true
rate_ratio = 1.5
[[fixes]]
summary = "BBR hides it"
commands = [{ host = "server", run = "ip route change default congctl bbr" }]
wrong = true
set = { rtt = "1ms" }
)";

Scenario read(std::string_view toml, const std::map<std::string, std::string>& overrides = {}) {
  auto scenario = read_scenario("test", toml, overrides);
  EXPECT_TRUE(scenario) << scenario.error().message();
  return scenario.value_or(Scenario{});
}

std::string mistake_of(const std::string& toml) {
  const auto scenario = read_scenario("test", toml);
  if (scenario) return "none";
  EXPECT_EQ(scenario.error().kind, ErrorKind::usage);
  const auto message = scenario.error().message();
  constexpr std::string_view kPrefix = "cannot read scenario test, ";
  return message.starts_with(kPrefix) ? message.substr(kPrefix.size()) : message;
}

/// kLoss with one piece of text replaced.
std::string with(std::string_view text, std::string_view replacement) {
  std::string toml{kLoss};
  const auto at = toml.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  return toml.replace(at, text.size(), replacement);
}

std::vector<std::string> kinds_of(const std::vector<StageSpec>& stages) {
  std::vector<std::string> kinds;
  for (const auto& stage : stages) kinds.emplace_back(stage.kind->name);
  return kinds;
}

TEST(scenario_reader, reads_what_it_is_and_what_must_be_found) {
  const auto scenario = read(kLoss);
  EXPECT_EQ(scenario.name, "test");
  EXPECT_EQ(scenario.title, "A line that loses");
  EXPECT_EQ(scenario.about, "Two sentences. Of it.");
  EXPECT_EQ(scenario.family, "network");
  EXPECT_TRUE(scenario.in_ci);
  EXPECT_EQ(scenario.symptom.rate_below_bps, 50e6);
  ASSERT_EQ(scenario.expected.size(), 3U);
  EXPECT_EQ(scenario.expected[1].point, "client");
  EXPECT_EQ(scenario.expected[1].accepted, (std::vector<std::string>{"random-loss", "unclear"}));
  EXPECT_EQ(scenario.allowed, std::vector<std::string>{"tail-loss"});
  EXPECT_EQ(scenario.never, std::vector<std::string>{"policer"});
  ASSERT_EQ(scenario.fixes.size(), 2U);
  EXPECT_TRUE(scenario.fixes[0].heal);
  EXPECT_EQ(scenario.fixes[0].rate_ratio, 1.5);
  EXPECT_TRUE(scenario.fixes[1].is_wrong);
  EXPECT_EQ(scenario.fixes[1].commands.at(0).host, "server");
  EXPECT_EQ(scenario.fixes[1].set.at("rtt"), "1ms");
}

TEST(scenario_reader, the_healthy_twin_has_nothing_of_the_fault) {
  const auto& world = read(kLoss).healthy;
  ASSERT_EQ(world.hosts.size(), 2U);
  EXPECT_EQ(world.hosts[0].name, "server");
  EXPECT_EQ(world.hosts[0].mtu, 1500U);
  const auto& client = world.hosts[1];
  EXPECT_EQ(client.mtu, 9000U);
  EXPECT_EQ(client.congestion_control, "cubic");
  EXPECT_EQ(client.sysctls.at("net.ipv4.tcp_sack"), "1");
  EXPECT_EQ(client.commands.size(), 1U);
  ASSERT_EQ(world.links.size(), 1U);
  EXPECT_EQ(kinds_of(world.links[0].a_to_b), (std::vector<std::string>{"rate", "delay"}));
  EXPECT_EQ(kinds_of(world.links[0].b_to_a), std::vector<std::string>{"delay"});
  EXPECT_EQ(world.links[0].a_to_b[0].settings.values().at("queue"), "250KB");
  EXPECT_EQ(world.links[0].b_to_a[0].settings.values().at("time"), "10.5ms");
  ASSERT_EQ(world.transfers.size(), 1U);
  EXPECT_EQ(world.transfers[0].settings.values().at("bytes"), "20MiB");
  EXPECT_EQ(world.capture.snap_len, 128U);
  EXPECT_EQ(world.capture.ports, std::vector<std::uint16_t>{5001});
}

TEST(scenario_reader, the_fault_is_put_over_it) {
  const auto& world = read(kLoss).broken;
  const auto& client = world.hosts[1];
  EXPECT_EQ(client.mtu, 9000U);
  EXPECT_EQ(client.congestion_control, "bbr");
  EXPECT_EQ(client.sysctls.at("net.ipv4.tcp_sack"), "0");
  EXPECT_EQ(client.sysctls.at("net.ipv4.tcp_ecn"), "0");
  EXPECT_EQ(client.commands,
            (std::vector<std::string>{"ethtool -K eth0 gro off", "ethtool -K eth0 tso off"}));
  EXPECT_EQ(kinds_of(world.links[0].a_to_b), (std::vector<std::string>{"rate", "delay", "loss"}));
  EXPECT_EQ(world.links[0].a_to_b[0].settings.values().at("queue"), "25KB");
  EXPECT_EQ(world.links[0].a_to_b[2].settings.values().at("share"), "1%");
  ASSERT_EQ(world.transfers.size(), 2U);
  EXPECT_EQ(world.transfers[0].settings.values().at("bytes"), "1MiB");
  EXPECT_EQ(world.transfers[0].settings.values().at("rcvbuf"), "16KiB");
  EXPECT_EQ(world.transfers[1].name, "cross");
}

TEST(scenario_reader, parameters_set_by_hand_are_in_force) {
  const auto scenario = read(kLoss, {{"rtt", "1ms"}});
  EXPECT_EQ(scenario.broken.links[0].b_to_a[0].settings.values().at("time"), "500us");
  EXPECT_EQ(scenario.parameters[0].value, "1ms");
}

TEST(scenario_reader, levels_are_merged_in_order) {
  const auto scenario = read(with("[[fault.stages]]\nkind = \"loss\"",
                                  "[[fault.stages]]\nkind = \"tso-drop\"\non = \"server>client\"\n"
                                  "[[fault.stages]]\nkind = \"loss\""));
  EXPECT_EQ(kinds_of(scenario.broken.links[0].a_to_b),
            (std::vector<std::string>{"tso-drop", "rate", "delay", "loss"}));
}

TEST(scenario_reader, an_order_that_goes_back_is_refused) {
  EXPECT_EQ(mistake_of(with("share = \"$loss\"\n",
                            "share = \"$loss\"\n[[fault.stages]]\nkind = \"tso-drop\"\non = "
                            "\"server>client\"\n")),
            "line 45: stage tso-drop (sending NIC) stands behind loss (path), which comes later on "
            "the way; put tso-drop before loss");
}

TEST(scenario_reader, without_takes_a_healthy_stage_away) {
  const auto toml = with("[fault.path]",
                         "[[stages]]\nkind = \"jitter\"\non = \"client>server\"\n"
                         "time = \"1ms\"\n[fault]\nwithout = [\"jitter\"]\n"
                         "[fault.path]");
  const auto scenario = read(toml);
  EXPECT_EQ(kinds_of(scenario.healthy.links[0].b_to_a),
            (std::vector<std::string>{"delay", "jitter"}));
  EXPECT_EQ(kinds_of(scenario.broken.links[0].b_to_a), std::vector<std::string>{"delay"});
}

TEST(scenario_reader, a_symptom_may_be_a_window) {
  const auto scenario = read(with("rate_below = \"50Mbit/s\"", "window = \"65535\""));
  EXPECT_EQ(scenario.symptom.window_bytes, 65535U);
  EXPECT_EQ(scenario.symptom.rate_below_bps, 0);
}

TEST(scenario_reader, three_hosts_on_two_links) {
  const auto scenario = read(R"(title = "t"
[[links]]
a = "server"
b = "gateway"
[[links]]
a = "gateway"
b = "client"
[hosts.gateway]
forward = true
[path]
rtt = "2ms"
rate = "1Gbit/s"
[[transfers]]
name = "main"
limit = "1s"
[capture]
points = ["server", "gateway.eth0", "gateway.eth1-wire"]
)");
  const auto& world = scenario.broken;
  ASSERT_EQ(world.hosts.size(), 3U);
  EXPECT_TRUE(world.hosts[1].forwards);
  EXPECT_EQ(kinds_of(world.links[0].a_to_b), (std::vector<std::string>{"rate", "delay"}));
  EXPECT_TRUE(world.links[1].a_to_b.empty());
  EXPECT_EQ(scenario.family, "healthy");
  ASSERT_EQ(scenario.expected.size(), 3U);
  EXPECT_EQ(scenario.expected[2].accepted, std::vector<std::string>{"healthy"});
}

TEST(scenario_reader, mistakes_are_refused_with_line_and_the_key_that_was_meant) {
  EXPECT_EQ(mistake_of(with("rate = \"100Mbit/s\"", "rates = \"100Mbit/s\"")),
            "line 19: [path] has no key \"rates\"; did you mean 'rate'?");
  EXPECT_EQ(mistake_of(with("[symptom]", "[symptoms]")),
            "line 49: the scenario has no key \"symptoms\"; did you mean 'symptom'?");
  EXPECT_EQ(mistake_of(with("faults = [\"random-loss\"]", "faults = [\"randm-loss\"]")),
            "line 5: the catalogue has no fault \"randm-loss\"; did you mean 'random-loss'?");
  EXPECT_EQ(mistake_of(with("kind = \"loss\"", "kind = \"los\"")),
            "line 42: there is no kind of stage \"los\"; did you mean 'loss', 'ack-loss' "
            "or 'burst-loss'?");
  EXPECT_EQ(mistake_of(with("on = \"server>client\"", "on = \"server>cleint\"")),
            "line 43: there is no direction \"server>cleint\"; did you mean 'server>client'?");
  EXPECT_EQ(mistake_of(with("\"client-wire\"]", "\"client-wires\"]")),
            "line 28: there is no capture point \"client-wires\"; did you mean 'client-wire'?");
  EXPECT_EQ(mistake_of(with("mtu = 9000", "mtu = 90000")),
            "line 13: mtu = \"90000\" of [hosts.client] is not a whole number from 576 to 9000");
  EXPECT_EQ(mistake_of(with("[fault.transfers.main]", "[fault.transfers.mian]")),
            "line 36: there is no transfer mian to change; add a further one by "
            "[[fault.more_transfers]]");
  EXPECT_EQ(mistake_of(with("[hosts.client]", "[hosts.cleint]")),
            "line 12: host cleint is on no link; did you mean 'client'?");
  EXPECT_EQ(mistake_of(with("client-wire = [\"random-loss\"]\n", "")),
            "line 51: [expect] does not say what is found at client-wire; write client-wire = "
            "[\"random-loss\"]");
  EXPECT_EQ(mistake_of(with("heal = true", "heal = false")),
            "line 59: the fix \"the line repaired\" does nothing; give it commands, set or heal = "
            "true");
  EXPECT_EQ(mistake_of(with("ci = true", "ci = yes")).substr(0, 8), "line 6: ");
}

TEST(scenario_reader, a_heading_without_a_key_is_refused) {
  // toml++ would end the program here.
  EXPECT_TRUE(mistake_of("[=]").contains("expected bare key starting character"));
}

TEST(scenario_reader, characters_beyond_ascii_outside_of_quotes_are_refused) {
  // Of these toml++ cannot tell whether they are spaces, and takes it for impossible.
  EXPECT_TRUE(mistake_of(" \xce\xbf").contains("expected keys"));
  EXPECT_NE(mistake_of("a = [500\xd0\xa2"), "none");
  EXPECT_NE(mistake_of("S=+'!\xef\xbb\xbdtti"), "none");
  EXPECT_NE(mistake_of("a = 1 \xe3\x80\x81"), "none");
}

TEST(scenario_reader, a_stage_with_a_wrong_setting_is_refused) {
  const auto why = mistake_of(with("share = \"$loss\"", "share = \"$loss of all\""));
  EXPECT_TRUE(
      why.starts_with("line 42: cannot use share = \"1% of all\" of [[fault.stages]] 1 (loss)"))
      << why;
  EXPECT_TRUE(mistake_of(with("share = \"$loss\"", "share = \"$loss\"\nshaer = \"1%\""))
                  .starts_with("line 42: cannot use shaer of [[fault.stages]] 1 (loss)"));
}

TEST(scenario_reader, a_transfer_is_read_as_a_run_will_read_it) {
  EXPECT_TRUE(mistake_of(with("limit = \"8s\"", "limt = \"8s\""))
                  .starts_with("line 22: cannot use limt of transfer main: there is no such key"));
  EXPECT_EQ(mistake_of(with("limit = \"8s\"", "server = \"sever\"")),
            "line 22: cannot use transfer main: there is no host sever");
}

TEST(scenario_reader, fault_and_faults_belong_together) {
  EXPECT_TRUE(mistake_of(with("faults = [\"random-loss\"]\n", ""))
                  .contains("there is a [fault] and faults names none"));
  EXPECT_EQ(
      mistake_of(
          "title = \"t\"\nfaults = [\"random-loss\"]\n[[transfers]]\nname = \"m\"\nlimit = \"1s\""),
      "line 2: faults are named and there is no [fault]; say both, or neither for a healthy "
      "scenario");
}

TEST(scenario_reader, several_faults_are_a_family_and_say_what_a_point_cannot_show) {
  const std::string two =
      with("faults = [\"random-loss\"]", "faults = [\"random-loss\", \"rwnd-limited\"]");
  const std::string unseen =
      "\n[[unseen]]\npoint = \"client\"\nfault = \"rwnd-limited\"\nwhy = \"it is far\"\n";
  const auto scenario = read(two + unseen + "shows_as = [\"sender-limited\"]\n");
  EXPECT_EQ(scenario.family, "several");
  ASSERT_EQ(scenario.unseen.size(), 1U);
  EXPECT_EQ(scenario.unseen[0].point, "client");
  EXPECT_EQ(scenario.unseen[0].fault, "rwnd-limited");
  EXPECT_EQ(scenario.unseen[0].why, "it is far");
  EXPECT_EQ(scenario.unseen[0].shows_as, std::vector<std::string>{"sender-limited"});
  EXPECT_NE(mistake_of(std::string{kLoss} + unseen).find("rwnd-limited is not one of several"),
            std::string::npos);
  EXPECT_NE(
      mistake_of(two + "\n[[unseen]]\npoint = \"moon\"\nfault = \"rwnd-limited\"\nwhy = \"x\"\n")
          .find("nothing is captured at moon"),
      std::string::npos);
}

TEST(scenario_reader, a_path_without_a_bottleneck_can_be_given_one) {
  const std::string bare = R"(
title = "A path"
about = "Nothing on it."
[path]
rtt = "10ms"
[[transfers]]
name = "main"
bytes = "1MiB"
)";
  const auto rate_of = [](const std::string& toml, std::string_view rate) {
    const auto scenario = read_scenario("test", toml, {}, nullptr, rate);
    EXPECT_TRUE(scenario) << scenario.error().message();
    return scenario ? kinds_of(scenario->healthy.links.at(0).a_to_b) : std::vector<std::string>{};
  };
  EXPECT_EQ(std::ranges::count(rate_of(bare, ""), "rate"), 0);
  EXPECT_EQ(std::ranges::count(rate_of(bare, "50Mbit/s"), "rate"), 1);
  EXPECT_EQ(rate_of(std::string{kLoss}, "50Mbit/s"), rate_of(std::string{kLoss}, ""));
}

}  // namespace
}  // namespace slowpath::lab
