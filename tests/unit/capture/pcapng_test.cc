// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/pcapng_clock.h"
#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Source> open_ok(const Writer& file) {
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  EXPECT_TRUE(source.has_value()) << (source ? "" : source.error().message());
  return source ? std::move(*source) : nullptr;
}

class BothOrders : public ::testing::TestWithParam<bool> {
 protected:
  PcapngFile file_{GetParam()};
  Writer options_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Pcapng, BothOrders, ::testing::Bool());

TEST_P(BothOrders, EnhancedPacketFieldByField) {
  file_.section().interface(113, 96).interface(1, 65535);
  file_.packet(1, 1'700'000'000'123'456, 61, 1514);
  const auto source = open_ok(file_);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].bytes, payload(61));
  EXPECT_EQ(seen[0].frame.original_len, 1514u);
  EXPECT_EQ(to_ns(seen[0].frame.time), 1'700'000'000'123'456'000);
  EXPECT_EQ(seen[0].frame.interface, 1u);
  EXPECT_EQ(seen[0].frame.link_type, wire::LinkType::ethernet);
  EXPECT_EQ(seen[0].frame.byte_offset, file_.size() - 4 - 64);
  EXPECT_EQ(source->info().format, "pcapng");
  ASSERT_EQ(source->info().interfaces.size(), 2u);
  EXPECT_EQ(source->info().interfaces[0].link_type, wire::LinkType::linux_sll);
  EXPECT_EQ(source->info().interfaces[0].snap_len, 96u);
}

TEST_P(BothOrders, DescriptionsAndComments) {
  PcapngFile::option(options_, 1, PcapngFile::bytes_of("taken at the switch"));
  PcapngFile::option(options_, 2, PcapngFile::bytes_of("x86"));
  PcapngFile::option(options_, 3, PcapngFile::bytes_of("Linux 6"));
  PcapngFile::option(options_, 4, PcapngFile::bytes_of("dumpcap"));
  file_.section(1, 0, options_.bytes());
  Writer interface = file_.part();
  PcapngFile::option(interface, 2, PcapngFile::bytes_of("eth0"));
  PcapngFile::option(interface, 3, PcapngFile::bytes_of("uplink"));
  PcapngFile::option(interface, 11, PcapngFile::bytes_of(std::string("\0tcp", 4)));
  interface.u16(0).u16(0);
  file_.interface(1, 0, interface.bytes());
  Writer packet = file_.part();
  PcapngFile::option(packet, 1, PcapngFile::bytes_of("look here"));
  file_.packet(0, 1, 60, 0, packet.bytes());
  const auto source = open_ok(file_);
  read_all(*source);
  const SourceInfo& info = source->info();
  EXPECT_THAT(info.comments, ElementsAre("taken at the switch", "look here"));
  EXPECT_EQ(info.hardware, "x86");
  EXPECT_EQ(info.os, "Linux 6");
  EXPECT_EQ(info.application, "dumpcap");
  EXPECT_EQ(info.interfaces[0].name, "eth0");
  EXPECT_EQ(info.interfaces[0].description, "uplink");
  EXPECT_EQ(info.interfaces[0].filter, "tcp");
  EXPECT_EQ(info.damage_count, 0u);
}

TEST_P(BothOrders, FlagsTellDirectionAndFrameCheckSequence) {
  Writer interface = file_.part();
  PcapngFile::option(interface, 13, {std::byte{4}});
  file_.section().interface(1, 0, interface.bytes());
  const auto flags = [&](std::uint32_t value) {
    Writer number = file_.part();
    number.u32(value);
    Writer options = file_.part();
    PcapngFile::option(options, 2, number.bytes());
    return options.bytes();
  };
  file_.packet(0, 1, 64).packet(0, 2, 64, 0, flags(1)).packet(0, 3, 64, 0, flags(2 | 2 << 5));
  const auto seen = read_all(*open_ok(file_));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].bytes.size(), 60u);
  EXPECT_EQ(seen[0].frame.direction, wire::FrameDirection::unknown);
  EXPECT_EQ(seen[1].frame.direction, wire::FrameDirection::inbound);
  EXPECT_EQ(seen[2].frame.direction, wire::FrameDirection::outbound);
  EXPECT_EQ(seen[2].bytes.size(), 62u);
  EXPECT_EQ(seen[2].frame.original_len, 62u);
}

