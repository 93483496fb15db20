// SPDX-License-Identifier: Apache-2.0
// Quantities to text and back: the shapes the report shows, their rounding edges, and refusals.
#include "base/format.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/result.h"
#include "base/time.h"

namespace slowpath {
namespace {

using namespace std::chrono_literals;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(FormatRate, hasThreeDigitsAndSiPrefixes) {
  EXPECT_EQ(format_rate(0), "0 bit/s");
  EXPECT_EQ(format_rate(-0.0), "0 bit/s");
  EXPECT_EQ(format_rate(999), "999 bit/s");
  EXPECT_EQ(format_rate(1.5e6), "1.5 Mbit/s");
  EXPECT_EQ(format_rate(17'476'000), "17.5 Mbit/s");
  EXPECT_EQ(format_rate(1e9), "1 Gbit/s");
  EXPECT_EQ(format_rate(4.004e8), "400 Mbit/s");
  EXPECT_EQ(format_rate(-2500), "-2.5 kbit/s");
}

TEST(FormatRate, roundsUpIntoTheNextPrefix) {
  EXPECT_EQ(format_rate(999.4e3), "999 kbit/s");
  EXPECT_EQ(format_rate(999.7e3), "1 Mbit/s");
  EXPECT_EQ(format_rate(9.996e6), "10 Mbit/s");
  EXPECT_EQ(format_rate(99.96e6), "100 Mbit/s");
}

TEST(FormatSpecial, infinityAndNanAreWords) {
  EXPECT_EQ(format_rate(kInfinity), "unlimited");
  EXPECT_EQ(format_bytes(kNan), "unknown");
  EXPECT_EQ(format_duration(kInfinity), "unlimited");
  EXPECT_EQ(format_percent(kNan), "unknown");
}

TEST(FormatBytes, hasIecPrefixes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1460), "1460 B");
  EXPECT_EQ(format_bytes(9038), "9038 B");
  EXPECT_EQ(format_bytes(1024), "1 KiB");
  EXPECT_EQ(format_bytes(65536), "64 KiB");
  EXPECT_EQ(format_bytes(65535), "64.0 KiB");
  EXPECT_EQ(format_bytes(1.57e6), "1.50 MiB");
  EXPECT_EQ(format_bytes(1023.7 * 1024), "1.00 MiB");
  EXPECT_EQ(format_bytes(1'073'725'440), "1.00 GiB");
  EXPECT_EQ(format_bytes(-65536), "-64 KiB");
}

TEST(FormatDuration, picksTheUnit) {
  EXPECT_EQ(format_duration(0.0), "0 s");
  EXPECT_EQ(format_duration(8.2), "8.2 s");
  EXPECT_EQ(format_duration(0.00013), "130 µs");
  EXPECT_EQ(format_duration(250us), "250 µs");
  EXPECT_EQ(format_duration(0.02), "20 ms");
  EXPECT_EQ(format_duration(12e-9), "12 ns");
  EXPECT_EQ(format_duration(125.0), "2 min 5 s");
  EXPECT_EQ(format_duration(3600.0 * 3 + 1200), "3 h 20 min");
  EXPECT_EQ(format_duration(86400.0 * 4 + 7200), "4 d 2 h");
  EXPECT_EQ(format_duration(-0.02), "-20 ms");
}

TEST(FormatDuration, roundsUpIntoTheNextUnit) {
  EXPECT_EQ(format_duration(0.99996), "1 s");
  EXPECT_EQ(format_duration(0.9994), "999 ms");
  EXPECT_EQ(format_duration(59.94), "59.9 s");
  EXPECT_EQ(format_duration(59.96), "1 min");
  EXPECT_EQ(format_duration(3599.6), "1 h");
  EXPECT_EQ(format_duration(86399.0), "1 d");
}

TEST(FormatCount, groupsFromFiveDigitsOn) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(1514), "1514");
  EXPECT_EQ(format_count(12345), "12 345");
  EXPECT_EQ(format_count(123456), "123 456");
  EXPECT_EQ(format_count(1073725440), "1 073 725 440");
}

TEST(FormatPercent, neverRoundsToAllOrNothing) {
  EXPECT_EQ(format_percent(0), "0 %");
  EXPECT_EQ(format_percent(1), "100 %");
  EXPECT_EQ(format_percent(0.956), "95.6 %");
  EXPECT_EQ(format_percent(0.5), "50 %");
  EXPECT_EQ(format_percent(0.99999), "> 99.9 %");
  EXPECT_EQ(format_percent(0.0005), "0.05 %");
  EXPECT_EQ(format_percent(3.2e-8), "3.2e-06 %");
}

TEST(FormatTime, cutsToMilliseconds) {
  EXPECT_EQ(format_time_utc(time_from_ns(1'795'170'127'123'999'999)),
            "2026-11-20 10:22:07.123 UTC");
  EXPECT_EQ(format_time_utc(time_from_ns(-1)), "1969-12-31 23:59:59.999 UTC");
}

double rate_of(std::string_view text) { return parse_rate(text).value_or(-1); }
std::int64_t size_of(std::string_view text) {
  const auto size = parse_size(text);
  return size ? static_cast<std::int64_t>(*size) : -1;
}
std::int64_t ns_of(std::string_view text) {
  return parse_duration(text).value_or(Duration{-1}).count();
}
std::int64_t time_of(std::string_view text) {
  return to_ns(parse_time_utc(text).value_or(time_from_ns(-1)));
}

