// SPDX-License-Identifier: Apache-2.0
#include "report/iperf3_text.h"

#include <fmt/format.h>

#include "base/format.h"
#include "report/iperf3_sums.h"
#include "report/layout.h"
#include "report/test_verdict.h"

namespace slowpath::report {
namespace {

std::string way_of(bool sends) { return sends ? "sends" : "receives"; }

std::string rate_words(double bits_per_second, RateUnit unit) {
  constexpr std::string_view kUnits = "kmgt";
  const auto lower = static_cast<char>(unit | 0x20);
  const std::size_t power = kUnits.find(lower);
  if (unit == 0 || power == std::string_view::npos) return format_rate(bits_per_second);
  const bool is_bytes = unit != lower;
  double value = is_bytes ? bits_per_second / 8 : bits_per_second;
  for (std::size_t i = 0; i <= power; ++i) value /= 1000;
  constexpr std::string_view kPrefixes = "kMGT";
  return fmt::format("{:.{}f} {}{}", value,
                     value < 10    ? 2
                     : value < 100 ? 1
                                   : 0,
                     kPrefixes[power], is_bytes ? "byte/s" : "bit/s");
}

std::string amount_words(const Iperf3Sum& sum, RateUnit unit) {
  return fmt::format("{:6.2f}–{:6.2f} s  {:>9}  {:>12}", sum.begin_s, sum.end_s,
                     format_bytes(static_cast<double>(sum.bytes)),
                     rate_words(sum.bits_per_second(), unit));
}

std::string datagram_words(const Iperf3Sum& sum) {
  return fmt::format("  jitter {}, {} of {} lost ({:.2g} %)",
                     format_duration(sum.datagrams.jitter_s), format_count(sum.datagrams.lost),
                     format_count(sum.datagrams.packets), sum.lost_percent());
}

std::string interval_line(const Iperf3Facts& facts, const Iperf3Stream& stream,
                          const Iperf3Interval& interval, RateUnit unit) {
  const Iperf3Sum sum = sum_of(interval);
  std::string line =
      fmt::format("[{:3}] {:8}  {}", stream.id, way_of(stream.sends), amount_words(sum, unit));
  if (facts.is_udp && !stream.sends) line += datagram_words(sum);
  if (facts.is_udp && stream.sends) {
    line += fmt::format("  {} packets", format_count(interval.datagrams.packets));
  }
  if (!facts.is_udp && stream.sends) {
    line += fmt::format("  {} resent, cwnd {}, RTT {}", interval.retransmits,
                        format_bytes(static_cast<double>(interval.cwnd_bytes)),
                        format_duration(interval.rtt_s));
  }
  return line + (interval.omitted ? "  (omitted)\n" : "\n");
}

std::string sum_line(const Iperf3Facts& facts, std::size_t index, bool sends, RateUnit unit) {
  const Iperf3Sum sum = interval_sum(facts, index, sends);
  if (sum.streams < 2) return {};
  return fmt::format("[sum] {:8}  {}{}\n", way_of(sends), amount_words(sum, unit),
                     sum.omitted ? "  (omitted)" : "");
}

std::string total_line(const Iperf3Facts& facts, std::string_view name, const Iperf3Sum& sum,
                       bool at_sender, RateUnit unit) {
  std::string line = fmt::format("[{:>3}] {:8}  {}", name, at_sender ? "sender" : "receiver",
                                 amount_words(sum, unit));
  if (facts.is_udp && !at_sender) line += datagram_words(sum);
  if (!facts.is_udp && at_sender && sum.knows_retransmits) {
    line += fmt::format("  {} resent", format_count(sum.retransmits));
  }
  return line + "\n";
}

/// What only the other end can know is left out where it told nothing.
std::string totals_of(const Iperf3Facts& facts, RateUnit unit) {
  std::string text;
  for (const Iperf3Stream& stream : facts.streams) {
    for (const bool at_sender : {true, false}) {
      if (!facts.has_remote && at_sender != stream.sends) continue;
      text += total_line(facts, std::to_string(stream.id), stream_total(stream, at_sender),
                         at_sender, unit);
    }
    if (!stream.error.empty()) text += fmt::format("[{:3}] {}\n", stream.id, stream.error);
  }
  for (const bool sends : {true, false}) {
    for (const bool at_sender : {true, false}) {
      const Iperf3Sum sum = total(facts, sends, at_sender);
      if (sum.streams < 2 || (!facts.has_remote && at_sender != sends)) continue;
      text += total_line(facts, "sum", sum, at_sender, unit);
    }
  }
  return text;
}

}  // namespace

std::string iperf3_begin_text(const Iperf3Facts& facts) {
  const std::string_view way = facts.bidirectional                ? "both ways"
                               : facts.reverse != facts.is_server ? "receiving"
                                                                  : "sending";
  const std::string_view role =
      facts.is_server ? "for the iperf3 client" : "with the iperf3 server";
  const std::string title =
      facts.title.empty() ? std::string{} : printable(facts.title, true) + ": ";
  return title +
         printable(
             fmt::format("{} {} {}, {}, blocks of {}", facts.is_udp ? "UDP" : "TCP", role,
                         facts.host, way, format_bytes(static_cast<double>(facts.block_bytes))),
             true) +
         "\n";
}

std::string iperf3_interval_text(const Iperf3Facts& facts, RateUnit unit) {
  const std::size_t count = interval_count(facts);
  if (count == 0) return {};
  std::string text;
  for (const Iperf3Stream& stream : facts.streams) {
    if (count <= stream.intervals.size()) {
      text += interval_line(facts, stream, stream.intervals[count - 1], unit);
    }
  }
  return text + sum_line(facts, count - 1, true, unit) + sum_line(facts, count - 1, false, unit);
}

std::string iperf3_end_text(const Iperf3Facts& facts, RateUnit unit) {
  std::string text;
  if (!facts.streams.empty()) text += "total\n" + totals_of(facts, unit);
  if (facts.has_remote) {
    text += fmt::format("cpu   here {:.1f} % (user {:.1f} %, system {:.1f} %), there {:.1f} %\n",
                        facts.local.total_percent, facts.local.user_percent,
                        facts.local.system_percent, facts.remote.total_percent);
  }
  if (!facts.server_output.empty()) {
    text += "what the server printed:\n";
    std::string_view rest = facts.server_output;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      text += "  " + printable(rest.substr(0, end), true) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (!facts.error.empty()) text += printable("ended early: " + facts.error, true) + "\n";
  return text;
}

std::string iperf3_verdict_text(const Diagnosis& diagnosis, const TextOptions& options) {
  Page page{options.style};
  write_test_verdict(page, diagnosis, options);
  return std::move(page).take();
}

}  // namespace slowpath::report
