// SPDX-License-Identifier: Apache-2.0
// Frames that are passed over against all of them: what is wanted comes in either way, as it is,
// and no record is lost count of.
#include "capture/passing_over.h"

#include <algorithm>
#include <set>
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

void add(PcapFile& file, unsigned i, const test::BuiltFrame& built) {
  const wire::Frame frame = built.frame();
  const auto len = static_cast<std::uint32_t>(frame.bytes.size());
  file.header(kStart + i / 1000, i % 1000 * 1000, len, len).raw(frame.bytes);
}

/// Segments of many connections, every tenth packet of another kind.
void add_traffic(PcapFile& file, unsigned from, unsigned count) {
  for (unsigned i = from; i < from + count; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + i * 7 % kPorts);
    auto ip = test::packet().ethernet().ipv4("10.0.0.1", "10.0.9.9");
    add(file, i,
        i % 10 == 3 ? ip.udp(port, 53).payload(20).build()
                    : ip.tcp(test::ack, test::ports(port, 80), test::seq(1), test::ack_number(1))
                          .payload(i % 90)
                          .build());
  }
}

std::uint64_t hash_of(const wire::Frame& frame) { return CommonSegment::quick_hash(frame.bytes); }

/// That of the first segment, and with it of every kPorts-th or so.
HashFilter first_connection(const PcapFile& file) {
  HashFilter wanted;
  const auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  wire::Frame frame;
  EXPECT_TRUE(source && (*source)->next(frame) && CommonSegment::is_tcp4(frame));
  wanted.add(hash_of(frame));
  return wanted;
}

/// Numbers of the frames that must not be passed over.
std::set<std::uint64_t> numbers_wanted(const PcapFile& file, const HashFilter& wanted) {
  std::set<std::uint64_t> numbers;
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  for (wire::Frame frame; (*source)->next(frame);) {
    if (!CommonSegment::is_tcp4(frame) || wanted.may_contain(hash_of(frame))) {
      numbers.insert(frame.number);
    }
  }
  return numbers;
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

TEST(PassingOver, WhatIsWantedComesAsItIs) {
  PcapFile file;
  add_traffic(file, 0, 3000);
  const HashFilter wanted = first_connection(file);
  auto plain = open_memory(as_bytes(file.bytes()), "test", 0);
  std::vector<wire::Frame> all(3000);
  for (wire::Frame& frame : all) ASSERT_TRUE((*plain)->next(frame));
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, wanted, ~std::uint64_t{0});
  EXPECT_EQ(passed.read, 3000U);
  std::set<std::uint64_t> numbers;
  for (const wire::Frame& frame : passed.frames) {
    numbers.insert(frame.number);
    const wire::Frame& same = all[frame.number - 1];
    EXPECT_EQ(frame.bytes.data(), same.bytes.data());
    EXPECT_EQ(frame.bytes.size(), same.bytes.size());
    EXPECT_EQ(frame.original_len, same.original_len);
    EXPECT_EQ(frame.time, same.time);
    EXPECT_EQ(frame.byte_offset, same.byte_offset);
  }
  EXPECT_EQ(numbers, numbers_wanted(file, wanted));
  EXPECT_LT(numbers.size(), 500U);
}

TEST(PassingOver, EndsWhereItIsToldWithTheLast) {
  PcapFile file;
  add_traffic(file, 0, 1000);
  const HashFilter nothing;
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, nothing, 777);
  EXPECT_EQ(passed.read, 777U);
  ASSERT_FALSE(passed.frames.empty());
  EXPECT_EQ(passed.frames.back().number, 777U);
  wire::Frame next;
  ASSERT_TRUE((*source)->next(next));
  EXPECT_EQ(next.number, 778U);
}

TEST(PassingOver, DamageBetweenIsAsItIsElsewhere) {
  PcapFile file;
  add_traffic(file, 0, 500);
  file.header(7, 7, 0xffff'ffff, 7).raw(as_bytes(payload(300)));
  add_traffic(file, 500, 500);
  const HashFilter wanted = first_connection(file);
  auto source = open_memory(as_bytes(file.bytes()), "test", 0);
  const Passed passed = pass_over(**source, wanted, ~std::uint64_t{0});
  EXPECT_EQ(passed.read, 1000U);
  EXPECT_EQ((*source)->info().damage_count, 1U);
  std::set<std::uint64_t> numbers;
  for (const wire::Frame& frame : passed.frames) numbers.insert(frame.number);
  for (const std::uint64_t number : numbers_wanted(file, wanted)) {
    EXPECT_TRUE(numbers.contains(number)) << number;
  }
}

TEST(PassingOver, PartsFromMarksAreTheWhole) {
  PcapFile file;
  add_traffic(file, 0, 700);
  file.header(7, 7, 0xffff'ffff, 7).raw(as_bytes(payload(300)));
  add_traffic(file, 700, 800);
  const HashFilter wanted = first_connection(file);
  // Marks as who reads all leaves them, between batches; one of them right before the damage.
  std::vector<PassingOver::Mark> marks;
  auto plain = open_memory(as_bytes(file.bytes()), "test", 0);
  std::vector<wire::Frame> all, batch(35);
  while (const std::size_t got = (*plain)->next_batch(batch)) {
    all.insert(all.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(got));
    marks.push_back(dynamic_cast<PassingOver&>(**plain).mark());
  }
  ASSERT_EQ(all.size(), 1500U);
  ASSERT_TRUE(std::ranges::any_of(marks, [](const auto& mark) { return mark.frames == 700; }));
  std::set<std::uint64_t> numbers;
  for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
    auto part = open_memory(as_bytes(file.bytes()), "test", 0);
    wire::Frame first;
    ASSERT_TRUE((*part)->next(first));
    dynamic_cast<PassingOver&>(**part).go_to(marks[i]);
    const std::uint64_t count = marks[i + 1].frames - marks[i].frames;
    const Passed passed = pass_over(**part, wanted, count);
    EXPECT_EQ(passed.read, count);
    ASSERT_FALSE(passed.frames.empty());
    EXPECT_EQ(passed.frames.back().number, marks[i + 1].frames);
    for (const wire::Frame& frame : passed.frames) {
      numbers.insert(frame.number);
      EXPECT_EQ(frame.bytes.data(), all[frame.number - 1].bytes.data());
      EXPECT_EQ(frame.byte_offset, all[frame.number - 1].byte_offset);
    }
  }
  for (const std::uint64_t number : numbers_wanted(file, wanted)) {
    EXPECT_TRUE(number <= marks[0].frames || numbers.contains(number)) << number;
  }
}

}  // namespace
}  // namespace slowpath::capture
