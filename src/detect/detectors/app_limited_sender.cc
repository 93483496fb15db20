// SPDX-License-Identifier: Apache-2.0
// app-limited-sender: the sending application offers data more slowly than the path takes it.
// The user sees a steady rate below the link's, the same on any path. Recognised by pauses of a
// sender that has run dry, which it ends by itself, again and again during a bulk transfer (T-RAT,
// Dapper, SNAP). Look-alikes: Nagle (a small segment is outstanding in the gap), a send
// buffer (the gap ends exactly with an ACK), a sender that was asked for nothing more (pauses that
// the other side's request ends are no pauses of this kind), idle connections and people (few
// bytes, long pauses).
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/support.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "app-limited-sender";
// The catalogue: of the time, with nothing to send.
constexpr double kShare = 0.20;
// A habit, not an incident.
constexpr std::uint64_t kPauses = 10;
// A bulk transfer: less than this between pauses is typing, telemetry, or a chat.
constexpr std::uint64_t kBulkBytes = 200'000;
constexpr std::uint64_t kBulkBytesEachPause = 4'000;
// Where so large a part of the packets with data comes back, both ends talk (a remote desktop, a
// database): what one was not asked for it need not have had.
constexpr double kConversation = 0.25;
// Idle for longer is a connection kept for later. Its pauses do not slow anything down.
constexpr double kLongestSeconds = 2.0;
// From here on a single stream runs as fast as a host copies and checks it (iperf3 over loopback:
// 10 to 40 Gbit/s): its pauses are those of a busy core, whoever waits for it.
constexpr double kHostSpeed_bps = 5e9;
// A virtual machine's core is busy from here on; then only pauses that outlast what is in flight,
// and a turn of whoever else runs on that core (a tick of Linux: CONFIG_HZ is 250 as a rule), are
// surely the application's.
constexpr double kSmallHostSpeed_bps = 1e9;
constexpr double kPauseRoundTrips = 0.5;
constexpr double kTurn_s = 0.004;
// Pauses as long as the timeouts of the same transfer are timeouts whose losses the tap did not
// see.
constexpr std::uint64_t kTimeouts = 5;
constexpr double kLikeATimeout = 0.15;

/// What the application's pauses in the middle of the transfer add up to.
struct Waiting {
  double seconds = 0;  // with nothing to send and nobody asking
  double share = 0;    // of the transfer, without its timeouts: an outage is nobody's pause
};

Waiting waiting_of(const DirectionFacts& data) {
  // What the account gives to others (timeouts, a closed window) was no pause of the application.
  const double seconds = std::min(data.idle.seconds, data.time[TimeOwner::application]);
  const double open_s = data.transfer_s - data.time[TimeOwner::timeout];
  return {seconds, open_s > 0 ? std::min(1.0, seconds / open_s) : 0};
}

bool pause_like_timeouts(const DirectionFacts& data) {
  if (data.timeouts < kTimeouts || data.idle.count == 0) return false;
  const double timeout_s = data.timeout_s / static_cast<double>(data.timeouts);
  return std::abs(mean_pause_s(data) - timeout_s) <= kLikeATimeout * timeout_s;
}

bool pauses_are_a_cores(const DirectionFacts& data) {
  if (data.goodput_bps >= kHostSpeed_bps) return true;
  return data.goodput_bps >= kSmallHostSpeed_bps &&
         mean_pause_s(data) < std::max(kPauseRoundTrips * data.rtt.total.median_s, kTurn_s);
}

