// SPDX-License-Identifier: Apache-2.0
// Options of qdiscs as the kernel tells them: not every kernel has fq to ask.
#include "fix/qdisc_options.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

namespace slowpath::test {
namespace {

namespace netlink = machine::netlink;
using Words = std::vector<std::string>;

/// The options of a request that was made by put_qdisc_options().
std::vector<std::byte> put(std::string_view kind, const Words& words) {
  netlink::Request request{RTM_NEWQDISC, 0};
  request.body(tcmsg{});
  fix::put_qdisc_options(request, kind, words);
  const Bytes message = request.finish(1);
  const Bytes options = netlink::attributes_after(message.subspan(sizeof(nlmsghdr)), sizeof(tcmsg))
                            .find(TCA_OPTIONS)
                            .value_or(Bytes{});
  return {options.begin(), options.end()};
}

TEST(QdiscOptions, AreReadAsTheyAreWritten) {
  EXPECT_EQ(fix::options_beside_fresh("fq", put("fq", {"limit", "20000", "maxrate", "80mbit"})),
            " limit 20000 maxrate 80000000bit");
  EXPECT_EQ(fix::options_beside_fresh("fq", put("fq", {"limit", "10000", "maxrate", "none"})), "");
  EXPECT_EQ(fix::options_beside_fresh("fq_codel", put("fq_codel", {"limit", "99"})), " limit 99");
  EXPECT_EQ(fix::options_beside_fresh("fq", {}), "");
  const fix::QdiscOption* limit = fix::find_qdisc_option("pfifo", "limit");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(fix::read_qdisc_option(*limit, put("pfifo", {"limit", "30"})), 30u);
  EXPECT_EQ(put("pfifo", {"limit", "30"}).size(), sizeof(tc_fifo_qopt));
  EXPECT_FALSE(fix::read_qdisc_option(*limit, {}));
  // What is not said is not in the request, so that the kernel leaves it as it is.
  EXPECT_EQ(put("fq", {"limit", "1"}).size(), 8u);
  EXPECT_TRUE(put("fq", {}).empty());
}

TEST(QdiscOptions, HaveOneTextEach) {
  const auto text = [](std::string_view kind, const Words& words) {
    const Result<std::string> said = fix::canonical_qdisc_options(kind, words);
    return said ? *said : said.error().message();
  };
  EXPECT_EQ(text("fq", {"maxrate", "1gbit", "limit", "5"}), " limit 5 maxrate 1000000000bit");
  EXPECT_EQ(text("fq", {"maxrate", "1000001bit"}), " maxrate 1000000bit");  // bytes are kept
  EXPECT_EQ(text("fq_codel", {"limit", "10240"}), "");
  EXPECT_EQ(text("fq", {}), "");
  EXPECT_NE(text("fq", {"limit"}).find("no such options"), std::string::npos);
  EXPECT_NE(text("fq_codel", {"maxrate", "1gbit"}).find("no such options"), std::string::npos);
  EXPECT_EQ(fix::find_qdisc_option("tbf", "limit"), nullptr);
  EXPECT_EQ(fix::find_qdisc_option("netem", "limit"), nullptr);
}

}  // namespace
}  // namespace slowpath::test
