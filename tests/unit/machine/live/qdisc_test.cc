// SPDX-License-Identifier: Apache-2.0
#include "machine/live/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/machine/live/messages.h"

namespace slowpath::machine {
namespace {

using netlink::Request;
using testing::add;
using testing::each_damage;
using testing::payload_of;

Request qdisc_message(unsigned parent, const char* kind, unsigned drops) {
  Request request{RTM_NEWQDISC, NLM_F_MULTI};
  tcmsg header{};
  header.tcm_ifindex = 2;
  header.tcm_parent = parent;
  request.body(header).attribute_text(TCA_KIND, kind);
  const std::size_t stats = request.begin_nest(TCA_STATS2);
  struct {
    std::uint64_t bytes = 123456789012;
    std::uint32_t packets = 77, pad = 0;
  } basic;
  add(request, TCA_STATS_BASIC, basic);
  add(request, TCA_STATS_QUEUE, gnet_stats_queue{5, 6000, drops, 2, 9});
  request.end_nest(stats);
  return request;
}

TEST(ParseQdisc, TheRootsStatistics) {
  Request request = qdisc_message(TC_H_ROOT, "mq", 42);
  const auto payload = payload_of(request);
  const auto qdisc = parse_qdisc(payload);
  ASSERT_TRUE(qdisc.has_value());
  InterfaceFacts facts;
  apply_qdisc(*qdisc, facts);
  EXPECT_EQ(facts.qdisc, "mq");
  EXPECT_EQ(facts.qdisc_statistics.at("bytes"), 123456789012U);
  EXPECT_EQ(facts.qdisc_statistics.at("packets"), 77U);
  EXPECT_EQ(facts.qdisc_statistics.at("backlog_packets"), 5U);
  EXPECT_EQ(facts.qdisc_statistics.at("backlog_bytes"), 6000U);
  EXPECT_EQ(facts.qdisc_statistics.at("drops"), 42U);
  EXPECT_EQ(facts.qdisc_statistics.at("requeues"), 2U);
  EXPECT_EQ(facts.qdisc_statistics.at("overlimits"), 9U);
  each_damage(payload, [](Bytes damaged) { (void)parse_qdisc(damaged); });
}

TEST(ParseQdisc, LeavesAndIngressStayApart) {
  InterfaceFacts facts;
  for (auto [parent, kind, drops] :
       {std::tuple{TC_H_ROOT, "mq", 1U}, std::tuple{0x10000U | 1U, "fq_codel", 2U},
        std::tuple{0x10000U | 2U, "fq_codel", 3U}, std::tuple{0x10000U | 3U, "fq", 4U},
        std::tuple{TC_H_INGRESS, "clsact", 5U}}) {
    Request request = qdisc_message(parent, kind, drops);
    apply_qdisc(parse_qdisc(payload_of(request)).value_or(QdiscRecord{}), facts);
  }
  EXPECT_EQ(facts.qdisc, "mq");
  EXPECT_EQ(facts.qdisc_statistics.at("drops"), 1U);
  EXPECT_EQ(facts.properties.at("qdisc.leaves"), "fq_codel,fq");
  EXPECT_EQ(facts.properties.at("qdisc.ingress"), "clsact");
  EXPECT_EQ(facts.qdisc_statistics.at("ingress_drops"), 5U);
}

TEST(ParseQdisc, TheRateOfATokenBucket) {
  Request request{RTM_NEWQDISC, 0};
  tcmsg header{};
  header.tcm_ifindex = 2;
  header.tcm_parent = TC_H_ROOT;
  request.body(header).attribute_text(TCA_KIND, "tbf");
  const std::size_t options = request.begin_nest(TCA_OPTIONS);
  tc_tbf_qopt parameters{};
  parameters.rate.rate = 1'250'000;
  add(request, TCA_TBF_PARMS, parameters);
  request.end_nest(options);
  const auto qdisc = parse_qdisc(payload_of(request));
  ASSERT_TRUE(qdisc.has_value());
  EXPECT_EQ(qdisc->rate_bps, 10'000'000U);
}

}  // namespace
}  // namespace slowpath::machine