void report(const Transfer& transfer, const Waiting& waiting, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  // Where the application sets the rhythm, waiting for the ACK of its last piece is its time too.
  finding.seconds_lost = std::min(data.time[TimeOwner::application], data.transfer_s);
  // Beyond the sender lost packets look like pauses: the catalogue asks for a capture there.
  const bool witness = is_at_sender(data);
  finding.severity = severity_of(witness, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.75 + 0.2 * how_far(waiting.share, kShare, 0.6), transfer);
  finding.claim =
      fmt::format("{} had nothing to send for {} ({}) of the transfer{}",
                  to_string(transfer.sender()), format_duration(waiting.seconds),
                  format_percent(waiting.share), data.timeouts > 0 ? ", timeouts left out" : "");
  finding.evidence.push_back(
      shown_by(fmt::format("{} of {} in all, {} at the longest; each ended with data that neither "
                           "a request nor an ACK had called for",
                           counted(data.idle.count, "pause"), format_duration(data.idle.seconds),
                           format_duration(data.idle.longest_s)),
               data.idle.ends,
               {{"waited_s", waiting.seconds}, {"pauses", static_cast<double>(data.idle.count)}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of {} data packets are shorter than a segment; {} packets with data "
                           "came back",
                           data.small_segments, data.data_packets, transfer.reverse().data_packets),
               {}, {{"small_segments", static_cast<double>(data.small_segments)}}));
  finding.refuted_by = "data waiting in the sending socket during the pauses (ss -tin: notsent)";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.push == 1");
  if (!witness) finding.next_capture = capture_command(transfer.connection, "sender.pcap");
  findings.list.push_back(std::move(finding));
}

/// Why this is no bulk transfer that a slow producer holds up; empty when it is.
std::string why_no_bulk(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.bytes < kBulkBytes || data.bytes < kBulkBytesEachPause * data.idle.count) {
    return fmt::format("{} in {} bursts is no bulk transfer",
                       format_bytes(static_cast<double>(data.bytes)), data.idle.count + 1);
  }
  const std::uint64_t back = transfer.reverse().data_packets;
  if (static_cast<double>(back) >= kConversation * static_cast<double>(data.data_packets)) {
    return fmt::format("{} with data came back for {}: both ends talk", counted(back, "packet"),
                       data.data_packets);
  }
  if (data.idle.longest_s > kLongestSeconds) {
    return fmt::format("a pause of {} is an idle connection, not a slow producer",
                       format_duration(data.idle.longest_s));
  }
  return {};
}

/// Why the pauses need not be the application's; empty when they are.
std::string why_not_its_pauses(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  // What ended a pause may have been an ACK or a request that nobody captured.
  if (!data.acks_seen) {
    return "only the data was captured: what ended its pauses is not in the capture";
  }
  if (pause_like_timeouts(data)) {
    return fmt::format(
        "its pauses last as long as its {} timeouts: what was lost in them may have been lost "
        "before the capture point",
        data.timeouts);
  }
  if (pauses_are_blurred(transfer.connection, data)) {
    return fmt::format("the capture's clock ticks every {}: its pauses may be round trips",
                       format_duration(transfer.connection.clock_tick_s));
  }
  if (pauses_are_a_cores(data)) {
    return fmt::format("{} is as fast as a core of many a host: its pauses are the host's own",
                       format_rate(data.goodput_bps));
  }
  return {};
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const Waiting waiting = waiting_of(data);
  if (waiting.seconds <= 0) return;
  if (data.idle.count < kPauses || waiting.share <= kShare) {
    return silent(findings, kId, transfer,
                  fmt::format("{}, {} of the transfer with nothing to send; {} pauses and "
                              "more than {} are needed",
                              counted(data.idle.count, "pause"), format_percent(waiting.share),
                              kPauses, format_percent(kShare)));
  }
  std::string why = why_no_bulk(transfer);
  if (why.empty()) why = why_not_its_pauses(transfer);
  if (!why.empty()) return silent(findings, kId, transfer, std::move(why));
  report(transfer, waiting, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector app_limited_sender;
const Detector app_limited_sender{.id = kId,
                                  .scope = Scope::direction,
                                  .needs = "both directions, and on which side the capture is",
                                  .inspect = inspect};

}  // namespace slowpath::detect::detectors
