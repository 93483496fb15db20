// SPDX-License-Identifier: Apache-2.0
// Text of tcpdump: what it counted at its end, and how many of its lines tell of a packet too big
// for a link, or of a wrong checksum. The packets themselves are left to captures.
#include <algorithm>
#include <optional>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

/// "16:44:13.639416 IP a.51236 > b.5001: Flags [P.], ...", with or without a date before.
bool is_packet(std::string_view line) {
  if (line.empty() || line.front() < '0' || line.front() > '9') return false;
  const Words words = words_of(line.substr(0, std::min<std::size_t>(line.size(), 96)));
  const std::size_t first = words.size() > 1 && words[0].size() == 10 && words[0][4] == '-' ? 1 : 0;
  if (words.size() < first + 2) return false;
  const std::string_view time = words[first];
  const bool is_time = time.size() >= 8 && time[2] == ':' && is_word_of(time, "0123456789:.");
  return is_time && (words[first + 1] == "IP" || words[first + 1] == "IP6");
}

bool is_banner(std::string_view line) {
  return line.starts_with("tcpdump: listening on ") ||
         line.starts_with("tcpdump: verbose output suppressed") ||
         line.starts_with("reading from file ") || line.contains(", link-type EN10MB");
}

/// "70 packets captured", "0 packets dropped by kernel".
std::optional<std::string_view> total_name(std::string_view line) {
  if (line.ends_with("packets captured") || line.ends_with("packet captured")) {
    return "TcpdumpCaptured";
  }
  if (line.ends_with("received by filter")) return "TcpdumpReceivedByFilter";
  if (line.ends_with("dropped by kernel")) return "TcpdumpDroppedByKernel";
  if (line.ends_with("dropped by interface")) return "TcpdumpDroppedByInterface";
  return std::nullopt;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return is_banner(first) || is_packet(first) ||
         (total_name(first) && whole_number(first.substr(0, first.find(' '))));
}

struct Counts {
  std::uint64_t packets = 0, need_frag = 0, too_big = 0, wrong_checksums = 0;
  std::optional<std::uint64_t> smallest_mtu, largest_segment;
};

void keep_smallest(std::optional<std::uint64_t>& field, std::optional<std::uint64_t> value) {
  if (value && (!field || *value < *field)) field = value;
}

void count(std::string_view line, Counts& counts) {
  if (line.contains("need to frag")) {
    ++counts.need_frag;
    keep_smallest(counts.smallest_mtu, whole_number(between(line, "(mtu ", ")")));
  }
  if (line.contains("packet too big")) {
    ++counts.too_big;
    keep_smallest(counts.smallest_mtu, whole_number(trim(between(line, "mtu ", ","))));
  }
  if (line.contains("(incorrect ->") || line.contains("bad cksum")) ++counts.wrong_checksums;
  if (!line.contains("Flags [")) return;
  const auto length = leading_number(between(line, ", length ", " "));
  const auto bytes = static_cast<std::uint64_t>(std::clamp(length.value_or(0), 0.0, 1e9));
  if (length) counts.largest_segment = std::max(counts.largest_segment.value_or(0), bytes);
}

void store(const Counts& counts, const Line& line, Notes& notes) {
  if (counts.packets == 0) return;
  notes.counter("TcpdumpPackets", counts.packets, line);
  notes.counter("TcpdumpNeedFrag", counts.need_frag + counts.too_big, line);
  notes.counter("TcpdumpWrongChecksums", counts.wrong_checksums, line);
  if (counts.smallest_mtu) notes.counter("TcpdumpNeedFragMtu", *counts.smallest_mtu, line);
  if (counts.largest_segment) notes.counter("TcpdumpLargestSegment", *counts.largest_segment, line);
}

void read(const Output& output, Notes& notes) {
  Counts counts;
  notes.each_line(output, [&](const Line& line) {
    const std::string_view text = trim(line.text);
    if (is_packet(text)) {
      ++counts.packets;
      count(text, counts);
      return true;
    }
    if (const auto name = total_name(text)) {
      const auto value = whole_number(text.substr(0, text.find(' ')));
      if (value) notes.counter(std::string(*name), *value, line);
      return value.has_value();
    }
    // With -v a packet's second line is indented, and so are the bytes of -x.
    const bool is_more = line.text.front() == ' ' || line.text.front() == '\t';
    if (is_more && counts.packets > 0) count(text, counts);
    return is_banner(text) || (is_more && counts.packets > 0);
  });
  store(counts, output.lines.front(), notes);
}

}  // namespace

namespace recognisers {
extern const Recogniser tcpdump;
const Recogniser tcpdump{"tcpdump", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
