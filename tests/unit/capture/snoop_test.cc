// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::HasSubstr;

TEST(Snoop, FieldByField) {
  SnoopFile file;
  file.frame(kStart, 1, 61, 1514, 2).frame(kStart + 1, 999'999, 60, 60, 9);
  auto source = std::move(*open_memory(as_bytes(file.bytes()), "x.snoop", 1));
  const auto seen = read_all(*source);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].bytes, payload(61));
  EXPECT_EQ(seen[0].frame.original_len, 1514u);
  EXPECT_EQ(seen[0].frame.byte_offset, 16u + 24);
  EXPECT_EQ(to_ns(seen[1].frame.time), (kStart + 1) * 1'000'000'000LL + 999'999'000);
  EXPECT_EQ(seen[1].frame.link_type, wire::LinkType::ethernet);
  EXPECT_EQ(source->info().format, "snoop");
  EXPECT_EQ(source->info().reported_drops, 9u);
  EXPECT_EQ(source->info().damage_count, 0u);
}

TEST(Snoop, LinkTypesAreMapped) {
  const std::pair<std::uint32_t, int> cases[] = {
      {0, 1}, {4, 1}, {8, 10}, {2, 6}, {0x80000001, 228}, {0x80000002, 229}, {99, 0xffff}};
  for (const auto& [dlpi, link] : cases) {
    SnoopFile file(dlpi);
    file.frame(kStart, 0, 60);
    auto source = std::move(*open_memory(as_bytes(file.bytes()), "x", 0));
    EXPECT_EQ(static_cast<int>(read_all(*source)[0].frame.link_type), link) << dlpi;
  }
}

TEST(Snoop, LastRecordMayLackItsPadding) {
  SnoopFile file;
  file.frame(kStart, 0, 60).frame(kStart, 1, 61);
  Buffer bytes = file.bytes();
  bytes.resize(bytes.size() - 3);
  auto source = std::move(*open_memory(as_bytes(bytes), "x", 0));
  EXPECT_EQ(read_all(*source).size(), 2u);
  EXPECT_EQ(source->info().damage_count, 0u);
}

TEST(Snoop, OtherVersionsAreNamed) {
  const auto source = open_memory(as_bytes(SnoopFile(4, 5).bytes()), "x", 0);
  ASSERT_FALSE(source.has_value());
  EXPECT_THAT(source.error().message(), HasSubstr("version 5"));
}

}  // namespace
}  // namespace slowpath::capture
