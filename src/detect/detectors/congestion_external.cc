// SPDX-License-Identifier: Apache-2.0
// congestion-external: the path is full, and others fill it.
// The user sees long round trips and a rate that varies, whatever this transfer does. Recognised by
// round trips that stay long while this transfer has little in flight: a queue that it made itself
// would have drained (Sundaresan et al., IMC 2017, ask the same of slow start). Look-alikes:
// congestion-self (round trips fall with the flight), a long path (round trips are always long), a
// path that became longer (round trips stay the same from then on), a slow reader, other
// connections of the same two hosts.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/statistics.h"
#include "detect/capture_loss.h"
#include "detect/full_path.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/siblings.h"
#include "detect/stretches.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "congestion-external";
// Parts of the time with little in flight, and with much.
constexpr std::size_t kParts = 10;
// Little: half of what is usual when there is much. Its own queue would then be gone or halved.
constexpr double kLittle = 0.5;
// And yet round trips are as long.
constexpr double kAsLong = 0.8;
// A queue that people notice (as congestion-self).
constexpr double kRatio = 1.5;
constexpr double kAddedSeconds = 0.020;
// Time that is spent with round trips so long: a queue of others stands, a busy host's delays come
// and go.
constexpr double kShare = 0.8;
// Others come and go, and a queue of theirs with them. What was added and then varies by less than
// this, with little in flight, is length: another route, or a radio link's other mode.
constexpr double kSteadyShare = 0.02;
constexpr double kSteadySeconds = 0.0005;  // less is the clock of the hosts
// Unless others keep the queue full to the last packet, which then drops much of what comes.
constexpr double kFloodLossShare = 0.02;

// From this share of bytes on that were not captured, the flight that is seen is not what was in
// flight.
constexpr double kNotCaptured = 0.05;

// So much of the path's rate is one transfer's: what others have of it makes no queue.
constexpr double kNearlyAlone = 0.8;

struct Loads {
  std::vector<double> little_rtt_s, much_rtt_s;
  double flight_much = 0;
  double queued_share = 0;  // of the parts with a round-trip time
};

/// What was on its way in `bin`, whose number is `index`. Away from the sender the tap does not see
/// what waits before it; but as much is on its way as passes any point in a round trip (Little's
/// law).
double flight_in(const DirectionFacts& data, const TimelineBin& bin, std::size_t index) {
  const Timeline& timeline = data.timeline;
  const auto seen = static_cast<double>(bin.flight_max_bytes);
  if (data.vantage == Vantage::sender || timeline.bin_s <= 0) return seen;
  const double trip_bins = static_cast<double>(bin.rtt_min_s) / timeline.bin_s;
  const auto wanted = static_cast<std::size_t>(std::max(1.0, std::round(trip_bins)));
  const std::size_t count = std::min(wanted, timeline.bins.size() - index);
  const auto passed =
      static_cast<double>(bytes_within(timeline, &TimelineBin::sent_bytes, index, index + count));
  return std::max(seen, passed * trip_bins / static_cast<double>(count));
}

Loads loads_of(const DirectionFacts& data) {
  const std::span<const TimelineBin> bins = data.timeline.bins.kept();
  std::vector<std::size_t> timed;  // bins with a round-trip time
  std::vector<double> flights;     // in each of them
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].rtt_min_s <= 0) continue;
    timed.push_back(i);
    flights.push_back(flight_in(data, bins[i], data.timeline.bins.numbers()[i]));
  }
  Loads loads;
  loads.flight_much = arithmetic::percentile(flights, 0.75).value_or(0);
  const double least_s = least_rtt_s(data.rtt);
  std::size_t queued = 0;
  for (std::size_t i = 0; i < timed.size(); ++i) {
    const TimelineBin& bin = bins[timed[i]];
    if (bin.flight_max_bytes == 0) continue;
    const double flight = flights[i];
    const auto rtt_s = static_cast<double>(bin.rtt_min_s);
    if (flight <= kLittle * loads.flight_much) loads.little_rtt_s.push_back(rtt_s);
    if (flight >= loads.flight_much) loads.much_rtt_s.push_back(rtt_s);
    queued += rtt_s >= kRatio * least_s;
  }
  if (!flights.empty()) {
    loads.queued_share = static_cast<double>(queued) / static_cast<double>(flights.size());
  }
  return loads;
}

/// The round trip stands at one value, far above its least: nothing queues, the way is longer.
bool became_longer(const DirectionFacts& data, const Loads& loads, double little_s) {
  const double low_s = arithmetic::percentile(loads.little_rtt_s, 0.1).value_or(0);
  const double high_s = arithmetic::percentile(loads.little_rtt_s, 0.9).value_or(0);
  const double added_s = little_s - least_rtt_s(data.rtt);
  if (high_s - low_s > std::max(kSteadySeconds, kSteadyShare * added_s)) return false;
  return static_cast<double>(data.lost_packets) <
         kFloodLossShare * static_cast<double>(data.data_packets);
}

/// The queue in the parts of a transfer that tell of it.
struct Queued {
  double base_s = 0;                // the least round trip
  double little_s = 0, much_s = 0;  // with little and with much in flight, at the median
};

