// SPDX-License-Identifier: Apache-2.0
// random-loss and length-conditioned loss (csum-bad-on-arrival) by test. Loss that is there at a
// tenth of the rate and no more at nine tenths has nothing to do with load. Loss that grows with
// the length of a packet is made bit by bit: 1 - (1 - p)^bits; only the bytes tell a damaged link
// from a box that picks by size, so it is a suspect.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr double kLow = 0.5;  // a run below half of the measured rate is no load
constexpr double kLeastShare =
    0.0005;                            // less does not slow a transfer down that anybody would test
constexpr std::uint64_t kEnough = 10;  // losses; fewer show no distribution
constexpr double kSteeper = 3;         // times as much loss of the longest as of the shortest
constexpr double kSure = 4;            // standard deviations between both

double loss_of(std::uint64_t sent, std::uint64_t received) {
  return sent == 0 ? 0 : 1 - static_cast<double>(received) / static_cast<double>(sent);
}

/// Several losses at once in a row are a full queue's or an outage's.
bool comes_alone(const DatagramRun& run) {
  const std::uint64_t lost = run.sent - run.received;
  return run.loss_runs * 2 >= lost;
}

std::vector<const DatagramRun*> runs_of(const LatencyTest& latency, Direction direction) {
  std::vector<const DatagramRun*> runs;
  for (const DatagramRun& run : latency.runs) {
    if (run.direction == direction && run.unable.empty() && run.sent > 0 && run.rate_share &&
        *run.rate_share <= 1)
      runs.push_back(&run);
  }
  std::ranges::sort(runs, {}, [](const DatagramRun* run) { return *run->rate_share; });
  return runs;
}

}  // namespace

void random_loss(const PathTestFacts& test, Findings& findings) {
  if (!test.latency) return;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    const auto runs = runs_of(*test.latency, direction);
    if (runs.empty() || *runs.front()->rate_share > kLow) continue;
    // The runs below the load, taken together.
    std::uint64_t sent = 0, received = 0, damaged = 0;
    bool alone = true;
    for (const DatagramRun* run : runs) {
      if (*run->rate_share > kLow) continue;
      sent += run->sent;
      received += run->received;
      damaged += run->damaged;
      alone = alone && (run->sent == run->received || comes_alone(*run));
    }
    const double loss = loss_of(sent, received);
    if (sent - received < kEnough || loss < kLeastShare) continue;
    const bool is_damage = damaged * 2 >= sent - received;
    const std::string way = way_of(test, direction);
    Finding finding =
        is_damage
            ? found("csum-bad-on-arrival", Severity::fault, 0.93,
                    fmt::format("{} packets are damaged on the way: {} of {} that were lost came "
                                "with a wrong checksum",
                                way, damaged, sent - received))
            : found(
                  "random-loss", alone ? Severity::fault : Severity::suspect, alone ? 0.88 : 0.6,
                  fmt::format("{} {} of the datagrams are lost although the path is hardly loaded",
                              way, format_percent(loss)));
    finding.direction = direction;
    for (const DatagramRun* run : runs) {
      finding.evidence.push_back(tested(
          fmt::format("at {} ({} of the rate that TCP reached): {} of {} lost in {} places",
                      format_rate(run->offered_bps), format_percent(*run->rate_share),
                      run->sent - run->received, run->sent, run->loss_runs),
          {{"offered_bps", run->offered_bps}, {"loss_share", loss_of(run->sent, run->received)}}));
    }
    finding.refuted_by = "a run at a tenth of the rate without loss";
    findings.push_back(std::move(finding));
  }
}

void length_loss(const PathTestFacts& test, Findings& findings) {
  if (!test.latency) return;
  for (const LengthLoss& lengths : test.latency->lengths) {
    if (!lengths.unable.empty() || lengths.sizes.size() < 2) continue;
    const auto& small = lengths.sizes.front();
    const auto& large = lengths.sizes.back();
    const double small_loss = loss_of(small.sent, small.received),
                 large_loss = loss_of(large.sent, large.received);
    const double lost_large = static_cast<double>(large.sent - large.received);
    // All of a size gone is an edge, not a slope.
    if (lost_large < static_cast<double>(kEnough) || large.received == 0) continue;
    const double deviation = std::sqrt(large_loss / static_cast<double>(large.sent) +
                                       std::max(small_loss, 1.0 / static_cast<double>(small.sent)) /
                                           static_cast<double>(small.sent));
    if (large_loss < kSteeper * small_loss || large_loss - small_loss < kSure * deviation) continue;
    // What the far end's own counters say of damaged datagrams makes it certain.
    const bool is_proved =
        lengths.checksum_errors.value_or(0) * 2 >= static_cast<std::uint64_t>(lost_large);
    Finding finding =
        found("csum-bad-on-arrival", is_proved ? Severity::fault : Severity::suspect,
              is_proved ? 0.93 : 0.65,
              fmt::format("{} the longer a packet the likelier it is lost: {} of {} bytes, {} of "
                          "{} bytes, as bit errors "
                          "do",
                          way_of(test, lengths.direction), format_percent(small_loss),
                          small.ip_bytes, format_percent(large_loss), large.ip_bytes));
    finding.direction = lengths.direction;
    for (const auto& size : lengths.sizes) {
      finding.evidence.push_back(
          tested(fmt::format("{} bytes: {} of {} lost", size.ip_bytes, size.sent - size.received,
                             size.sent),
                 {{"ip_bytes", size.ip_bytes}, {"loss_share", loss_of(size.sent, size.received)}}));
    }
    if (lengths.checksum_errors) {
      finding.evidence.push_back(tested(
          fmt::format("the receiving host counted {} datagrams with a wrong checksum meanwhile",
                      *lengths.checksum_errors),
          {{"checksum_errors", static_cast<double>(*lengths.checksum_errors)}}));
    }
    finding.refuted_by = "packets of all lengths being lost alike";
    finding.next_capture =
        "at the receiver: tcpdump -ni DEV -w damaged.pcap    (during a transfer; wrong checksums "
        "show)";
    findings.push_back(std::move(finding));
  }
}

}  // namespace slowpath::detect::path
