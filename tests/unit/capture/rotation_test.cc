// SPDX-License-Identifier: Apache-2.0
#include "capture/rotation.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/capture_files.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

CaptureSpan span_of(double from_s, double to_s) {
  return {"", 1, Time{from_seconds(from_s)}, Time{from_seconds(to_s)}};
}

TEST(Rotation, OrderIsByFirstTimeWithTimelessLast) {
  const std::vector<CaptureSpan> spans = {span_of(20, 30), CaptureSpan{}, span_of(0, 10),
                                          span_of(10, 20)};
  EXPECT_THAT(order_by_first_time(spans), ElementsAre(2, 3, 0, 1));
}

TEST(Rotation, FilesThatFollowOneAnotherDoNotOverlap) {
  EXPECT_THAT(find_overlaps(std::vector{span_of(0, 10), span_of(10, 20), span_of(19.5, 30)}),
              IsEmpty());
  EXPECT_THAT(find_overlaps(std::vector{span_of(0, 10), CaptureSpan{}}), IsEmpty());
}

TEST(Rotation, SameTimeIsSeveralPoints) {
  const auto overlaps =
      find_overlaps(std::vector{span_of(0, 100), span_of(200, 300), span_of(50, 90)});
  ASSERT_EQ(overlaps.size(), 1u);
  EXPECT_EQ(overlaps[0].a, 0u);
  EXPECT_EQ(overlaps[0].b, 2u);
  EXPECT_EQ(overlaps[0].shared, std::chrono::seconds(40));
  EXPECT_DOUBLE_EQ(overlaps[0].share_of_shorter, 1.0);
}

TEST(Rotation, ShortCapturesOfOneMomentOverlap) {
  EXPECT_EQ(find_overlaps(std::vector{span_of(5, 5.2), span_of(5.01, 5.19)}).size(), 1u);
}

TEST(Rotation, SpanIsMeasuredOverUnorderedFrames) {
  PcapFile file;
  file.frame(kStart + 5, 0, 60)
      .frame(kStart, 1, 60)
      .frame(kStart + 9, 0, 60)
      .frame(kStart + 7, 0, 60);
  const auto path =
      std::filesystem::temp_directory_path() / ("slowpath-span-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.bytes().data()),
             static_cast<std::streamsize>(file.size()));
  const auto span = measure_span(path.string());
  std::filesystem::remove(path);
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->frames, 4u);
  EXPECT_EQ(to_ns(*span->first), kStart * 1'000'000'000LL + 1000);
  EXPECT_EQ(to_ns(*span->last), (kStart + 9) * 1'000'000'000LL);
  EXPECT_FALSE(measure_span("/nonexistent").has_value());
}

}  // namespace
}  // namespace slowpath::capture