void report(const Transfer& transfer, const Loads& loads, const Queued& queued,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const auto [base_s, little_s, much_s] = queued;
  Finding finding = about(kId, transfer);
  const double waited = data.time[TimeOwner::bottleneck] + data.time[TimeOwner::loss_recovery] +
                        data.time[TimeOwner::congestion_window] + data.time[TimeOwner::timeout];
  finding.seconds_lost = waited * (1 - base_s / little_s);
  // A full queue drops; without any loss the delay may be the hosts' own.
  finding.severity =
      data.lost_packets > 0 ? severity_of(true, finding.seconds_lost, transfer) : Severity::note;
  finding.confidence = confidence_of(0.7 + 0.2 * how_far(little_s / much_s, kAsLong, 1), transfer);
  finding.claim = fmt::format(
      "the path is full whatever this transfer does: round trips of {} with little in flight, {} "
      "with much, {} at least",
      format_duration(little_s), format_duration(much_s), format_duration(base_s));
  finding.evidence.push_back(shown_by(
      fmt::format("in {} parts of the time with at most half of {} in flight the round trip was "
                  "{} (median); in {} parts with more it was {}",
                  loads.little_rtt_s.size(), format_bytes(loads.flight_much),
                  format_duration(little_s), loads.much_rtt_s.size(), format_duration(much_s)),
      {},
      {{"rtt_little_us", little_s * 1e6},
       {"rtt_much_us", much_s * 1e6},
       {"rtt_min_us", base_s * 1e6}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of the time the round trip is at least {} times the least",
                           format_percent(loads.queued_share), kRatio),
               {}, {{"lost_packets", static_cast<double>(data.lost_packets)}}));
  finding.refuted_by = "a round trip that falls to its least as soon as this transfer pauses";
  finding.after_fix = {std::nullopt, "how much of the path others take is not in the capture"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.ack_rtt");
  findings.list.push_back(std::move(finding));
}

/// Why the queue is not that of others. Empty if it is.
std::string why_not_others(const DirectionFacts& data, const Loads& loads, const Queued& queued) {
  const auto [base_s, little_s, much_s] = queued;
  const bool queues = little_s >= kRatio * base_s && little_s - base_s >= kAddedSeconds;
  if (!queues || loads.queued_share < kShare) {
    return fmt::format(
        "with little in flight the round trip is {}, at least {}: no queue of others",
        format_duration(little_s), format_duration(base_s));
  }
  if (little_s < kAsLong * much_s) {
    return fmt::format("the round trip falls from {} to {} with the flight: its own queue",
                       format_duration(much_s), format_duration(little_s));
  }
  if (became_longer(data, loads, little_s)) {
    return fmt::format("the round trip went from {} to {} and stands there: a longer way, no queue",
                       format_duration(base_s), format_duration(little_s));
  }
  const double ends = data.time.share(TimeOwner::receive_window) +
                      data.time.share(TimeOwner::zero_window) +
                      data.time.share(TimeOwner::application);
  if (ends > 0.5) return "an end holds the rate, not the path";
  // Nobody else fills what this transfer has nearly alone.
  const double path_bps = link_bps(data);
  if (path_bps <= 0 || data.goodput_bps < kNearlyAlone * path_bps) return {};
  return fmt::format("the path carries {}, and this transfer has {} of it", format_rate(path_bps),
                     format_percent(data.goodput_bps / path_bps));
}

void inspect_transfer(const Transfer& transfer, Siblings& siblings, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.rtt.total.samples < 2 * kParts || data.rtt.total.min_s <= 0) return;
  if (const double missing = capture_loss_share(data); missing >= kNotCaptured) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} of the bytes were never captured: how much was in flight does not "
                    "show",
                    format_percent(missing)));
  }
  const Loads loads = loads_of(data);
  if (loads.little_rtt_s.size() < kParts || loads.much_rtt_s.size() < kParts) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} of the time with little in flight, {} with much; {} of each "
                    "are needed",
                    counted(loads.little_rtt_s.size(), "part"), loads.much_rtt_s.size(), kParts));
  }
  const Queued queued{.base_s = least_rtt_s(data.rtt),
                      .little_s = arithmetic::median(loads.little_rtt_s).value_or(0),
                      .much_s = arithmetic::median(loads.much_rtt_s).value_or(0)};
  if (std::string why = why_not_others(data, loads, queued); !why.empty())
    return silent(findings, kId, transfer, std::move(why));
  // Who opens several connections fills the path with them: to each it looks as if others did.
  if (const std::size_t count = siblings.that_move_as_much(transfer); count > 0) {
    return silent(findings, kId, transfer,
                  fmt::format("{} other connections of these hosts move as much or more meanwhile: "
                              "the queue may be theirs",
                              count));
  }
  report(transfer, loads, queued, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Transfer> all = transfers_with_data(facts);
  Siblings siblings(all);
  for (const Transfer& transfer : all) inspect_transfer(transfer, siblings, findings);
}

}  // namespace

extern const Detector congestion_external;
const Detector congestion_external{.id = kId,
                                   .scope = Scope::direction,
                                   .needs = "round trips with little and with much in flight",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors
