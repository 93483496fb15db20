// SPDX-License-Identifier: Apache-2.0
// When the honest answer about a connection is `unclear`: half of it was seen, the capture lost
// much of it, or time was lost that no fault explains. Each doubt comes with the capture that would
// settle it.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/capture_loss.h"
#include "detect/flat_flight.h"
#include "detect/loss_limit.h"
#include "detect/loss_time.h"
#include "detect/overflow_toll.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"
#include "detect/tap.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

// A direction with fewer of its connection's bytes (requests, say) does not decide how it went;
// what losses there cost is seen in the account of its time.
constexpr double kMinorDirection = 0.10;
// Neither is the lesser one where so much of the time passed before there was any data.
constexpr double kMostlyHandshake = 0.50;

// Nobody waits this long for an answer and then closes because all is well; more bytes than this
// are no request.
constexpr double kGaveUpSeconds = 3.0;
constexpr std::uint64_t kRequestBytes = 16384;

bool had_trouble(const DirectionFacts& direction) {
  return direction.timeouts > 0 || direction.resent_packets > 0 || !direction.stalls.empty();
}

std::uint64_t bytes_of(const ConnectionFacts& connection) {
  return connection.directions[0].bytes + connection.directions[1].bytes;
}

/// What one direction alone does not tell.
std::string missed_half(const DirectionFacts& seen, const DirectionFacts& missed) {
  if (seen.bytes == 0) {
    return fmt::format("how {} came that it acknowledged is not in the capture",
                       format_bytes(static_cast<double>(missed.unseen_acked_bytes)));
  }
  if (!had_trouble(seen))
    return "nothing was sent again, but what held it back shows in the ACKs alone";
  return fmt::format(
      "it {}, and whether data or acknowledgements were lost cannot be told without "
      "the other direction",
      seen.resent_packets > 0 ? fmt::format("sent {} again", counted(seen.resent_packets, "packet"))
                              : "stalled");
}

std::optional<Doubt> doubt_about_half(const ConnectionFacts& connection) {
  const auto& [up, down] = connection.directions;
  if (up.seen == down.seen || carried_bytes(connection) == 0) return std::nullopt;
  const DirectionFacts& seen = up.seen ? up : down;
  const DirectionFacts& missed = up.seen ? down : up;
  const bool went_well = seen.bytes > 0 && !had_trouble(seen);
  if (went_well && active_s(connection) < kUnexplainedSeconds) return std::nullopt;
  return Doubt{fmt::format("only what {} sent was captured; {}",
                           to_string(up.seen ? connection.client : connection.server),
                           missed_half(seen, missed)),
               {capture_command(connection, "both_directions.pcap")},
               active_s(connection)};
}

std::optional<Doubt> doubt_about_capture_loss(const ConnectionFacts& connection) {
  for (const DirectionFacts& direction : connection.directions) {
    const std::optional<double> missing = large_capture_loss(direction);
    if (!missing) continue;
    return Doubt{fmt::format("{} of the bytes were acknowledged but never captured: the capture "
                             "lost packets, the network did not",
                             format_percent(*missing)),
                 {complete_capture(connection)},
                 active_s(connection)};
  }
  return std::nullopt;
}

// Seconds of silence that no owner explains, of the direction that has the most of it.
double unexplained_s(const ConnectionFacts& connection) {
  double most = 0;
  for (const DirectionFacts& direction : connection.directions) {
    if (direction.bytes == 0) continue;
    most = std::max(most, direction.time[TimeOwner::timeout] + direction.time[TimeOwner::unknown]);
  }
  return most;
}

bool is_unexplained(double seconds, double whole_s) {
  return seconds >= kUnexplainedSeconds && seconds >= kUnexplainedShare * whole_s;
}

std::optional<Doubt> doubt_about_time(const ConnectionFacts& connection) {
  const double whole_s = active_s(connection);
  const double lost_s = unexplained_s(connection);
  if (!is_unexplained(lost_s, whole_s)) return std::nullopt;
  return Doubt{fmt::format("{} of {} passed in silence or without a known owner, and no fault "
                           "explains it",
                           format_duration(lost_s), format_duration(whole_s)),
               {"at the sender: " + capture_command(connection, "sender.pcap"),
                "at the receiver: " + capture_command(connection, "receiver.pcap")},
               lost_s};
}

// The flow's own queue was there for so much of the time: its link is well used.
constexpr double kFullShare = 0.50;

// A rate that a queue holds constant, or a queue of its own that overflows and is hardly ever
// empty: the losses are that queue's, and the link is well used.
bool link_is_full(const ConnectionFacts& connection, Direction direction,
                  std::span<const Finding> findings, const FindingIndex& index) {
  return std::ranges::any_of(index.of(connection.id), [&](std::size_t position) {
    const Finding& finding = findings[position];
    if (finding.direction != direction) return false;
    if (finding.fault == "shaper") return true;
    if (finding.fault != "congestion-self") return false;
    const DirectionFacts& data = connection[direction];
    return data.time.share(TimeOwner::bottleneck) >= kFullShare ||
           (finding.severity != Severity::suspect && fills_link(data));
  });
}

