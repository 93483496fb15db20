// SPDX-License-Identifier: Apache-2.0
#include "detect/flat_flight.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_pattern.h"

namespace slowpath::detect {
namespace {

// Losses that explain a smaller window, of the packets.
constexpr double kLossShare = 0.0002;
// A flight of one segment at a time is an exchange of messages.
constexpr std::uint64_t kLeastSegments = 3;
// And so is a sender that is silent most of the time.
constexpr double kIdleShare = 0.5;
// A congestion window that nothing hinders grows by at least half a segment each round trip (RFC
// 5681 section 3.1, one ACK for every second segment). Flat is only what should have grown by this
// share of itself.
constexpr double kGrowthPerRound = 0.5, kGrowthShare = 0.3;
// Or, where nothing at all was lost, by so many times what it varies: steady growth would have made
// it vary by half of that growth. Not after a loss, behind which CUBIC stands still for seconds
// near the window that it had (RFC 9438 section 4.3).
constexpr double kGrowthSpreads = 8;
// And by so many segments, that no rounding is meant.
constexpr double kGrowthSegments = 5;
// CUBIC's C, in segments / s^3, and what a loss takes of its window (RFC 9438 sections 4.1, 4.6).
constexpr double kCubic = 0.4, kCubicLoss = 0.3;
// Data packets of the other side for each of this one's segments: a request for each 64 KiB.
constexpr double kAskingShare = 0.02;
// And what was measured to grow by half of that is such a window.
constexpr double kGrowth = 0.25;
// Round trips near their minimum: nothing queues.
constexpr double kQuietRatio = 1.2;
// Less than this is host jitter, whatever the ratio.
constexpr double kQuietSeconds = 0.002;
// Flights in one answer: with fewer for each packet of the other side, the flight is the size of
// what was asked for.
constexpr std::uint64_t kFlightsAnswer = 8;
// Below a millisecond interrupts and scheduling weigh as much as the flight, and flat flights are
// what any fast sender shows. They vary, though: where nearly all round trips are alike, nearly
// every send was let go by an ACK, and then nothing follows until the next, the flight it is.
constexpr double kLeastRtt = 0.001, kLeastSteadyRtt = 0.0002;
constexpr double kLetGoByAcks = 0.9;

// The path's rate spaces the data out until the next ACK comes. A limited flight leaves, and then
// a good part of the round trip is silent; or it leaves at the sender's own rhythm, not at the
// ACKs'.
constexpr double kSilentShare = 0.2;
constexpr double kPacedShare = 0.2;
// Unless the path is seen to be faster. Most of its trains arrive at so many times the transfer's
// rate, and enough of them; or a full segment takes hardly longer than a handshake's few bytes: a
// link as slow as the transfer holds each for its own time at that rate, of which half leaves room
// for jitter.
constexpr std::uint64_t kTrains = 20;
constexpr double kPathCarries = 4;
constexpr double kSegmentTimeShare = 0.5;
// A segment that is not full is all that was there to send (RFC 9293 section 3.8.6.2.1), which a
// sender that fills a path has now and then, not in every other round trip.
constexpr double kShortEndsPerRound = 0.5;

/// Requests and keystrokes: each is answered before the next one leaves, so the flight is flat too.
bool is_interactive(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  return data.flight_plateau_bytes < kLeastSegments * data.segment_size ||
         data.bytes < kFlatRounds * data.flight_plateau_bytes ||
         data.pauses.seconds + data.answers.seconds > kIdleShare * data.transfer_s;
}

/// The other side asks again and again, and the sender waits for that: an exchange of messages.
bool is_asked(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double segments = static_cast<double>(data.bytes) / data.segment_size;
  const std::uint64_t requests = transfer.reverse().data_packets;
  if (requests > 0 && data.bytes / requests < kFlightsAnswer * data.flight_plateau_bytes) {
    return true;
  }
  return data.time.share(TimeOwner::application) > kIdleShare &&
         static_cast<double>(transfer.reverse().data_packets) > kAskingShare * segments;
}

/// Again and again it had nothing more to send: the path was not what spaced its data out.
bool runs_out_of_data(const DirectionFacts& data) {
  return static_cast<double>(data.small_segments) >
         kShortEndsPerRound * static_cast<double>(data.flight_rounds);
}

/// No link of the path is as slow as the transfer.
bool path_is_faster(const DirectionFacts& data) {
  if (data.goodput_bps <= 0) return false;
  const TrainFacts& trains = data.trains;
  if (trains.trains >= kTrains && trains.median_bps >= kPathCarries * data.goodput_bps) return true;
  if (!data.rtt.handshake_s) return false;
  const double segment_s = data.segment_size * 8 / data.goodput_bps;
  const double base_s = std::min(*data.rtt.handshake_s, data.rtt.total.min_s);
  return data.rtt.total.p95_s - base_s < kSegmentTimeShare * segment_s;
}

/// How long CUBIC's window may look flat behind a loss: it takes K seconds to be where it was, and
/// as many to be as much above it (RFC 9438 section 4.2).
double cubic_flat_s(double segments) { return 2 * std::cbrt(kCubicLoss * segments / kCubic); }

/// A congestion window would have grown so far in these round trips that it could be seen.
bool growth_would_show(const DirectionFacts& data) {
  const double segments = kGrowthPerRound * static_cast<double>(data.flight_rounds);
  const double growth = segments * data.segment_size;
  const auto plateau = static_cast<double>(data.flight_plateau_bytes);
  if (data.lost_packets > 0 &&
      data.transfer_s - data.timeout_s < cubic_flat_s(plateau / data.segment_size)) {
    return false;
  }
  if (growth >= kGrowthShare * plateau) return true;
  return data.lost_packets == 0 && segments >= kGrowthSegments &&
         growth >= kGrowthSpreads * data.flight_plateau_spread * plateau;
}

/// Why the flight shows no limit of any host's; empty when it stands still without a reason
/// outside.
std::string why_not_flat(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.flight_rounds < kFlatRounds || data.segment_size == 0) {
    return fmt::format("{} after slow start; {} are needed",
                       counted(data.flight_rounds, "round trip"), kFlatRounds);
  }
  if (is_interactive(transfer) || is_asked(transfer)) {
    return fmt::format("{} in flight and {} packets that ask for it: messages, not a transfer",
                       format_bytes(static_cast<double>(data.flight_plateau_bytes)),
                       transfer.reverse().data_packets);
  }
  if (data.flight_growth_bytes > kGrowth * data.segment_size) {
    return fmt::format("the flight grows by {} each round trip: a congestion window",
                       format_bytes(std::round(data.flight_growth_bytes)));
  }
  const double losses = static_cast<double>(data.lost_packets);
  if (losses > kLossShare * static_cast<double>(data.data_packets)) {
    return fmt::format("{} lost: losses keep the window small",
                       counted(data.lost_packets, "packet"));
  }
  if (std::string why = taken_for_lost(data); !why.empty()) return why;
  if (data.flight_plateau_spread > kFlatSpread) {
    return fmt::format("the flight varies by {} of its median: it is not flat",
                       format_percent(data.flight_plateau_spread));
  }
  if (data.flight_idle_share < kSilentShare && !runs_out_of_data(data) &&
      data.time.share(TimeOwner::pacing_or_cpu) + data.time.share(TimeOwner::application) <
          kPacedShare &&
      !path_is_faster(data)) {
    return "data flows without a pause between round trips, as a full path clocks it";
  }
  return {};
}

/// So short round trips that what they measure may be the hosts' own time.
bool hosts_weigh(const DirectionFacts& data, const QueueFacts& queue) {
  const double least_s = std::min(queue.base_s, data.rtt.total.min_s);
  if (least_s >= kLeastRtt) return false;
  return least_s < kLeastSteadyRtt || data.rtt.total.p95_s > kQuietRatio * least_s ||
         data.time.share(TimeOwner::congestion_window) < kLetGoByAcks ||
         data.flight_idle_share < kSilentShare;
}

}  // namespace

