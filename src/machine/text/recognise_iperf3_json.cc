// SPDX-License-Identifier: Apache-2.0
// `iperf3 -J`.
#include <algorithm>
#include <string>
#include <vector>

#include "machine/text/json.h"
#include "machine/text/reader.h"

namespace slowpath::machine::text {
namespace {

using nlohmann::json;

/// The object and its "start" open on the first lines; "version" names the program soon after.
bool recognises(const Output& rest) {
  if (!rest.lines.front().text.starts_with('{')) return false;
  for (const Line& line : rest.lines.first(std::min<std::size_t>(rest.lines.size(), 40))) {
    if (line.text.contains("\"version\"") && line.text.contains("iperf 3")) return true;
  }
  return false;
}

/// The median of the streams' mean round trips (microseconds), and the least of their smallest.
void read_streams(const json& end, MeasuredFacts& result) {
  const json& streams = member_at(end, "streams");
  if (!streams.is_array()) return;
  std::vector<double> means_s;
  for (const json& stream : streams) {
    const json& sender = member_at(stream, "sender");
    const auto mean_us = real_at(sender, "mean_rtt");
    const auto min_us = real_at(sender, "min_rtt");
    if (mean_us && *mean_us > 0) means_s.push_back(*mean_us / 1e6);
    if (min_us && *min_us > 0) {
      const double min_s = *min_us / 1e6;
      result.rtt_min_s = result.rtt_min_s ? std::min(*result.rtt_min_s, min_s) : min_s;
    }
  }
  if (means_s.empty()) return;
  std::ranges::sort(means_s);
  result.rtt_median_s = means_s[means_s.size() / 2];
}

bool read_test(const json& test, const Line& line, Notes& notes) {
  const json& end = member_at(test, "end");
  MeasuredFacts result;
  result.program = "iperf3";
  result.origin = notes.at(line);
  const auto received = real_at(member_at(end, "sum_received"), "bits_per_second");
  const auto sent = real_at(member_at(end, "sum_sent"), "bits_per_second");
  // A server that only sends tells no received sum.
  result.goodput_bps = received && *received > 0 ? received : sent;
  result.retransmits = number32_at(member_at(end, "sum_sent"), "retransmits");
  if (const auto size = number32_at(member_at(test, "start"), "sock_bufsize"); size && *size > 0) {
    result.window_bytes = size;
  }
  read_streams(end, result);
  if (const std::string error = text_at(test, "error"); !error.empty()) {
    notes.unread("the iperf3 test", error, {});
  }
  if (!result.goodput_bps) return false;
  notes.facts().measured.push_back(result);
  return true;
}

void read(const Output& output, Notes& notes) {
  bool is_cut = false;
  for (std::size_t at = 0; at < output.lines.size();) {
    const bool is_object = !is_cut && output.lines[at].text.starts_with('{');
    const auto parsed = is_object ? json_of(output.lines.subspan(at)) : std::nullopt;
    if (!parsed || !read_test(parsed->value, output.lines[at], notes)) {
      notes.not_understood(output.lines[at]);
    }
    is_cut = is_cut || (is_object && !parsed);
    at += parsed ? parsed->line_count : 1;
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser iperf3_json;
const Recogniser iperf3_json{"iperf3_json", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
