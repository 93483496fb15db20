// SPDX-License-Identifier: Apache-2.0
// shaper: a rate that is held by queueing what exceeds it.
// The user sees the same rate whatever the transfer; often the first seconds are faster (burst
// credit). Recognised by a constant delivery rate over many round trips with a standing queue and
// hardly any loss (ShaperProbe, IMC 2011; Flach et al., SIGCOMM 2016). A physical link of that
// speed gives the same picture, except for the fast beginning: the contract tells. A policer drops
// instead of queueing.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/ack_way.h"
#include "detect/arithmetic/statistics.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/stretches.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "shaper";
// The catalogue: round trips at the plateau.
constexpr double kRounds = 20;
// Half of the bins lie within this of their median: constant.
constexpr double kSpread = 0.15;
constexpr std::size_t kBins = 8;
// The queue at least doubles the round trip, and is noticed (policy.h).
constexpr double kRatio = 2;
constexpr double kAddedSeconds = kMaterialSeconds;
// "Loss rare": a queue that overflows all the time is congestion-self.
constexpr double kLossShare = 0.01;
// A beginning this much faster than the rest is burst credit.
constexpr double kBurstFactor = 1.5;

struct Plateau {
  double rate_bps = 0;
  double spread = 0;  // interquartile range over median
  double seconds = 0;
  double first_rate_bps = 0;  // of the fastest stretch before it
  bool known = false;
};

/// Joins bins to stretches of at least `width_s`, so that the gaps between ACKs are no spread.
std::vector<double> rates_of(const Timeline& timeline, double width_s) {
  std::vector<double> rates;
  if (timeline.bin_s <= 0) return rates;
  const auto group = static_cast<std::size_t>(std::max(1.0, width_s / timeline.bin_s + 0.999));
  for (std::size_t i = 0; i + group <= timeline.bins.size(); i += group) {
    const std::uint64_t bytes = bytes_within(timeline, &TimelineBin::acked_bytes, i, i + group);
    const double seconds = static_cast<double>(group) * timeline.bin_s;
    rates.push_back(static_cast<double>(bytes) * 8 / seconds);
  }
  return rates;
}

Plateau plateau_of(const DirectionFacts& data, const QueueFacts& queue) {
  const double width = std::max(queue.loaded_s, data.timeline.bin_s);
  std::vector<double> rates = rates_of(data.timeline, width);
  Plateau plateau;
  if (rates.size() < kBins) return plateau;
  // The beginning (slow start, burst credit) and the last, partly filled stretch stay out.
  const std::size_t skip = rates.size() / 4;
  const std::span<const double> middle(rates.data() + skip, rates.size() - skip - 1);
  const double median = arithmetic::median(middle).value_or(0);
  if (median <= 0) return plateau;
  const double low = arithmetic::percentile(middle, 0.25).value_or(0);
  const double high = arithmetic::percentile(middle, 0.75).value_or(0);
  plateau.rate_bps = median;
  plateau.spread = (high - low) / median;
  const double stretch = data.timeline.bin_s * static_cast<double>(data.timeline.bins.size()) /
                         static_cast<double>(rates.size());
  plateau.seconds = static_cast<double>(middle.size()) * stretch;
  plateau.first_rate_bps =
      skip > 0 ? *std::max_element(rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(skip))
               : 0;
  plateau.known = true;
  return plateau;
}

void report(const Transfer& transfer, const QueueFacts& queue, const Plateau& plateau,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const bool burst = plateau.first_rate_bps >= kBurstFactor * plateau.rate_bps;
  const bool standing = queue.ratio() >= kRatio && queue.added_s() >= kAddedSeconds;
  Finding finding = about(kId, transfer);
  // Without credit and without a queue that anybody notices it is a link, well used.
  finding.severity = standing ? Severity::fault : Severity::note;
  finding.confidence =
      confidence_of(0.65 + (burst ? 0.2 : 0) + 0.1 * (1 - plateau.spread / kSpread), transfer);
  finding.seconds_lost =
      burst ? plateau.seconds * (1 - plateau.rate_bps / plateau.first_rate_bps) : queue.added_s();
  finding.seconds_lost = std::min(finding.seconds_lost, duration_s(transfer.connection));
  finding.claim = fmt::format(
      "the rate is held at {} by queueing: constant for {}, round trips of "
      "{} instead of {}",
      format_rate(plateau.rate_bps), format_duration(plateau.seconds),
      format_duration(queue.loaded_s), format_duration(queue.base_s));
  finding.evidence.push_back(
      shown_by(fmt::format("half of the time the rate is within {} of {}",
                           format_percent(plateau.spread), format_rate(plateau.rate_bps)),
               {}, {{"plateau_bps", plateau.rate_bps}, {"plateau_s", plateau.seconds}}));
  finding.evidence.push_back(
      shown_by(fmt::format("round-trip time {} at least, {} under load; {} packets lost",
                           format_duration(queue.base_s), format_duration(queue.loaded_s),
                           data.lost_packets),
               {}, {{"rtt_min_us", queue.base_s * 1e6}, {"rtt_loaded_us", queue.loaded_s * 1e6}}));
  if (burst) {
    finding.evidence.push_back(
        shown_by(fmt::format("before that up to {} passed: burst credit, which a plain link does "
                             "not have",
                             format_rate(plateau.first_rate_bps)),
                 {}, {{"burst_bps", plateau.first_rate_bps}}));
  }
  finding.refuted_by =
      "a link on the path whose own speed is this rate, or several transfers side "
      "by side that together exceed it";
  finding.after_fix = {std::nullopt,
                       "nothing in the capture shows what the path would carry without the "
                       "shaper"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.ack_rtt");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const QueueFacts queue = queue_of(data);
  if (std::string why = why_no_queue_known(data, queue); !why.empty())
    return silent(findings, kId, transfer, std::move(why));
  if (!queue_builds(queue)) {
    return silent(findings, kId, transfer, "the round-trip time does not grow: nothing is queued");
  }
  if (queue_is_on_ack_way(data)) {
    return silent(findings, kId, transfer, "the queue is on the ACKs' way back, not on the data's");
  }
  const Plateau plateau = plateau_of(data, queue);
  if (!plateau.known || plateau.seconds < kRounds * queue.loaded_s) {
    return silent(findings, kId, transfer,
                  fmt::format("a plateau of {}; 20 round trips of {} are needed",
                              format_duration(plateau.seconds), format_duration(queue.loaded_s)));
  }
  if (plateau.spread > kSpread) {
    return silent(findings, kId, transfer,
                  fmt::format("the rate varies: half of the time by more than {} of its median",
                              format_percent(plateau.spread)));
  }
  const LossPattern pattern = loss_pattern(data);
  if (pattern.share > kLossShare) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of the packets lost: not rare", format_percent(pattern.share)));
  }
  const double window_share = data.time.share(TimeOwner::receive_window) +
                              data.time.share(TimeOwner::zero_window) +
                              data.time.share(TimeOwner::application);
  if (window_share > 0.5) {
    return silent(findings, kId, transfer, "an end holds the rate, not the path");
  }
  report(transfer, queue, plateau, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (transfer.data().data_packets >= kBins) inspect_transfer(transfer, findings);
  }
}

}  // namespace

extern const Detector shaper;
const Detector shaper{.id = kId,
                      .scope = Scope::direction,
                      .needs = "20 round trips at a constant rate",
                      .inspect = inspect};

}  // namespace slowpath::detect::detectors
