// SPDX-License-Identifier: Apache-2.0
// client-think-time: the client is late in asking.
// The user sees a slow job on a fast network and a fast server. Recognised by pauses that the
// client itself ends: everything acknowledged, every request answered, the next one comes late.
// Look-alikes: a slow server (a request is outstanding), people and keep-alive timers. A client's
// pauses are its own business and most connections idle, so this is worth knowing, and a fault only
// where a program that moves bulk data stops again and again for moments.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "client-think-time";
// The catalogue: both.
constexpr double kRounds = 5;
constexpr double kSeconds = 0.200;
// Bulk: nobody types this much between pauses.
constexpr std::uint64_t kBulkBytes = 1'000'000;
constexpr std::uint64_t kBulkBytesEachPause = 50'000;
// Again and again, most of the time, and each for moments: longer ones are players that fill their
// buffers (seconds), people, and timers.
constexpr std::uint64_t kPauses = 10;
constexpr double kShare = 0.50;
constexpr double kLongestSeconds = 2.0;

/// The client's pauses, whoever spoke last: it is late after an answer, or after its own words.
PauseFacts late_requests(const DirectionFacts& client) {
  PauseFacts all = client.pauses;
  const PauseFacts& after_answers = client.answers;
  all.count += after_answers.count;
  all.seconds += after_answers.seconds;
  if (after_answers.longest_s > all.longest_s) {
    all.longest_s = after_answers.longest_s;
    all.longest_before = after_answers.longest_before;
    all.longest_after = after_answers.longest_after;
  }
  for (std::size_t i = 0; i < after_answers.ends.kept(); ++i)
    note(all.ends, after_answers.ends.first[i]);
  all.ends.count = all.count;
  return all;
}

bool interrupts_bulk(const ConnectionFacts& connection, const PauseFacts& pauses) {
  const std::uint64_t bytes =
      connection[Direction::to_server].bytes + connection[Direction::to_client].bytes;
  return bytes >= kBulkBytes && bytes >= kBulkBytesEachPause * pauses.count &&
         pauses.count >= kPauses && pauses.longest_s <= kLongestSeconds &&
         pauses.seconds >= kShare * active_s(connection);
}

void report(const Transfer& transfer, const PauseFacts& pauses, bool fault, Findings& findings) {
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(pauses.seconds, duration_s(transfer.connection));
  finding.severity = fault ? severity_of(true, finding.seconds_lost, transfer) : Severity::note;
  finding.confidence =
      confidence_of(0.75 + 0.2 * how_far(static_cast<double>(pauses.count), 1, 30), transfer);
  finding.claim = fmt::format("{} was late in asking {}, {} in all", to_string(transfer.sender()),
                              counted(pauses.count, "time"), format_duration(pauses.seconds));
  finding.evidence.push_back(shown_by(
      fmt::format("{} with everything acknowledged and answered, {} at the longest",
                  counted(pauses.count, "pause"), format_duration(pauses.longest_s)),
      pauses.ends, {{"pauses", static_cast<double>(pauses.count)}, {"pause_s", pauses.seconds}}));
  finding.evidence.push_back(shown_by("the longest pause",
                                      {pauses.longest_before, pauses.longest_after},
                                      {{"longest_s", pauses.longest_s}}));
  finding.refuted_by = "a request that was outstanding during the pauses";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.time_delta > 0.2");
  findings.list.push_back(std::move(finding));
}

void inspect_connection(const Case& facts, const ConnectionFacts& connection, Findings& findings) {
  const Transfer transfer{facts, connection, Direction::to_server};
  const PauseFacts pauses = late_requests(transfer.data());
  if (pauses.count == 0) return;
  const double rtt_s = transfer.data().rtt.handshake_s.value_or(transfer.data().rtt.total.min_s);
  const double needed = std::max(kSeconds, kRounds * rtt_s);
  // An upload's own pauses are app-limited-sender's: there the client offers data, it does not ask.
  if (connection[Direction::to_server].bytes > connection[Direction::to_client].bytes) return;
  if (pauses.longest_s <= needed || !is_material(pauses.seconds, transfer)) {
    return silent(findings, kId, connection,
                  fmt::format("{} of the client, {} in all, the longest {}; more than {} is "
                              "needed",
                              counted(pauses.count, "pause"), format_duration(pauses.seconds),
                              format_duration(pauses.longest_s), format_duration(needed)));
  }
  report(transfer, pauses, interrupts_bulk(connection, pauses), findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    if (connection.client_known) inspect_connection(facts, connection, findings);
  }
}

}  // namespace

extern const Detector client_think_time;
const Detector client_think_time{
    .id = kId,
    .scope = Scope::connection,
    .needs = "a handshake or a service's port, to know the client, and both directions",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
