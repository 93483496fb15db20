// SPDX-License-Identifier: Apache-2.0
// Rules that nft(8) makes in a namespace of their own, read by netlink: they mean what the text
// means that nft prints of them.
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "machine/live.h"
#include "machine/live/xtables_match.h"
#include "machine/text.h"

namespace slowpath::machine {
namespace {

/// Everything that says what rules do, without the words of the rules.
std::map<std::string, std::string> meaning_of(const MachineFacts& facts) {
  std::map<std::string, std::string> meaning;
  for (const auto& [key, told] : facts.settings) {
    if (key.starts_with("firewall.") && !key.ends_with(".rule")) meaning[key] = told.value;
  }
  return meaning;
}

std::string output_of(const char* command) {
  std::string output;
  FILE* pipe = popen(command, "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    output.append(buffer.data(), size);
  pclose(pipe);
  return output;
}

struct Reading {
  std::string why_not;
  std::map<std::string, std::string> live, text;
};

/// What the rules mean in an empty namespace, by netlink and by nft's own text of them.
Reading read_both(const std::string& rules) {
  Reading reading;
  std::jthread{[&] {
    if (unshare(CLONE_NEWNET) != 0) {
      reading.why_not = std::string("no network namespace: ") + std::strerror(errno);
      return;
    }
    FILE* pipe = popen("nft -f - 2>&1 >/dev/null", "w");
    if (pipe == nullptr || fputs(rules.c_str(), pipe) < 0 || pclose(pipe) != 0) {
      reading.why_not = "nft is not there, or this kernel does not know these rules";
      return;
    }
    MachineFacts text;
    read_text("nft", output_of("nft list ruleset"), text);
    reading.text = meaning_of(text);
    LiveOptions options;
    options.sockets = false;
    reading.live = meaning_of(read_machine(options));
  }}.join();
  return reading;
}

TEST(LiveFirewall, MeansWhatItsTextMeans) {
  constexpr std::string_view kChain =
      "table inet t {\n set known { type ipv4_addr; elements = { 192.0.2.1 } }\n"
      " chain lan { meta l4proto tcp accept\n icmpv6 type packet-too-big accept\n }\n"
      " chain in { type filter hook input priority 0; policy POLICY;\n RULE\n }\n"
      " chain fw { type filter hook forward priority -5; policy POLICY;\n RULE\n }\n}\n";
  const char* rules[] = {
      "",
      "ct state established,related accept",
      "ct state vmap { established : accept, related : accept, invalid : drop }",
      "ct state { established, new } accept",
      "ct state != { established, new } drop",
      "ct state invalid drop",
      "iif lo accept",
      "iifname vmap { \"eth1\" : jump lan, \"eth2\" : drop }",
      "iifname { \"eth0\", \"eth1\" } meta l4proto icmp drop",
      "iifname \"wg*\" ip protocol icmp reject",
      "ip saddr @known drop",
      "meta l4proto { icmp, ipv6-icmp } limit rate 10/second accept",
      "icmp type destination-unreachable icmp code frag-needed accept",
      "icmp type { echo-request, destination-unreachable } drop",
      "icmpv6 type { 1-4 } accept",
      "icmpv6 type packet-too-big limit rate over 5/second drop",
      "ip6 nexthdr icmpv6 drop",
      "ip protocol != icmp accept",
      "meta nfproto ipv6 accept",
      "meta mark 0x1 drop",
      "tcp dport vmap { 22 : accept, 80 : drop }",
      "tcp flags syn tcp option maxseg size set 1360",
      "jump lan",
      "goto lan",
      "counter log prefix \"x \" meta mark set 0x1",
      "ct count over 20 drop",
      "fib daddr type != local drop",
      "udp dport 53 notrack",
      "notrack",
  };
  for (const char* rule : rules) {
    for (const char* policy : {"accept", "drop"}) {
      std::string table(kChain);
      for (const auto& [word, by] : {std::pair{"POLICY", policy}, std::pair{"RULE", rule}}) {
        while (table.find(word) != std::string::npos)
          table.replace(table.find(word), std::strlen(word), by);
      }
      const Reading reading = read_both(table);
      if (!reading.why_not.empty()) {
        // Without any rule there is nothing that a kernel could not know.
        if (*rule == '\0') GTEST_SKIP() << reading.why_not;
        continue;
      }
      EXPECT_EQ(reading.live, reading.text) << rule << ", policy " << policy;
      EXPECT_GE(reading.live.size(), 10U);
    }
  }
}

TEST(LiveFirewall, DormantTablesAndOthersHooks) {
  const Reading reading = read_both(
      "table inet t { flags dormant\n chain in { type filter hook input priority 0\n"
      " meta l4proto icmp drop\n }\n}\n"
      "table ip n { chain post { type nat hook postrouting priority 100\n masquerade\n }\n}\n"
      "table ip m { chain fw { type filter hook forward priority -150\n"
      " oifname \"ppp0\" tcp flags syn tcp option maxseg size set rt mtu\n }\n}\n"
      "table bridge b { chain in { type filter hook input priority 0; policy drop\n }\n}\n");
  if (!reading.why_not.empty()) GTEST_SKIP() << reading.why_not;
  EXPECT_EQ(reading.live, reading.text);
  EXPECT_EQ(reading.live.at("firewall.ipv4.input.size-messages"), "passes");
  EXPECT_EQ(reading.live.at("firewall.ipv4.nat"), "present");
  EXPECT_EQ(reading.live.at("firewall.ipv6.nat"), "none");
  EXPECT_EQ(reading.live.at("firewall.ipv4.mss-clamp"), "present");
}

template <typename T>
Bytes bytes_of(const T& value) {
  return std::as_bytes(std::span{&value, 1});
}

TEST(XtablesMatch, IcmpWithItsCodes) {
  const ipt_icmp needed{.type = 3, .code = {4, 4}, .invflags = 0};
  const XtablesMatch match = parse_xtables_match("icmp", 0, bytes_of(needed));
  EXPECT_TRUE(match.is_whole);
  ASSERT_EQ(match.conditions.size(), 2U);
  EXPECT_EQ(match.conditions[1].ranges.front().first, 4U);
  const ipt_icmp any{.type = 255, .code = {0, 255}, .invflags = 0};
  EXPECT_TRUE(parse_xtables_match("icmp", 0, bytes_of(any)).conditions.empty());
  const ipt_icmp not_that{.type = 3, .code = {4, 4}, .invflags = IPT_ICMP_INV};
  EXPECT_FALSE(parse_xtables_match("icmp", 0, bytes_of(not_that)).is_whole);
  EXPECT_FALSE(parse_xtables_match("icmp", 0, bytes_of(needed).first(2)).is_whole);
}

TEST(XtablesMatch, StatesOfBothLayouts) {
  xt_conntrack_mtinfo1 old{};
  old.match_flags = XT_CONNTRACK_STATE;
  old.state_mask = 6;
  xt_conntrack_mtinfo3 now{};
  now.match_flags = XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS;
  now.invert_flags = XT_CONNTRACK_STATE;
  now.state_mask = 1;
  const XtablesMatch first = parse_xtables_match("conntrack", 1, bytes_of(old)),
                     third = parse_xtables_match("conntrack", 3, bytes_of(now));
  ASSERT_EQ(first.conditions.size(), 1U);
  EXPECT_EQ(first.conditions[0].ranges.front().first, firewall::kEstablished | firewall::kRelated);
  ASSERT_EQ(third.conditions.size(), 1U);
  EXPECT_TRUE(third.is_whole && third.conditions[0].negated);
  now.match_flags |= XT_CONNTRACK_PROTO;
  EXPECT_FALSE(parse_xtables_match("conntrack", 3, bytes_of(now)).is_whole);
  now.state_mask = XT_CONNTRACK_STATE_SNAT;
  EXPECT_TRUE(parse_xtables_match("conntrack", 3, bytes_of(now)).conditions.empty());
  EXPECT_FALSE(parse_xtables_match("u32", 0, {}).is_whole);
}

TEST(XtablesTarget, NoTrack) {
  xt_ct_target_info_v1 info{};
  EXPECT_FALSE(xtables_ct_untracks(bytes_of(info)));
  info.flags = XT_CT_NOTRACK;
  EXPECT_TRUE(xtables_ct_untracks(bytes_of(info)));
  EXPECT_FALSE(xtables_ct_untracks({}));
}

}  // namespace
}  // namespace slowpath::machine