double held_s(const DirectionFacts& data) {
  return data.time[TimeOwner::congestion_window] + data.time[TimeOwner::pacing_or_cpu] +
         data.time[TimeOwner::send_buffer] + data.time[TimeOwner::unknown] +
         data.time[TimeOwner::application];
}

std::string why_no_host_holds(const Transfer& transfer) {
  if (std::string why = why_not_flat(transfer); !why.empty()) return why;
  const DirectionFacts& data = transfer.data();
  if (!growth_would_show(data)) {
    return fmt::format("in {} round trips{} a congestion window of {} need not have grown visibly",
                       data.flight_rounds, data.lost_packets > 0 ? " and behind a loss" : "",
                       format_bytes(static_cast<double>(data.flight_plateau_bytes)));
  }
  const QueueFacts queue = queue_of(data);
  if (!queue.known() || (queue.ratio() > kQuietRatio && queue.added_s() > kQuietSeconds)) {
    return fmt::format("round trips of {} under load, {} at least: the path queues",
                       format_duration(queue.loaded_s), format_duration(queue.base_s));
  }
  if (hosts_weigh(data, queue)) {
    return fmt::format("at a round trip of {} the hosts' own time weighs as much as the flight",
                       format_duration(queue.base_s));
  }
  return {};
}

}  // namespace slowpath::detect