TEST(ParseRate, takesWhatPeopleWrite) {
  EXPECT_DOUBLE_EQ(rate_of("10M"), 1e7);
  EXPECT_DOUBLE_EQ(rate_of("10m"), 1e7);
  EXPECT_DOUBLE_EQ(rate_of("1.5Gbit/s"), 1.5e9);
  EXPECT_DOUBLE_EQ(rate_of(" 100 Mbps "), 1e8);
  EXPECT_DOUBLE_EQ(rate_of("12.5MB/s"), 1e8);
  EXPECT_DOUBLE_EQ(rate_of("1Mibit/s"), 1048576);
  EXPECT_DOUBLE_EQ(rate_of("1e9"), 1e9);
  EXPECT_DOUBLE_EQ(rate_of("0"), 0);
}

TEST(ParseRate, refusesTheRest) {
  for (const auto* text :
       {"", "M", "-5M", "fast", "10Mfoo", "10MB", "inf", "nan", "0x10", "1e999", "1e19"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
  EXPECT_EQ(parse_rate("10 furlongs").error().message(),
            "cannot read '10 furlongs' as a rate: unknown unit; "
            "write it like 10M, 1.5Gbit/s or 12.5MB/s");
  EXPECT_EQ(parse_rate("x").error().kind, ErrorKind::usage);
}

TEST(ParseSize, letterAloneIsBinary) {
  EXPECT_EQ(size_of("1448"), 1448);
  EXPECT_EQ(size_of("64K"), 65536);
  EXPECT_EQ(size_of("64Ki"), 65536);
  EXPECT_EQ(size_of("64 KiB"), 65536);
  EXPECT_EQ(size_of("64KB"), 64000);
  EXPECT_EQ(size_of("1MiB"), 1048576);
  EXPECT_EQ(size_of("1.5k"), 1536);
  EXPECT_EQ(size_of("7 bytes"), 7);
  for (const auto* text : {"", "K", "-1", "1Q", "1Kbit", "9e18K", "10 10"}) {
    EXPECT_EQ(size_of(text), -1) << text;
  }
}

TEST(ParseDuration, needsAUnit) {
  EXPECT_EQ(ns_of("20ms"), 20'000'000);
  EXPECT_EQ(ns_of("1.5s"), 1'500'000'000);
  EXPECT_EQ(ns_of("5m"), 300'000'000'000);
  EXPECT_EQ(ns_of("1h30m"), 5'400'000'000'000);
  EXPECT_EQ(ns_of("2 min 5 s"), 125'000'000'000);
  EXPECT_EQ(ns_of("250µs"), 250'000);
  EXPECT_EQ(ns_of("0"), 0);
  for (const auto* text : {"", "20", "ms", "-1s", "5x", "1h30", "300000d"}) {
    EXPECT_EQ(ns_of(text), -1) << text;
  }
  EXPECT_EQ(parse_duration("20").error().message(),
            "cannot read '20' as a duration: the unit is missing; "
            "write it like 250us, 20ms, 1.5s, 5m or 1h30m");
}

TEST(ParseDuration, readsWhatFormatWrites) {
  for (const Duration d :
       {Duration{12}, Duration{130us}, Duration{20ms}, Duration{8200ms}, Duration{125s}}) {
    EXPECT_EQ(parse_duration(format_duration(d)).value_or(Duration{-1}), d);
  }
}

TEST(ParseShare, takesPerCentOrPlain) {
  EXPECT_DOUBLE_EQ(parse_share("0.1%").value_or(-1), 0.001);
  EXPECT_DOUBLE_EQ(parse_share("1e-5").value_or(-1), 1e-5);
  EXPECT_DOUBLE_EQ(parse_share("100 %").value_or(-1), 1);
  for (const auto* text : {"", "%", "2", "101%", "-1%", "0.1x"})
    EXPECT_FALSE(parse_share(text)) << text;
}

TEST(ParseTime, isUtc) {
  constexpr std::int64_t kAt = 1'795'170'127'000'000'000;
  EXPECT_EQ(time_of("2026-11-20T10:22:07.5Z"), kAt + 500'000'000);
  EXPECT_EQ(time_of("2026-11-20 10:22:07"), kAt);
  EXPECT_EQ(time_of("2026-11-20 10:22:07.000000001 UTC"), kAt + 1);
  EXPECT_EQ(time_of("2026-11-20 10:22"), kAt - 7'000'000'000);
  EXPECT_EQ(time_of("2026-11-20"), kAt - (((10 * 60) + 22) * 60 + 7) * std::int64_t{1'000'000'000});
  EXPECT_EQ(format_time_utc(*parse_time_utc("2024-02-29 00:00:00.25")),
            "2024-02-29 00:00:00.250 UTC");
}

TEST(ParseTime, refusesTheRest) {
  for (const auto* text :
       {"", "10:22:07", "2026-13-01", "2026-02-29", "1969-01-01", "2262-01-01", "2026-11-20X10:22",
        "2026-11-20 24:00", "2026-11-20 10:60", "2026-11-20 10:22:60", "2026-11-20 10:22:07.",
        "2026-11-20 10:22:07.1234567890", "2026-11-20 10:22:07+02:00", "2026-11-20T"}) {
    EXPECT_FALSE(parse_time_utc(text)) << text;
  }
}

TEST(FormatHex, hasTwoDigitsAByte) {
  const std::array bytes{std::byte{0x00}, std::byte{0x0f}, std::byte{0xff}};
  EXPECT_EQ(format_hex(bytes), "000fff");
  EXPECT_EQ(format_hex({}), "");
}

}  // namespace
}  // namespace slowpath
