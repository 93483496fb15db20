// SPDX-License-Identifier: Apache-2.0
// bufferbloat, reordering and duplicated-packets by test.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

// As for captures (detectors/bufferbloat.cc): three times the idle round trip and 100 ms on top.
constexpr double kRatio = 3, kAdded_s = 0.100;
constexpr std::uint64_t kSamples = 5;
// A tenth of a second at more than this would be over 12 MB of queue: no port has that, and hosts
// that move so much are busy themselves.
constexpr double kMostRate_bps = 1e9;
// Processors without rest delay answers as a queue does.
constexpr double kBusy = 0.85;
// Fewer hurt nobody: TCP takes three packets' worth of it, and chance copies one.
constexpr double kReorderedShare = 0.01, kDuplicateShare = 0.005;
constexpr std::uint64_t kEnough = 10;

const RoundTrips* idle_of(const LatencyTest& latency) {
  if (latency.idle && latency.idle->answered >= kSamples) return &*latency.idle;
  if (latency.echo && latency.echo->answered >= kSamples) return &*latency.echo;
  if (latency.connect && latency.connect->trips.answered >= kSamples)
    return &latency.connect->trips;
  return nullptr;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void bufferbloat(const PathTestFacts& test, Findings& findings) {
  const RoundTrips* idle = test.latency ? idle_of(*test.latency) : nullptr;
  if (idle == nullptr) return;
  for (const LatencyTest::Loaded& loaded : test.latency->loaded) {
    const double added_s = loaded.trips.median_s - idle->median_s;
    if (loaded.load_bps > kMostRate_bps) continue;
    if (loaded.trips.answered < kSamples || added_s < kAdded_s ||
        loaded.trips.median_s < kRatio * idle->median_s) {
      continue;
    }
    const bool hosts_rest = loaded.own_busy_share < kBusy;
    Finding finding =
        found("bufferbloat", hosts_rest ? Severity::fault : Severity::suspect,
              !hosts_rest     ? 0.5
              : added_s > 0.3 ? 0.95
                              : 0.85,
              fmt::format("while data flows {} an answer takes {} instead of {}: everything waits "
                          "in the bottleneck's queue",
                          way_of(test, loaded.direction), format_duration(loaded.trips.median_s),
                          format_duration(idle->median_s)));
    finding.direction = loaded.direction;
    finding.evidence.push_back(tested(
        fmt::format("median round trip idle {} ({} answers), under {} of load {} ({} answers)",
                    format_duration(idle->median_s), idle->answered, format_rate(loaded.load_bps),
                    format_duration(loaded.trips.median_s), loaded.trips.answered),
        {{"rtt_idle_us", idle->median_s * 1e6}, {"rtt_loaded_us", loaded.trips.median_s * 1e6}}));
    if (!hosts_rest) {
      finding.evidence.push_back(tested(
          fmt::format("this host's processors were {} busy meanwhile, which delays answers as well",
                      format_percent(loaded.own_busy_share))));
      finding.next_capture = "the same test from a host that has nothing else to do";
    }
    finding.refuted_by = "a ping beside a transfer that stays near the idle round trip";
    findings.push_back(std::move(finding));
  }
}

namespace {

/// All runs of one direction together.
DatagramRun sum_of(const LatencyTest& latency, Direction direction) {
  DatagramRun sum;
  for (const DatagramRun& run : latency.runs) {
    if (run.direction != direction || !run.unable.empty()) continue;
    sum.received += run.received;
    sum.reordered += run.reordered;
    sum.duplicates += run.duplicates;
  }
  return sum;
}

}  // namespace

void reordering(const PathTestFacts& test, Findings& findings) {
  if (!test.latency) return;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    const DatagramRun sum = sum_of(*test.latency, direction);
    const std::string way = way_of(test, direction);
    if (sum.reordered >= kEnough && share(sum.reordered, sum.received) >= kReorderedShare) {
      Finding finding =
          found("reordering", Severity::suspect, 0.8,
                fmt::format("{} {} of the datagrams arrive after one that was sent later", way,
                            format_percent(share(sum.reordered, sum.received))));
      finding.direction = direction;
      finding.evidence.push_back(
          tested(fmt::format("{} of {} datagrams, over all rates", sum.reordered, sum.received),
                 {{"reordered", static_cast<double>(sum.reordered)},
                  {"received", static_cast<double>(sum.received)}}));
      finding.refuted_by = "datagrams that arrive in order";
      findings.push_back(std::move(finding));
    }
    if (sum.duplicates >= kEnough && share(sum.duplicates, sum.received) >= kDuplicateShare) {
      Finding finding = found("duplicated-packets", Severity::suspect, 0.85,
                              fmt::format("{} {} of the datagrams arrive twice", way,
                                          format_percent(share(sum.duplicates, sum.received))));
      finding.direction = direction;
      finding.evidence.push_back(
          tested(fmt::format("{} copies beside {} datagrams", sum.duplicates, sum.received),
                 {{"duplicates", static_cast<double>(sum.duplicates)}}));
      finding.refuted_by = "a run without copies";
      findings.push_back(std::move(finding));
    }
  }
}

}  // namespace slowpath::detect::path