TEST_P(BothOrders, SimplePacketsHaveNoTimeAndTheSnapLengthOfTheFirstInterface) {
  file_.section().interface(1, 70).interface(1, 10);
  Writer body = file_.part();
  body.u32(1000).raw(as_bytes(payload(70)));
  file_.block(3, body.bytes());
  const auto seen = read_all(*open_ok(file_));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].frame.has_time);
  EXPECT_EQ(seen[0].frame.original_len, 1000u);
  EXPECT_EQ(seen[0].bytes, payload(70));
}

TEST_P(BothOrders, ObsoletePacketsAndTheirDrops) {
  file_.section().interface();
  for (const unsigned drops : {0u, 5u, 0xffffu}) {
    Writer body = file_.part();
    body.u16(0).u16(drops).u32(0).u32(7).u32(60).u32(60).raw(as_bytes(payload(60)));
    file_.block(2, body.bytes());
  }
  const auto source = open_ok(file_);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(to_ns(seen[0].frame.time), 7000);
  EXPECT_EQ(source->info().reported_drops, 5u);
}

TEST_P(BothOrders, StatisticsGiveTheLastDropsOfEachInterface) {
  file_.section().interface().interface();
  const auto statistics = [&](std::uint32_t interface, std::uint64_t dropped, std::uint64_t by_os) {
    Writer body = file_.part();
    body.u32(interface).u64(0);
    Writer number = file_.part(), os = file_.part();
    number.u64(dropped);
    os.u64(by_os);
    PcapngFile::option(body, 5, number.bytes());
    PcapngFile::option(body, 7, os.bytes());
    file_.block(5, body.bytes());
  };
  statistics(0, 3, 0);
  statistics(1, 4, 1);
  statistics(0, 10, 2);
  const auto source = open_ok(file_);
  read_all(*source);
  EXPECT_EQ(source->info().reported_drops, 17u);
}

TEST_P(BothOrders, OtherBlocksArePassedOver) {
  file_.section().interface();
  for (const std::uint32_t type : {4u, 10u, 0xbadu, 0x40000badu, 0x80001234u, 0x777u}) {
    file_.block(type, payload(33));
  }
  file_.packet(0, 1, 60);
  const auto source = open_ok(file_);
  EXPECT_EQ(read_all(*source).size(), 1u);
  EXPECT_EQ(source->info().damage_count, 0u);
}

// As tshark 4.0 numbers them.
TEST_P(BothOrders, CustomAndJournalBlocksTakeAFrameNumber) {
  file_.section().interface().packet(0, 1, 60).block(0xbad, payload(16)).packet(0, 2, 60);
  file_.block(9, payload(40)).packet(0, 3, 60).block(0x12345, payload(8)).packet(0, 4, 60);
  const auto source = open_ok(file_);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].frame.number, 1u);
  EXPECT_EQ(seen[1].frame.number, 3u);
  EXPECT_EQ(seen[2].frame.number, 5u);
  EXPECT_EQ(seen[3].frame.number, 6u);
  EXPECT_EQ(source->info().frames, 4u);
}

TEST(Pcapng, SectionsHaveTheirOwnByteOrderAndInterfaces) {
  PcapngFile little(false), big(true);
  little.section().interface(1).interface(101).packet(1, 5, 60);
  big.section().interface(113).packet(0, 6, 70);
  Writer both(false);
  both.raw(as_bytes(little.bytes())).raw(as_bytes(big.bytes())).raw(as_bytes(little.bytes()));
  const auto source = open_ok(both);
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].frame.interface, 1u);
  EXPECT_EQ(seen[1].frame.interface, 2u);
  EXPECT_EQ(seen[1].frame.link_type, wire::LinkType::linux_sll);
  EXPECT_EQ(seen[2].frame.interface, 4u);
  EXPECT_EQ(seen[2].frame.link_type, wire::LinkType::raw);
  EXPECT_EQ(source->info().interfaces.size(), 5u);
}

