// SPDX-License-Identifier: Apache-2.0
// Two ways to the same facts: this host read through kernel interfaces, and the script for Linux
// run here and its output read. Where both speak they must agree.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "machine/live.h"
#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

std::string output_of(const std::string& script) {
  const std::string path =
      testing::TempDir() + "slowpath_collect_" + std::to_string(getpid()) + ".sh";
  std::ofstream(path) << script;
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("sh " + path).c_str(), "r"), pclose);
  std::array<char, 65536> piece;
  for (std::size_t size; pipe && (size = fread(piece.data(), 1, piece.size(), pipe.get())) > 0;) {
    output.append(piece.data(), size);
  }
  std::remove(path.c_str());
  return output;
}

bool has_program(const char* name) {
  return std::system(
             (std::string("PATH=$PATH:/usr/sbin:/sbin command -v ") + name + " > /dev/null 2>&1")
                 .c_str()) == 0;
}

void expect_same_features(const InterfaceFacts& live, const InterfaceFacts& text) {
  for (const auto& [name, state] : live.features) {
    const auto told = text.features.find(name);
    ASSERT_NE(told, text.features.end()) << name;
    EXPECT_EQ(told->second.on, state.on) << name;
    EXPECT_EQ(told->second.fixed, state.fixed) << name;
  }
  EXPECT_EQ(live.features.size(), text.features.size());
}

void expect_same(const InterfaceFacts& live, const InterfaceFacts& text) {
  EXPECT_EQ(text.index, live.index);
  EXPECT_EQ(text.kind, live.kind);
  EXPECT_EQ(text.mtu_bytes, live.mtu_bytes);
  EXPECT_EQ(text.mtu_max_bytes, live.mtu_max_bytes);
  EXPECT_EQ(text.up, live.up);
  EXPECT_EQ(text.driver, live.driver);
  EXPECT_EQ(text.driver_version, live.driver_version);
  EXPECT_EQ(text.speed_bps, live.speed_bps);
  EXPECT_EQ(text.tx_queue_len, live.tx_queue_len);
  EXPECT_EQ(text.qdisc, live.qdisc);
  EXPECT_EQ(text.addresses.size(), live.addresses.size());
  EXPECT_EQ(text.rings.rx, live.rings.rx);
  EXPECT_EQ(text.rings.tx_max, live.rings.tx_max);
  EXPECT_EQ(text.channels.combined, live.channels.combined);
  EXPECT_EQ(text.queue_interrupts.size(), live.queue_interrupts.size());
  expect_same_features(live, text);
}

TEST(TextAndLive, AgreeAboutThisHost) {
  for (const char* name : {"ip", "ethtool", "tc", "sysctl", "ss"}) {
    if (!has_program(name)) GTEST_SKIP() << name << " is not installed";
  }
  const MachineFacts before = read_machine();
  const MachineFacts text = facts_of(output_of(collect_script(Platform::linux)));
  const MachineFacts after = read_machine();
  EXPECT_EQ(text.platform, Platform::linux);
  EXPECT_EQ(text.os, after.os);
  EXPECT_EQ(text.kernel, after.kernel);
  EXPECT_EQ(text.clock_source, after.clock_source);
  EXPECT_EQ(text.cpus.size(), after.cpus.size());
  EXPECT_EQ(text.congestion_controls, after.congestion_controls);
  for (const InterfaceFacts& live : after.interfaces) {
    const InterfaceFacts* told = find_interface(text, live.name);
    const InterfaceFacts* earlier = find_interface(before, live.name);
    // Others may make interfaces meanwhile, of the same name as well.
    if (told == nullptr || earlier == nullptr || earlier->index != live.index) continue;
    SCOPED_TRACE(live.name);
    expect_same(live, *told);
  }
  EXPECT_NE(find_interface(text, "lo"), nullptr);
  std::size_t compared = 0;
  for (const auto& [key, value] : after.settings) {
    const auto* earlier = find_setting(before, key);
    const auto* told = find_setting(text, key);
    if (told == nullptr || earlier == nullptr || earlier->value != value.value) continue;
    EXPECT_EQ(told->value, value.value) << key;
    ++compared;
  }
  EXPECT_GT(compared, 50U);
  for (const char* name : {"TcpRetransSegs", "TcpExtTCPTimeouts", "SoftnetDropped", "TcpCurrEstab",
                           "SockstatTcpTw", "Ip6InReceives"}) {
    EXPECT_EQ(find_counter(text, name) != nullptr, find_counter(after, name) != nullptr) << name;
  }
}

}  // namespace
}  // namespace slowpath::machine
