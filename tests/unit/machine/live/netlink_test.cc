// SPDX-License-Identifier: Apache-2.0
#include "machine/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/machine/live/messages.h"

namespace slowpath::machine::netlink {
namespace {

using ::slowpath::machine::testing::each_damage;
using ::slowpath::machine::testing::payload_of;
using ::testing::ElementsAre;

std::vector<std::byte> sample_attributes() {
  Request request{RTM_NEWLINK, NLM_F_DUMP};
  request.attribute_u32(4, 1500).attribute_text(3, "eth0");
  const std::size_t nest = request.begin_nest(18);
  request.attribute_text(1, "vlan");
  request.end_nest(nest);
  return payload_of(request);
}

TEST(NetlinkAttributes, AreReadByType) {
  const auto bytes = sample_attributes();
  const Attributes attributes{bytes};
  EXPECT_EQ(attributes.u32(4), 1500U);
  EXPECT_EQ(attributes.text(3), "eth0");
  EXPECT_EQ(attributes.nested(18).text(1), "vlan");  // without NLA_F_NESTED in its type
}

TEST(NetlinkAttributes, AbsentOrOfAnotherSizeIsNone) {
  const auto bytes = sample_attributes();
  const Attributes attributes{bytes};
  EXPECT_EQ(attributes.u32(99), std::nullopt);
  EXPECT_EQ(attributes.u8(4), std::nullopt);
  EXPECT_EQ(attributes.u64(4), std::nullopt);
  EXPECT_EQ(attributes.text(99), "");
  EXPECT_EQ(attributes.nested(99).begin(), attributes.nested(99).end());
}

TEST(NetlinkAttributes, TheWalkEndsAtALyingLength) {
  std::vector<std::byte> bytes = sample_attributes();
  const auto types = [&] {
    std::vector<int> seen;
    for (const Attribute& attribute : Attributes{bytes}) seen.push_back(attribute.type);
    return seen;
  };
  EXPECT_THAT(types(), ElementsAre(4, 3, 18));
  bytes[8] = std::byte{3};  // the second says that it is shorter than its header
  EXPECT_THAT(types(), ElementsAre(4));
  bytes[8] = std::byte{0xff};  // and now, that it is longer than what is left
  EXPECT_THAT(types(), ElementsAre(4));
  bytes[8] = std::byte{0};
  EXPECT_THAT(types(), ElementsAre(4));
}

TEST(NetlinkAttributes, DamageIsSurvived) {
  const auto bytes = sample_attributes();
  each_damage(bytes, [](Bytes damaged) {
    std::size_t total = 0;
    for (const Attribute& attribute : Attributes{damaged}) total += attribute.payload.size();
    EXPECT_LE(total, damaged.size());
  });
}

TEST(NetlinkAttributes, TextEndsAtZeroOrWithTheBytes) {
  const std::string_view text{"ab\0cd", 5};
  EXPECT_EQ(text_of(std::as_bytes(std::span{text})), "ab");
  EXPECT_EQ(text_of(std::as_bytes(std::span{text}).first(1)), "a");
  EXPECT_EQ(text_of({}), "");
}

// Two messages and the end, as a dump of request 7 has them.
std::vector<std::byte> sample_dump(int error) {
  std::vector<std::byte> datagram;
  const auto append = [&](Request& request) {
    const Bytes bytes = request.finish(7);
    datagram.insert(datagram.end(), bytes.begin(), bytes.end());
  };
  Request first{RTM_NEWLINK, NLM_F_MULTI};
  first.attribute_u32(1, 10);
  Request second{RTM_NEWADDR, NLM_F_MULTI};
  second.attribute_text(1, "odd");
  Request done{NLMSG_DONE, NLM_F_MULTI};
  done.body(error);
  append(first);
  append(second);
  append(done);
  return datagram;
}

TEST(NetlinkDatagram, MessagesAndTheEnd) {
  std::vector<int> types;
  const auto datagram = sample_dump(0);
  const DatagramEnd end =
      walk_datagram(datagram, 7, [&](const Message& message) { types.push_back(message.type); });
  EXPECT_THAT(types, ElementsAre(RTM_NEWLINK, RTM_NEWADDR));
  EXPECT_TRUE(end.finished);
  EXPECT_EQ(end.error, 0);
  EXPECT_FALSE(end.damaged);
  EXPECT_FALSE(end.interrupted);
}

TEST(NetlinkDatagram, TheErrorOfTheEndIsTold) {
  const auto datagram = sample_dump(-EMSGSIZE);
  const DatagramEnd end = walk_datagram(datagram, 7, [](const Message&) {});
  EXPECT_TRUE(end.finished);
  EXPECT_EQ(end.error, EMSGSIZE);
}

TEST(NetlinkDatagram, AnswersToOthersArePassedOver) {
  const auto datagram = sample_dump(0);
  const DatagramEnd end =
      walk_datagram(datagram, 8, [](const Message&) { ADD_FAILURE() << "not ours"; });
  EXPECT_FALSE(end.finished);
}

TEST(NetlinkDatagram, AnInterruptedDumpSaysSo) {
  Request message{RTM_NEWLINK, NLM_F_DUMP_INTR};
  const Bytes bytes = message.finish(7);
  EXPECT_TRUE(walk_datagram(bytes, 7, [](const Message&) {}).interrupted);
}

TEST(NetlinkDatagram, DamageIsSurvivedAndTold) {
  const auto whole = sample_dump(0);
  each_damage(whole, [](Bytes damaged) {
    std::size_t total = 0;
    (void)walk_datagram(damaged, 7,
                        [&](const Message& message) { total += message.payload.size(); });
    EXPECT_LE(total, damaged.size());
  });
  EXPECT_TRUE(walk_datagram(Bytes{whole}.first(30), 7, [](const Message&) {}).damaged);
}

TEST(NetlinkSocket, TheKernelAnswersAndRefuses) {
  auto socket = Socket::open(NETLINK_ROUTE);
  ASSERT_TRUE(socket.has_value()) << socket.error();
  Request links{RTM_GETLINK, NLM_F_DUMP};
  links.body(ifinfomsg{});
  int count = 0;
  EXPECT_EQ(socket->ask(links, [&](const Message&) { ++count; }), 0);
  EXPECT_GE(count, 1);  // lo is everywhere
  Request absent{RTM_GETLINK, 0};
  ifinfomsg header{};
  header.ifi_index = 0x7ffffff0;
  absent.body(header);
  EXPECT_EQ(socket->ask(absent, [](const Message&) {}), ENODEV);
}

TEST(NetlinkSocket, ListsAreReadWhole) {
  auto socket = Socket::open(NETLINK_ROUTE);
  ASSERT_TRUE(socket.has_value()) << socket.error();
  Request links{RTM_GETLINK, NLM_F_DUMP};
  links.body(ifinfomsg{});
  const auto names = read_list(*socket, links, [](const Message& message) {
    return std::optional{attributes_after(message.payload, sizeof(ifinfomsg)).text(IFLA_IFNAME)};
  });
  ASSERT_TRUE(names.has_value());
  EXPECT_THAT(*names, ::testing::Contains("lo"));
}

TEST(NetlinkSocket, UnknownProtocolsAreErrors) { EXPECT_FALSE(Socket::open(9999).has_value()); }

}  // namespace
}  // namespace slowpath::machine::netlink
