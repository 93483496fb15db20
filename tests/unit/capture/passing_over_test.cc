// SPDX-License-Identifier: Apache-2.0
// Frames that are passed over against all of them: what is wanted comes in either way, as it is,
// and no record is lost count of.
#include "capture/passing_over.h"

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "support/packet_builder.h"
#include "unit/capture/capture_files.h"
#include "wire/common_segment.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using wire::CommonSegment;

constexpr std::uint16_t kFirstPort = 4000, kPorts = 50;

struct PcapTraffic : PcapFile {
  void add(unsigned i, Bytes bytes) {
    const auto len = static_cast<std::uint32_t>(bytes.size());
    header(kStart + i / 1000, i % 1000 * 1000, len, len).raw(bytes);
  }
  void add_damage() { header(7, 7, 0xffff'ffff, 7).raw(as_bytes(payload(300))); }
};

/// With blocks that Wireshark numbers and that are no packets, and packets with options.
struct PcapngTraffic : PcapngFile {
  PcapngTraffic() { section().interface(1, 0); }
  void add(unsigned i, Bytes bytes) {
    if (i % 31 == 7) block(0xbad, as_bytes_of_custom());
    const std::uint64_t units = (std::uint64_t{kStart} * 1000 + i) * 1000;
    const auto len = static_cast<std::uint32_t>(bytes.size());
    Writer body = part();
    body.u32(0).u32(units >> 32).u32(units & 0xffff'ffff).u32(len).u32(len).raw(bytes).pad4();
    if (i % 29 == 3) body.u16(2).u16(4).u32(1).u16(0).u16(0);  // epb_flags
    block(6, body.bytes());
  }
  void add_damage() { raw(as_bytes(payload(300))); }

 private:
  static Buffer as_bytes_of_custom() { return Writer(false).u32(1).bytes(); }
};

/// Segments of many connections, every tenth packet of another kind.
void add_traffic(auto& file, unsigned from, unsigned count) {
  for (unsigned i = from; i < from + count; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + i * 7 % kPorts);
    auto ip = test::packet().ethernet().ipv4("10.0.0.1", "10.0.9.9");
    const test::BuiltFrame built =
        i % 10 == 3 ? ip.udp(port, 53).payload(20).build()
                    : ip.tcp(test::ack, test::ports(port, 80), test::seq(1), test::ack_number(1))
                          .payload(i % 90)
                          .build();
    file.add(i, built.frame().bytes);
  }
}

std::uint64_t hash_of(const wire::Frame& frame) { return CommonSegment::quick_hash(frame.bytes); }

/// That of the first segment, and with it of every kPorts-th or so.
HashFilter first_connection(const Writer& file) {
  HashFilter wanted;
  const auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  wire::Frame frame;
  EXPECT_TRUE(source && (*source)->next(frame) && CommonSegment::is_tcp4(frame));
  wanted.add(hash_of(frame));
  return wanted;
}

/// As who reads one after the other sees them. Valid as long as the file.
std::vector<wire::Frame> all_of(const Writer& file) {
  std::vector<wire::Frame> all;
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  for (wire::Frame frame; (*source)->next(frame);) all.push_back(frame);
  return all;
}

/// Where the frames begin that must not be passed over.
std::set<std::uint64_t> offsets_wanted(std::span<const wire::Frame> all, const HashFilter& wanted) {
  std::set<std::uint64_t> offsets;
  for (const wire::Frame& frame : all) {
    if (!CommonSegment::is_tcp4(frame) || wanted.may_contain(hash_of(frame)))
      offsets.insert(frame.byte_offset);
  }
  return offsets;
}

void expect_same(const wire::Frame& frame, std::span<const wire::Frame> all) {
  const auto same = std::ranges::find(all, frame.byte_offset, &wire::Frame::byte_offset);
  ASSERT_NE(same, all.end());
  EXPECT_EQ(frame.number, same->number);
  EXPECT_EQ(frame.bytes.data(), same->bytes.data());
  EXPECT_EQ(frame.bytes.size(), same->bytes.size());
  EXPECT_EQ(frame.original_len, same->original_len);
  EXPECT_EQ(frame.time, same->time);
  EXPECT_EQ(frame.direction, same->direction);
}

struct Passed {
  std::vector<wire::Frame> frames;
  std::uint64_t read = 0;
};

Passed pass_over(Source& source, const HashFilter& wanted, std::uint64_t most) {
  Passed passed;
  auto& passing = dynamic_cast<PassingOver&>(source);
  std::vector<wire::Frame> batch(16);
  while (passed.read < most) {
    const std::uint64_t before = source.info().frames;
    const std::size_t got = passing.next_wanted(wanted, most - passed.read, batch);
    passed.frames.insert(passed.frames.end(), batch.begin(),
                         batch.begin() + static_cast<std::ptrdiff_t>(got));
    if (source.info().frames == before) break;
    passed.read += source.info().frames - before;
  }
  return passed;
}

template <typename File>
class PassingOverFiles : public ::testing::Test {};
using Formats = ::testing::Types<PcapTraffic, PcapngTraffic>;
TYPED_TEST_SUITE(PassingOverFiles, Formats);

TYPED_TEST(PassingOverFiles, WhatIsWantedComesAsItIs) {
  TypeParam file;
  add_traffic(file, 0, 3000);
  const HashFilter wanted = first_connection(file);
  const std::vector<wire::Frame> all = all_of(file);
  ASSERT_EQ(all.size(), 3000U);
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, wanted, ~std::uint64_t{0});
  EXPECT_EQ(passed.read, 3000U);
  std::set<std::uint64_t> offsets;
  for (const wire::Frame& frame : passed.frames) {
    offsets.insert(frame.byte_offset);
    expect_same(frame, all);
  }
  EXPECT_TRUE(std::ranges::includes(offsets, offsets_wanted(all, wanted)));
  EXPECT_LT(offsets.size(), 700U);
}

TYPED_TEST(PassingOverFiles, EndsWhereItIsToldWithTheLast) {
  TypeParam file;
  add_traffic(file, 0, 1000);
  const std::vector<wire::Frame> all = all_of(file);
  const HashFilter nothing;
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, nothing, 777);
  EXPECT_EQ(passed.read, 777U);
  ASSERT_FALSE(passed.frames.empty());
  EXPECT_EQ(passed.frames.back().number, all[776].number);
  wire::Frame next;
  ASSERT_TRUE((*source)->next(next));
  EXPECT_EQ(next.number, all[777].number);
}

