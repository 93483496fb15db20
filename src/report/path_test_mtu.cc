// SPDX-License-Identifier: Apache-2.0
// Packet sizes, hops, fragments and segments of a path test, as text.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "report/path_test_parts.h"

namespace slowpath::report {
namespace {

std::string_view carrier_of(const SizeSweep& sweep) {
  switch (sweep.kind) {
    case SizeProbeKind::icmp_echo:
      return "ping, both ways";
    case SizeProbeKind::udp:
      return "UDP out";
    case SizeProbeKind::udp_peer:
      return sweep.direction == Direction::to_server ? "out" : "back";
  }
  return "";
}

bool is_reported(const SizeSweep& sweep) {
  const auto failed =
      std::ranges::find(sweep.sizes, sweep.smallest_failed_bytes, &SizeResult::ip_bytes);
  return failed != sweep.sizes.end() && failed->reported > 0;
}

std::string words_of(const SizeSweep& sweep) {
  if (!sweep.unable.empty())
    return fmt::format("{}: not known: {}", carrier_of(sweep), sweep.unable);
  std::string text =
      fmt::format("{}: {} bytes pass", carrier_of(sweep), sweep.largest_passed_bytes);
  if (sweep.smallest_failed_bytes == 0) {
    text += sweep.largest_passed_bytes >= sweep.ceiling_bytes
                ? ", all that the sender's interface lets out"
                : ", larger ones were not tried to the end";
  } else {
    text += fmt::format(", {} do not{}", sweep.smallest_failed_bytes,
                        is_reported(sweep) ? "" : " and nobody says so");
  }
  for (const MtuReport& report : sweep.reports) {
    text += fmt::format("; {}{} reports an MTU of {}", to_string(report.from),
                        report.hop ? fmt::format(" (hop {})", *report.hop) : "", report.mtu_bytes);
  }
  return text;
}

/// The header arithmetic, done for the user: 8972, not 9000.
std::string ping_of(const PathTestFacts& test) {
  std::uint32_t size = 0;
  for (const SizeSweep& sweep : test.mtu->sweeps) {
    if (sweep.largest_passed_bytes == 0) continue;
    size = size == 0 ? sweep.largest_passed_bytes : std::min(size, sweep.largest_passed_bytes);
  }
  const bool v6 = test.peer.version == 6;
  const std::uint32_t headers = v6 ? 48 : 28;
  const std::uint32_t tcp = v6 ? 60 : 40;
  if (size <= tcp) return {};
  return fmt::format(
      "packets of {} bytes are ping -M do -s {}, and a TCP MSS of {} ({} with timestamps)", size,
      size - headers, size - tcp, size - tcp - 12);
}

std::string hops_of(const PathMtuTest& mtu) {
  std::string text;
  for (const PathHop& hop : mtu.hops) {
    text += text.empty() ? "" : ", ";
    text += hop.address ? fmt::format("{} {}", hop.ttl, to_string(*hop.address))
                        : fmt::format("{} silent", hop.ttl);
    if (hop.rtt_s) text += " " + format_duration(*hop.rtt_s);
    if (hop.large_answered) text += *hop.large_answered ? " (large: yes)" : " (large: no)";
  }
  return text;
}

std::string words_of(const FragmentTest& test) {
  const std::string what =
      fmt::format("{}{}{}", test.by_peer ? std::string(to_way(test.direction)) : "ping, both ways",
                  test.out_of_order ? ", last one first" : "", "");
  if (!test.unable.empty()) return fmt::format("{}: not tried: {}", what, test.unable);
  return fmt::format("{}: {} of {} datagrams of {} bytes in {} fragments arrive", what,
                     test.arrived, test.sent, test.ip_bytes, test.fragments);
}

std::string words_of(const SegmentTest& test) {
  if (!test.unable.empty())
    return fmt::format("{}: not tried: {}", to_way(test.direction), test.unable);
  const double size = test.bursts > 0 ? static_cast<double>(test.burst_bytes) / test.bursts : 0;
  return fmt::format(
      "{}: of {} single segments of {} bytes {} had to be sent again, of {} bursts of {} {}",
      to_way(test.direction), test.singles_sent, test.mss_bytes, test.singles_resent, test.bursts,
      format_bytes(size), test.bursts_resent);
}

void write_sizes(Page& page, const SizeSweep& sweep) {
  std::string text;
  for (const SizeResult& size : sweep.sizes) {
    text +=
        fmt::format("{}{}: {}/{}", text.empty() ? "" : ", ", size.ip_bytes, size.passed, size.sent);
  }
  if (!text.empty()) page.entry("", fmt::format("   arrived, by size: {}", text));
}

}  // namespace

std::string_view to_way(Direction direction) {
  return direction == Direction::to_server ? "out" : "back";
}

void write_path_mtu(Page& page, const PathTestFacts& test, bool all) {
  const PathMtuTest& mtu = *test.mtu;
  std::string_view label = "sizes";
  for (const SizeSweep& sweep : mtu.sweeps) {
    page.entry(label, words_of(sweep));
    if (all) write_sizes(page, sweep);
    label = "";
  }
  if (const std::string ping = ping_of(test); !ping.empty()) page.entry("", ping);
  if (mtu.kernel_pmtu_bytes) {
    page.entry("", fmt::format("this host's kernel believes in {}, its interface has an MTU of {}",
                               *mtu.kernel_pmtu_bytes, mtu.interface_mtu_bytes));
  }
  if (const std::string hops = hops_of(mtu); !hops.empty()) page.entry("hops", hops);
  label = "fragments";
  for (const FragmentTest& fragments : mtu.fragments) {
    page.entry(label, words_of(fragments));
    label = "";
  }
  label = "segments";
  for (const SegmentTest& segments : mtu.segments) {
    page.entry(label, words_of(segments));
    label = "";
  }
}

}  // namespace slowpath::report
