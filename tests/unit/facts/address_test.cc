// SPDX-License-Identifier: Apache-2.0
// Addresses as text, by the examples of RFC 5952.
#include "facts/address.h"

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace slowpath {
namespace {

std::string round(const char* text) { return to_string(test::address(text)); }

TEST(Address, is_written_as_rfc_5952_says) {
  EXPECT_EQ(round("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(round("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(round("2001:0db8:0000:0000:0000:0000:0002:0001"), "2001:db8::2:1");
  EXPECT_EQ(round("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // one zero is not shortened
  EXPECT_EQ(round("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run
  EXPECT_EQ(round("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // the first of equals
  EXPECT_EQ(round("2001:DB8::ABCD"), "2001:db8::abcd");
  EXPECT_EQ(round("::"), "::");
  EXPECT_EQ(round("::1"), "::1");
  EXPECT_EQ(round("fe80::"), "fe80::");
  EXPECT_EQ(round("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
  EXPECT_EQ(round("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
  EXPECT_EQ(to_string(IpAddress{}), "none");
}

TEST(Endpoint, puts_ipv6_in_brackets) {
  EXPECT_EQ(to_string(Endpoint{test::address("10.0.0.1"), 80}), "10.0.0.1:80");
  EXPECT_EQ(to_string(Endpoint{test::address("2001:db8::1"), 80}), "[2001:db8::1]:80");
}

TEST(ParseAddress, IsTheReverseOfText) {
  for (const char* text : {"10.0.0.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:10.0.0.1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), text);
  }
  EXPECT_EQ(parse_address("2001:DB8:0:0:0:0:0:1"), parse_address("2001:db8::1"));
}

TEST(ParseAddress, RefusesTheRest) {
  for (const char* text :
       {"", "10.0.0", "10.0.0.256", " 10.0.0.1", "fe80::1%eth0", "[::1]", "host"})
    EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace slowpath