TEST(Pcapng, LaterSectionOfUnknownVersionIsPassedOverAndNamed) {
  PcapngFile file;
  file.section().interface().packet(0, 1, 60).section(2, 0).interface().packet(0, 2, 60);
  file.section(1, 2).interface().packet(0, 3, 60);
  const auto source = open_ok(file);
  EXPECT_EQ(read_all(*source).size(), 2u);
  ASSERT_EQ(source->info().damage_count, 1u);
  EXPECT_THAT(source->info().damage[0].what, HasSubstr("version 2.0"));
}

TEST(Pcapng, WrongVersionAndDamagedMarkAreErrors) {
  PcapngFile file;
  file.section(2, 1);
  auto source = open_memory(as_bytes(file.bytes()), "x.pcapng", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("version 2.1"));
  Buffer broken = PcapngFile().section().bytes();
  broken[9] = std::byte{0};
  source = open_memory(as_bytes(broken), "x.pcapng", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("byte-order mark"));
}

TEST(Pcapng, PacketsThatContradictTheirBlockAreDamage) {
  PcapngFile file;
  file.section().interface().packet(0, 1, 60).packet(7, 2, 60);
  Writer body(false);
  body.u32(0).u32(0).u32(3).u32(4000).u32(4000).raw(as_bytes(payload(60)));
  file.block(6, body.bytes()).packet(0, 4, 60);
  const auto source = open_ok(file);
  EXPECT_EQ(read_all(*source).size(), 2u);
  EXPECT_EQ(source->info().damage_count, 2u);
}

TEST(Pcapng, WrongClosingLengthCostsFourBytes) {
  PcapngFile file;
  file.section().interface().packet(0, 1, 60);
  const std::size_t at = file.size() - 4;
  file.packet(0, 2, 60);
  Buffer bytes = file.bytes();
  bytes[at] = std::byte{0xff};
  auto source = std::move(*open_memory(as_bytes(bytes), "x", 0));
  EXPECT_EQ(read_all(*source).size(), 2u);
  ASSERT_EQ(source->info().damage.size(), 1u);
  EXPECT_EQ(source->info().damage[0].offset, at);
}

TEST(PcapngClock, ResolutionsAndOffsets) {
  const auto ns = [](std::uint8_t resolution, std::int64_t offset_s, std::uint64_t units) {
    return to_ns(*PcapngClock::make(resolution, offset_s)->to_time(units));
  };
  EXPECT_EQ(ns(6, 0, 1'700'000'000'000'001), 1'700'000'000'000'001'000);
  EXPECT_EQ(ns(9, 0, 1'700'000'000'000'000'001), 1'700'000'000'000'000'001);
  EXPECT_EQ(ns(0, 0, 5), 5'000'000'000);
  EXPECT_EQ(ns(3, 0, 5), 5'000'000);
  EXPECT_EQ(ns(12, 0, 1'999), 1);                          // picoseconds are cut, not rounded
  EXPECT_EQ(ns(0x80 | 10, 0, 1024 + 512), 1'500'000'000);  // units of 1/1024 s
  EXPECT_EQ(ns(0x80 | 32, 0, 7ull << 32 | 1ull << 31), 7'500'000'000);
  EXPECT_EQ(ns(6, 3600, 1), 3'600'000'001'000);
  EXPECT_EQ(ns(6, -3600, 0), -3'600'000'000'000);
  EXPECT_EQ(ns(0x80 | 10, 100, 0), 100'000'000'000);
}

TEST(PcapngClock, WhatCannotBeExpressedIsNoTime) {
  EXPECT_FALSE(PcapngClock::make(20, 0).has_value());
  EXPECT_FALSE(PcapngClock::make(0xff, 0).has_value());
  EXPECT_FALSE(PcapngClock::make(0, 0)->to_time(1ull << 63).has_value());
  EXPECT_FALSE(PcapngClock::make(6, INT64_MAX)->to_time(0).has_value());
  EXPECT_FALSE(PcapngClock::make(6, INT64_MIN)->to_time(0).has_value());
}

}  // namespace
}  // namespace slowpath::capture
