// SPDX-License-Identifier: Apache-2.0
#include "capture/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// An Ethernet frame with nothing but its type set; `with_ethernet` false leaves an IPv4 header
// alone.
Buffer packet(std::uint16_t ether_type) {
  Writer writer(true);
  writer.u32(0).u32(0).u32(0).u16(ether_type).raw(as_bytes(payload(46)));
  return writer.bytes();
}

Buffer mixed_pcap() {
  PcapFile file;
  for (unsigned i = 0; i < 10; ++i) {
    const Buffer bytes = packet(i % 3 == 0 ? 0x0806 : 0x0800);
    file.header(kStart, i, 60, 60).raw(as_bytes(bytes));
  }
  return file.bytes();
}

TEST(Filter, KeepsWhatMatchesWithItsNumberAndCountsTheRest) {
  const Buffer file = mixed_pcap();
  auto filtered = with_filter(std::move(*open_memory(as_bytes(file), "x", 0)), "arp");
  ASSERT_TRUE(filtered.has_value());
  const auto seen = read_all(**filtered);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[1].frame.number, 4u);
  EXPECT_EQ((*filtered)->left_out(), 6u);
  EXPECT_EQ((*filtered)->info().frames, 10u);
}

TEST(Filter, BatchesEqualSingleReads) {
  const Buffer file = mixed_pcap();
  auto filtered = std::move(*with_filter(std::move(*open_memory(as_bytes(file), "x", 0)), "arp"));
  std::vector<wire::Frame> batch(3);
  std::vector<std::uint64_t> numbers;
  while (const std::size_t count = filtered->next_batch(batch)) {
    for (std::size_t i = 0; i < count; ++i) numbers.push_back(batch[i].number);
  }
  EXPECT_THAT(numbers, ::testing::ElementsAre(1, 4, 7, 10));
  EXPECT_EQ(filtered->left_out(), 6u);
}

TEST(Filter, EachLinkTypeIsCompiledForItself) {
  PcapngFile file;
  file.section().interface(1).interface(113);
  const auto add = [&](std::uint32_t interface, const Buffer& bytes) {
    Writer body(false);
    body.u32(interface).u32(0).u32(1).u32(bytes.size()).u32(bytes.size()).raw(as_bytes(bytes));
    file.block(6, body.bytes());
  };
  Writer cooked(true);
  cooked.u16(0).u16(1).u16(6).u32(0).u32(0).u16(0x0806).raw(as_bytes(payload(28)));
  add(0, packet(0x0806));
  add(0, packet(0x0800));
  add(1, cooked.bytes());
  auto filtered =
      std::move(*with_filter(std::move(*open_memory(as_bytes(file.bytes()), "x", 0)), "arp"));
  EXPECT_EQ(read_all(*filtered).size(), 2u);
  EXPECT_EQ(filtered->problem(), "");
}

TEST(Filter, WrongExpressionIsAUsageErrorWithLibpcapsSentence) {
  const Buffer file = mixed_pcap();
  auto filtered = with_filter(std::move(*open_memory(as_bytes(file), "x", 0)), "tcp port");
  ASSERT_FALSE(filtered.has_value());
  EXPECT_EQ(filtered.error().kind, ErrorKind::usage);
  EXPECT_THAT(filtered.error().message(), HasSubstr("syntax error"));
  EXPECT_FALSE(check_filter("host").has_value());
  EXPECT_TRUE(check_filter("host 10.0.0.1 and tcp[tcpflags] & tcp-syn != 0").has_value());
}

TEST(Filter, LinkTypeThatCannotBeFilteredIsLeftOutAndSaid) {
  PcapngFile file;
  file.section().interface(1).interface(101).packet(0, 1, 60).packet(1, 2, 60);
  auto filtered = std::move(*with_filter(std::move(*open_memory(as_bytes(file.bytes()), "x", 0)),
                                         "ether host 1:2:3:4:5:6"));
  EXPECT_TRUE(read_all(*filtered).empty());
  EXPECT_EQ(filtered->left_out(), 2u);
  EXPECT_THAT(filtered->problem(), HasSubstr("ether host"));
}

}  // namespace
}  // namespace slowpath::capture