TYPED_TEST(PassingOverFiles, DamageBetweenIsAsItIsElsewhere) {
  TypeParam file;
  add_traffic(file, 0, 500);
  file.add_damage();
  add_traffic(file, 500, 500);
  const HashFilter wanted = first_connection(file);
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, wanted, ~std::uint64_t{0});
  EXPECT_EQ(passed.read, 1000U);
  EXPECT_EQ((*source)->info().damage_count, 1U);
  std::set<std::uint64_t> offsets;
  for (const wire::Frame& frame : passed.frames) offsets.insert(frame.byte_offset);
  EXPECT_TRUE(std::ranges::includes(offsets, offsets_wanted(all_of(file), wanted)));
}

TYPED_TEST(PassingOverFiles, PartsFromMarksAreTheWhole) {
  TypeParam file;
  add_traffic(file, 0, 700);
  file.add_damage();
  add_traffic(file, 700, 800);
  const HashFilter wanted = first_connection(file);
  const std::vector<wire::Frame> all = all_of(file);
  // Marks as who reads all leaves them, between batches; one of them right before the damage.
  std::vector<PassingOver::Mark> marks;
  auto plain = open_memory(as_bytes(file.bytes()), "test", 0);
  std::vector<wire::Frame> batch(35);
  while ((*plain)->next_batch(batch) != 0) {
    const auto mark = dynamic_cast<PassingOver&>(**plain).mark();
    ASSERT_TRUE(mark);
    marks.push_back(*mark);
  }
  ASSERT_EQ(all.size(), 1500U);
  ASSERT_TRUE(std::ranges::any_of(marks, [](const auto& mark) { return mark.frames == 700; }));
  std::set<std::uint64_t> offsets;
  for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
    auto part = open_memory(as_bytes(file.bytes()), "test", 0);
    wire::Frame first;
    ASSERT_TRUE((*part)->next(first));
    dynamic_cast<PassingOver&>(**part).go_to(marks[i]);
    const std::uint64_t count = marks[i + 1].frames - marks[i].frames;
    const Passed passed = pass_over(**part, wanted, count);
    EXPECT_EQ(passed.read, count);
    ASSERT_FALSE(passed.frames.empty());
    EXPECT_EQ(passed.frames.back().number, all[marks[i + 1].frames - 1].number);
    for (const wire::Frame& frame : passed.frames) {
      offsets.insert(frame.byte_offset);
      expect_same(frame, all);
    }
  }
  for (const std::uint64_t offset : offsets_wanted(all, wanted)) {
    EXPECT_TRUE(offset < marks[0].offset || offsets.contains(offset)) << offset;
  }
}

// Who comes to a mark without having read what stands between knows no such interface.
TEST(PassingOver, NoMarkBehindAnInterfaceThatIsToldLate) {
  PcapngTraffic file;
  add_traffic(file, 0, 100);
  file.interface(113, 0);
  add_traffic(file, 100, 100);
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  std::vector<wire::Frame> batch(50);
  ASSERT_EQ((*source)->next_batch(batch), 50U);
  EXPECT_TRUE(dynamic_cast<PassingOver&>(**source).mark());
  while ((*source)->next_batch(batch) != 0) {
  }
  EXPECT_FALSE(dynamic_cast<PassingOver&>(**source).mark());
}

}  // namespace
}  // namespace slowpath::capture
