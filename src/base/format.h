// SPDX-License-Identifier: Apache-2.0
// Quantities as people write them, both ways: rates in bit/s with SI prefixes, sizes in bytes with
// IEC prefixes, times in s/ms/µs (DESIGN section 4). Formatting is independent of the locale.
// Layout, widths and colour are left to report/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace slowpath {

// Every format function of a double answers "unlimited" for infinity and "unknown" for NaN.

/// "1.5 Mbit/s": SI prefix, three significant digits without trailing zeros; zero is "0 bit/s".
std::string format_rate(double bits_per_second);

/// "64 KiB", "1.50 MiB", "1460 B": IEC prefix, three significant digits, none after the point where
/// the number is whole. Up to 9999 bytes that are no whole KiB stay bytes: packet sizes are read
/// so.
std::string format_bytes(double bytes);

/// "8.2 s", "20 ms", "250 µs", "12 ns", "2 min 5 s", "3 h 20 min", "4 d 2 h"; "2 min" where
/// nothing is left over.
std::string format_duration(double seconds);
std::string format_duration(Duration duration);

/// "12 345": groups of three parted by a space from five digits on; "1514" stays as it is.
std::string format_count(std::uint64_t count);

/// "95.6 %" of a share 0..1: one decimal, two significant digits below 0.1 %. Only an exact 0 or 1
/// reads "0 %" or "100 %".
std::string format_percent(double share);

/// "2026-11-20 10:22:07.123 UTC", cut (not rounded) to milliseconds.
std::string format_time_utc(Time time);

// The parse functions take what a person would type, blanks around it or before the unit allowed.
// They fail with ErrorKind::usage and a sentence that says what is accepted.

/// Bits per second out of "10M", "1.5Gbit/s", "100 Mbps", "12.5MB/s" (a capital B means bytes).
/// Prefixes are SI and either case is taken; "Mi" and the like are binary. From 0 to 1e18.
Result<double> parse_rate(std::string_view text);

/// Bytes out of "1448", "64K", "64Ki", "1MiB", "1.5G": K, Ki and KiB are 1024, kB and KB are 1000.
/// A fraction of a byte is rounded. Below 2^63.
Result<std::uint64_t> parse_size(std::string_view text);

/// "20ms", "1.5s", "250us", "5m", "1h30m": the unit is required, except after 0. m is minutes.
Result<Duration> parse_duration(std::string_view text);

/// "0.1%", "1e-5", "0.02": a share of 0..1, plain or in per cent.
Result<double> parse_share(std::string_view text);

/// "2026-11-20T10:22:07.5Z", "2026-11-20 10:22:07", "2026-11-20 10:22", "2026-11-20": always UTC,
/// whether Z or UTC is written or not; up to nine decimals; years 1970 to 2261.
Result<Time> parse_time_utc(std::string_view text);

/// "00ff": two digits a byte.
std::string format_hex(std::span<const std::byte> bytes);

}  // namespace slowpath
