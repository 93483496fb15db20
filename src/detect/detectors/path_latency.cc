// SPDX-License-Identifier: Apache-2.0
// path-latency: the time is the path's round trip itself.
// The user sees short exchanges that take long although nothing is lost and nobody waits.
// Recognised by a round trip that is as long in the handshake as for data, without queue or loss,
// and that makes up most of the time (the floor by distance: light in fibre covers 200 km each
// millisecond). Look-alikes: bufferbloat (grows under load), a slow server (fast handshake). A long
// round trip alone is geography, not a fault; it becomes one where distance on Earth does not
// explain it.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/distance.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "path-latency";
// Half of the Earth's circumference: two hosts cannot be farther apart.
constexpr double kFarthestKm = 20'000;
// Fibre follows coasts and roads: a round trip between London and Sydney, 17'000 km, takes 0.27 s
// and not 0.17.
constexpr double kDetour = 1.5;
// Below that nobody asks.
constexpr double kMentionSeconds = 0.100;
// The catalogue: of the time.
constexpr double kShare = 0.70;
// "Both large and equal": data and handshake differ by less than this factor, and so do the median
// and the least.
constexpr double kEqualFactor = 1.4;
constexpr std::uint64_t kSamples = 3;
// Round trips in the time of a short exchange. Beyond it is a transfer, whose rate a window
// explains.
constexpr double kRoundsOfExchange = 50;

/// Time spent waiting for round trips, handshake included.
double waited_s(const DirectionFacts& data) {
  return data.time[TimeOwner::handshake] + data.time[TimeOwner::slow_start] +
         data.time[TimeOwner::congestion_window];
}

/// First packet to the last data and one round trip: the close is nobody's wait.
double exchange_s(const ConnectionFacts& connection, double rtt_s) {
  const auto& [up, down] = connection.directions;
  return seconds_between(connection.first, std::max(up.last_data, down.last_data)) + rtt_s;
}

bool is_steady(const DirectionFacts& data, double handshake_s) {
  const RttFacts& rtt = data.rtt.total;
  return rtt.samples >= kSamples && rtt.median_s <= handshake_s * kEqualFactor &&
         handshake_s <= rtt.median_s * kEqualFactor && rtt.median_s <= rtt.min_s * kEqualFactor;
}

void report(const Transfer& transfer, double handshake_s, double waited, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const bool beyond_distance = handshake_s > kDetour * arithmetic::rtt_floor_s(kFarthestKm);
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(waited, duration_s(transfer.connection));
  finding.severity = beyond_distance ? severity_of(true, waited, transfer) : Severity::note;
  finding.confidence =
      confidence_of(0.7 + 0.2 * how_far(handshake_s, kMentionSeconds, 0.6), transfer);
  finding.claim =
      fmt::format("the round trip of {} is where the time goes: {} of {} are waiting for it",
                  format_duration(handshake_s), format_duration(waited),
                  format_duration(active_s(transfer.connection)));
  finding.evidence.push_back(shown_by(
      fmt::format("round trip {} in the handshake, {} (median) for data, {} at least: equal, so no "
                  "queue and no slow host",
                  format_duration(handshake_s), format_duration(data.rtt.total.median_s),
                  format_duration(data.rtt.total.min_s)),
      transfer.connection.handshake.syn_ack_frames,
      {{"handshake_us", handshake_s * 1e6}, {"rtt_median_us", data.rtt.total.median_s * 1e6}}));
  finding.evidence.push_back(
      shown_by(fmt::format("a straight fibre of this round trip would be {:.0f} km long",
                           arithmetic::farthest_km(handshake_s)),
               {}, {{"fibre_km", arithmetic::farthest_km(handshake_s)}}));
  finding.refuted_by = "a shorter round trip between the same hosts at another time";
  finding.after_fix = {std::nullopt,
                       "depends on the path: time scales with the round trip and with "
                       "the number of exchanges"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.ack_rtt");
  findings.list.push_back(std::move(finding));
}

void inspect_connection(const Case& facts, const ConnectionFacts& connection, Findings& findings) {
  const auto& [up, down] = connection.directions;
  const Direction main = up.bytes > down.bytes ? Direction::to_server : Direction::to_client;
  const Transfer transfer{facts, connection, main};
  const DirectionFacts& data = transfer.data();
  const double handshake_s = data.rtt.handshake_s.value_or(0);
  if (handshake_s < kMentionSeconds || data.bytes == 0) return;
  if (up.lost_packets + down.lost_packets + up.timeouts + down.timeouts > 0) {
    return silent(findings, kId, connection, "packets were lost: the round trip is not all");
  }
  if (!is_steady(data, handshake_s)) {
    return silent(
        findings, kId, connection,
        fmt::format("round trip {} in the handshake, {} (median) for data: not equal, or "
                    "too few",
                    format_duration(handshake_s), format_duration(data.rtt.total.median_s)));
  }
  const double active = exchange_s(connection, handshake_s);
  const double waited = waited_s(data);
  if (waited < kShare * active || active > kRoundsOfExchange * handshake_s) {
    return silent(
        findings, kId, connection,
        fmt::format("{} of {} are round trips; {} of a short exchange are needed",
                    format_duration(waited), format_duration(active), format_percent(kShare)));
  }
  report(transfer, handshake_s, waited, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    inspect_connection(facts, connection, findings);
  }
}

}  // namespace

extern const Detector path_latency;
const Detector path_latency{.id = kId,
                            .scope = Scope::connection,
                            .needs = "the handshake and 3 round-trip times of data",
                            .inspect = inspect};

}  // namespace slowpath::detect::detectors