// A clock that ticks more seldom than the round trips come tells no repair from the waiting around
// it: all that was neither the application's nor a window's may have been repair.
double blurred_by_clock_s(const ConnectionFacts& connection, const DirectionFacts& data) {
  if (connection.clock_tick_s <= 0 || data.rtt.total.median_s > connection.clock_tick_s) return 0;
  return data.time[TimeOwner::congestion_window] + data.time[TimeOwner::pacing_or_cpu];
}

// Where repairs took more of the time than all else, few losses are enough.
constexpr double kMostlyRepair = 0.50;

bool losses_matter(const DirectionFacts& direction) {
  return losses_limit(direction) ||
         (direction.lost_packets > 0 && loss_s(direction) > kMostlyRepair * direction.transfer_s);
}

// Who lost something by chance has it sent again within so many round trips.
constexpr double kRoundTripsToRepair = 5;

double slow_rtt_s(const ConnectionFacts& connection) {
  double most_s = 0;
  for (const DirectionFacts& direction : connection.directions)
    most_s = std::max({most_s, direction.rtt.total.p95_s, direction.rtt.handshake_s.value_or(0)});
  return most_s;
}

// One end says how much it has sent; it never came here, nor to the other end.
std::optional<Doubt> doubt_about_what_never_came(const ConnectionFacts& connection) {
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const NeverCameFacts& missing = connection[way].never_came;
    const double rtt_s = slow_rtt_s(connection);
    const double patience_s = rtt_s > 0 ? kRoundTripsToRepair * rtt_s : kUnexplainedSeconds;
    if (missing.bytes == 0 || missing.seconds <= patience_s) continue;
    const Endpoint& sender = way == Direction::to_server ? connection.client : connection.server;
    return Doubt{fmt::format("{} says that it sent {} (frame {}) which in {} neither came here nor "
                             "were acknowledged",
                             to_string(sender), counted(missing.bytes, "more byte"),
                             missing.frames.first[0].number(), format_duration(missing.seconds)),
                 {fmt::format("at {}: {}", to_string(sender.address),
                              capture_command(connection, "sender.pcap"))},
                 missing.seconds};
  }
  return std::nullopt;
}

// So many sends again without one answer to the data are no capture that ended too early.
constexpr std::uint64_t kInVain = 3;

// Nothing that one side sent was ever acknowledged: that never worked, whoever is to blame.
std::optional<Doubt> doubt_about_vain_data(const ConnectionFacts& connection) {
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const DirectionFacts& data = connection[way];
    if (data.bytes == 0 || data.acked_bytes > 0 || data.resent_packets < kInVain) continue;
    if (active_s(connection) < kUnexplainedSeconds) continue;
    return Doubt{fmt::format("none of {} was ever acknowledged in {}, and no fault explains it",
                             format_bytes(static_cast<double>(data.bytes)),
                             format_duration(active_s(connection))),
                 {"at the sender: " + capture_command(connection, "sender.pcap"),
                  "at the receiver: " + capture_command(connection, "receiver.pcap")},
                 active_s(connection)};
  }
  return std::nullopt;
}

// Many packets were lost and repairing them took long, yet no fault's evidence is complete.
std::optional<Doubt> doubt_about_loss(const ConnectionFacts& connection,
                                      std::span<const Finding> findings,
                                      const FindingIndex& index) {
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const DirectionFacts& direction = connection[way];
    if (!losses_matter(direction) || link_is_full(connection, way, findings, index)) continue;
    // What keeps coming back keeps the congestion window small, too.
    const double blurred_s = blurred_by_clock_s(connection, direction);
    const double repair_s = loss_s(direction) + std::max(blurred_s, kept_small_s(direction));
    if (!is_unexplained(repair_s, active_s(connection))) continue;
    return Doubt{
        fmt::format("{} of {} packets were lost; repairing them, and windows that they "
                    "kept small, took {}{} of {}, but what lost them does not show",
                    direction.lost_packets, direction.data_packets, blurred_s > 0 ? "up to " : "",
                    format_duration(repair_s), format_duration(active_s(connection))),
        {"at the sender: " + capture_command(connection, "sender.pcap"),
         "at the receiver: " + capture_command(connection, "receiver.pcap")},
        repair_s};
  }
  return std::nullopt;
}

// Pauses that may as well be round trips: whose they are decides whether all is well.
std::optional<Doubt> doubt_about_clock(const ConnectionFacts& connection) {
  for (const DirectionFacts& direction : connection.directions) {
    const double blurred_s = direction.idle.seconds;
    if (!pauses_are_blurred(connection, direction)) continue;
    if (!is_unexplained(blurred_s, active_s(connection))) continue;
    return Doubt{fmt::format("the capture's clock ticks every {}: whether {} of {} are pauses of a "
                             "program or round trips cannot be told",
                             format_duration(connection.clock_tick_s), format_duration(blurred_s),
                             format_duration(active_s(connection))),
                 {std::string{kFinerClock}},
                 blurred_s};
  }
  return std::nullopt;
}

