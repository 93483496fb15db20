// SPDX-License-Identifier: Apache-2.0
// The shapes that commands print in: words, numbers, "Key : Value" lines, columns under a rule of
// dashes or under a header. Knows no command. Views point into the text that was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/address.h"
#include "machine/text/lines.h"

namespace slowpath::machine::text {

std::string_view trim(std::string_view text);
std::string lower(std::string_view text);  // ASCII letters only
bool same_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view text, std::string_view part);

using Words = std::vector<std::string_view>;
/// Parted by blanks, at most 256 of them.
Words words_of(std::string_view text);
/// The word after `key`, or empty.
std::string_view word_after(const Words& words, std::string_view key);
/// What stands between the first `begin` and the next `end` (or the end of the text); empty where
/// `begin` is not there.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end);

/// The whole text as a number; hexadecimal with 0x is accepted. Nothing where it is none or does
/// not fit.
std::optional<std::uint64_t> whole_number(std::string_view text);
std::optional<std::uint32_t> whole_number32(std::string_view text);
std::optional<double> real_number(std::string_view text);
/// The number that a text begins with: "128 hops", "12ms", "1,5": 128, 12, 1.5.
std::optional<double> leading_number(std::string_view text);
/// Hexadecimal digits without 0x.
std::optional<std::uint64_t> hex_number(std::string_view text);
/// Bit/s out of "1.5Gbps", "10000Mb/s", "944 Mbits/sec", "10 Gbps", "3400000bps"; bytes for
/// "MBytes/sec".
std::optional<double> rate_bps(std::string_view text);
/// Bytes out of "85.3 KByte", "1.10 GBytes": 1024 each, as iperf means them.
std::optional<double> size_bytes(std::string_view text);
/// on/off, enabled/disabled, true/false, yes/no, 1/0, and the words of German, French, Spanish,
/// Portuguese and Japanese Windows, with or without their accents.
std::optional<bool> truth_of(std::string_view text);
std::optional<IpAddress> address_of(std::string_view text);
/// "10.0.0.1:80", "[2001:db8::1]:80", "2001:db8::1:80", "*:80"; a zone ("%eth0") is dropped.
std::optional<Endpoint> endpoint_of(std::string_view text);

struct Pair {
  std::string_view key, value;  // trimmed
};
/// Parted at " : " or, where there is none, at the first `mark`. Nothing without a key.
std::optional<Pair> pair_of(std::string_view line, char mark = ':');

/// "Receive-Side Scaling State" -> "receive-side-scaling-state".
std::string kebab(std::string_view name);

/// A line of dashes or equal signs and blanks alone.
bool is_rule(std::string_view line);
bool is_word_of(std::string_view text, std::string_view allowed);

/// Where columns begin, in characters, from a rule like "---  ------  ---".
std::vector<std::size_t> columns_of_rule(std::string_view rule);
/// Where columns begin, from a header; names may hold single blanks where `gap` is 2.
std::vector<std::size_t> columns_of_header(std::string_view header, std::size_t gap = 1);
/// The cells of a line, trimmed; as many as there are columns.
std::vector<std::string_view> cells_of(std::string_view line,
                                       const std::vector<std::size_t>& columns);

}  // namespace slowpath::machine::text
