// SPDX-License-Identifier: Apache-2.0
// server-think-time: the server takes long to answer a request that it has already acknowledged.
// The user sees slow pages on a fast network. Recognised by the time between the ACK of a request
// and the first byte of its answer, with nothing outstanding. Look-alikes: a long path (the
// handshake is slow too), the delayed-ACK timer (the gap ends with a bare ACK), answers that are
// meant to come late (long polling, idle shells): those are the connection's purpose, and such gaps
// are rare and long beside the exchanges that they separate. What nobody reacted to (a tunnel's
// keep-alive, a message that was pushed) need not have been waited for: a suspect at most.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_limit.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "server-think-time";
// The catalogue: both.
constexpr double kRounds = 5;
constexpr double kSeconds = 0.200;
// Of the time from the first packet to the last data, the client's own pauses among it: with less
// the server is slow now and then, which every server is, and its users do not notice. Of a server
// that is late so often, what losses took is left out: without them the answers would be waited for
// all the same.
constexpr double kShare = 0.30;
constexpr std::uint64_t kHabit = 5;
// Many answers that are each shorter: no fault by the catalogue, but it is said where they are most
// of the time.
constexpr std::uint64_t kManyAnswers = 10;
constexpr double kMostOfTheTime = 0.5;
// Nobody waits so long for an answer before giving up; a longer one is a notification (long
// polling, IMAP IDLE, SMB change notify use 30 s and more).
constexpr double kLongestAnswerSeconds = 25;

double rtt_of(const ConnectionFacts& connection) {
  const DirectionFacts& down = connection[Direction::to_client];
  const DirectionFacts& up = connection[Direction::to_server];
  if (down.rtt.handshake_s) return *down.rtt.handshake_s;
  return std::max(down.rtt.total.min_s, up.rtt.total.min_s);
}

double needed_s(double rtt_s) { return std::max(kSeconds, kRounds * rtt_s); }

/// Repairs, and the waiting for windows that losses kept small, beside answers that are late again
/// and again.
double taken_by_losses_s(const ConnectionFacts& connection) {
  if (connection[Direction::to_client].answers.count < kHabit) return 0;
  double seconds = 0;
  for (const DirectionFacts& data : connection.directions) {
    seconds += loss_s(data) + (losses_limit(data) ? kept_small_s(data) : 0);
  }
  return seconds;
}

/// What the answers are held against.
struct Yardstick {
  double rtt_s = 0;
  double losses_s = 0;  // left out of the connection's time
  double share = 0;     // of the answers in what is left
  double awaited = 0;   // of those that somebody waited for
};

void report(const Transfer& transfer, const Yardstick& by, Findings& findings) {
  const PauseFacts& answers = transfer.data().answers;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(answers.seconds, duration_s(transfer.connection));
  finding.severity = severity_of(by.awaited >= kShare, finding.seconds_lost, transfer);
  if (by.share < kShare || answers.longest_s <= needed_s(by.rtt_s))
    finding.severity = Severity::note;
  finding.confidence =
      confidence_of(0.75 + 0.2 * how_far(static_cast<double>(answers.count), 1, 10), transfer);
  finding.claim = fmt::format(
      "{} took {} over {} to requests that it had already acknowledged, {} at the longest",
      to_string(transfer.sender()), format_duration(answers.seconds),
      counted(answers.count, "answer"), format_duration(answers.longest_s));
  finding.evidence.push_back(shown_by(
      fmt::format("{}, {} of the connection's time{}; in between nothing was outstanding",
                  counted(answers.count, "late answer"), format_percent(by.share),
                  by.losses_s > 0 ? " beside what losses took" : ""),
      answers.ends,
      {{"late_answers", static_cast<double>(answers.count)}, {"think_time_s", answers.seconds}}));
  finding.evidence.push_back(shown_by(
      fmt::format("the longest: {} after the request's ACK", format_duration(answers.longest_s)),
      {answers.longest_before, answers.longest_after}, {{"longest_s", answers.longest_s}}));
  finding.evidence.push_back(shown_by(
      fmt::format("waited for: {} of them; the client went on at once, or the answer was "
                  "long, or ended the connection",
                  answers.awaited),
      {}, {{"awaited", static_cast<double>(answers.awaited)}, {"awaited_s", answers.awaited_s}}));
  if (by.rtt_s > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("the round trip is {}: the path does not explain it",
                             format_duration(by.rtt_s)),
                 transfer.connection.handshake.syn_ack_frames, {{"rtt_us", by.rtt_s * 1e6}}));
  }
  finding.refuted_by =
      "the server's own log with a shorter time for these requests: then a proxy in front of it "
      "answered the handshake, and the way behind that is not seen here";
  const double mean_s = answers.seconds / static_cast<double>(answers.count);
  finding.wireshark_filter = stream_filter(
      transfer.connection,
      fmt::format("tcp.time_delta > {:.3f}",
                  answers.longest_s > needed_s(by.rtt_s) ? needed_s(by.rtt_s) : mean_s / 2));
  findings.list.push_back(std::move(finding));
}

void inspect_connection(const Case& facts, const ConnectionFacts& connection, Findings& findings) {
  const Transfer transfer{facts, connection, Direction::to_client};
  const PauseFacts& answers = transfer.data().answers;
  if (answers.count == 0) return;
  const double rtt_s = rtt_of(connection);
  const double losses_s = taken_by_losses_s(connection);
  const double active = active_s(connection) - losses_s;
  const auto share_of = [active](double seconds) {
    return active > 0 ? std::min(1.0, seconds / active) : 0.0;
  };
  const double share = share_of(answers.seconds);
  const double needed = needed_s(rtt_s);
  const bool adds_up = answers.count >= kManyAnswers && share >= kMostOfTheTime &&
                       answers.seconds > kRounds * rtt_s * static_cast<double>(answers.count);
  if (answers.longest_s <= needed && !adds_up) {
    return silent(findings, kId, connection,
                  fmt::format("the longest answer took {}; more than {} is needed",
                              format_duration(answers.longest_s), format_duration(needed)));
  }
  if (answers.longest_s > kLongestAnswerSeconds) {
    return silent(findings, kId, connection,
                  fmt::format("an answer after {} is a notification: nobody waits so long",
                              format_duration(answers.longest_s)));
  }
  report(transfer,
         {.rtt_s = rtt_s,
          .losses_s = losses_s,
          .share = share,
          .awaited = share_of(answers.awaited_s)},
         findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    if (connection.client_known) inspect_connection(facts, connection, findings);
  }
}

}  // namespace

extern const Detector server_think_time;
const Detector server_think_time{
    .id = kId,
    .scope = Scope::connection,
    .needs = "a handshake or a service's port, to know the client, and both directions",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