// A host holds the transfer, and without the handshake nobody knows whether it is the receiver's
// window.
std::optional<Doubt> doubt_about_window(const Case& facts, const ConnectionFacts& connection) {
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const Transfer transfer{facts, connection, way};
    const DirectionFacts& data = transfer.data();
    if (data.window.knowledge != ScaleKnowledge::unknown) continue;
    if (!is_unexplained(held_s(data), active_s(connection))) continue;
    if (!why_no_host_holds(transfer).empty()) continue;
    return Doubt{
        fmt::format("{} stay in flight over {}, and the path does not hold them: it may be the "
                    "receive window, whose scale was agreed before the capture began, or the "
                    "sender",
                    format_bytes(static_cast<double>(data.flight_plateau_bytes)),
                    counted(data.flight_rounds, "round trip")),
        {capture_from_handshake(connection)},
        held_s(data)};
  }
  return std::nullopt;
}

// A request was acknowledged, nothing ever came back, and whoever asked gave up. Where the answer
// was lost, if there was one, only the other end can show.
std::optional<Doubt> doubt_about_answer(const ConnectionFacts& connection) {
  if (connection.close == CloseKind::open) return std::nullopt;
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const DirectionFacts& answer = connection[way];
    const DirectionFacts& request = connection[opposite(way)];
    if (answer.unanswered_s < kGaveUpSeconds || request.bytes == 0 || request.bytes > kRequestBytes)
      continue;
    const Endpoint& silent_end =
        way == Direction::to_client ? connection.server : connection.client;
    return Doubt{
        fmt::format(
            "{} acknowledged {} bytes and never answered; after {} the connection was given up",
            to_string(silent_end), request.bytes, format_duration(answer.unanswered_s)),
        {"at " + to_string(silent_end.address) + ": " +
         capture_command(connection, "other_end.pcap")},
        answer.unanswered_s};
  }
  return std::nullopt;
}

// Data that may have been altered is never called healthy, however fast it came.
bool is_about_integrity(const Finding& finding) {
  const Fault* fault = find_fault(finding.fault);
  return fault != nullptr && fault->family == Family::integrity;
}

bool mostly_handshake(const ConnectionFacts& connection) {
  return std::ranges::any_of(connection.directions, [](const DirectionFacts& direction) {
    return direction.time.share(TimeOwner::handshake) > kMostlyHandshake;
  });
}

bool is_about_minor_direction(const Finding& finding, const ConnectionFacts& connection) {
  if (!finding.direction || mostly_handshake(connection)) return false;
  return static_cast<double>(connection[*finding.direction].bytes) <
         kMinorDirection * static_cast<double>(bytes_of(connection));
}

std::optional<Doubt> doubt_from_suspects(const ConnectionFacts& connection,
                                         std::span<const Finding> findings,
                                         const FindingIndex& index) {
  Doubt doubt;
  bool doubt_about_data = false;
  for (const std::size_t position : index.of(connection.id)) {
    const Finding& finding = findings[position];
    if (finding.severity != Severity::suspect) continue;
    if (!is_about_integrity(finding) && is_about_minor_direction(finding, connection)) continue;
    doubt.seconds = std::max(doubt.seconds, finding.seconds_lost);
    doubt_about_data = doubt_about_data || is_about_integrity(finding);
    if (doubt.why.empty()) {
      doubt.why = fmt::format("it may be {} ({}), but the evidence falls short", finding.fault,
                              finding.claim);
    }
    if (!finding.next_capture.empty()) doubt.look_next.push_back(finding.next_capture);
  }
  if (doubt_about_data) {
    doubt.seconds = active_s(connection);
    return doubt;
  }
  if (!is_unexplained(doubt.seconds, active_s(connection))) return std::nullopt;
  return doubt;
}

}  // namespace

std::optional<Doubt> doubt_about(const Case& facts, const ConnectionFacts& connection,
                                 std::span<const Finding> findings, const FindingIndex& index) {
  if (carried_bytes(connection) == 0 && !connection.handshake.completed) {
    return Doubt{"neither data nor a whole handshake was seen",
                 {capture_command(connection, "from_the_start.pcap")},
                 0};
  }
  if (auto doubt = doubt_about_half(connection)) return doubt;
  if (connection.light) return std::nullopt;
  if (auto doubt = doubt_about_capture_loss(connection)) return doubt;
  if (auto doubt = doubt_from_suspects(connection, findings, index)) return doubt;
  if (auto doubt = doubt_about_vain_data(connection)) return doubt;
  if (auto doubt = doubt_about_what_never_came(connection)) return doubt;
  if (auto doubt = doubt_about_answer(connection)) return doubt;
  if (auto doubt = doubt_about_loss(connection, findings, index)) return doubt;
  if (auto doubt = doubt_about_clock(connection)) return doubt;
  if (auto doubt = doubt_about_window(facts, connection)) return doubt;
  return doubt_about_time(connection);
}

}  // namespace slowpath::detect
