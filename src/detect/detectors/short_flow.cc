// SPDX-License-Identifier: Apache-2.0
// short-flow: the transfer is over before its window has grown to what the path carries.
// The user sees a small object at a low rate on a fast link. Nothing is wrong: slow start begins
// with ten segments and doubles each round trip (RFC 6928, RFC 5681), so a small transfer costs
// round trips, not bandwidth. Said as a note, with the time that it takes when all goes well.
// Look-alikes: a loss that ends slow start, an application that waits.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/slow_start.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "short-flow";
// Of the time, waiting for ACKs of a window that doubles.
constexpr double kShare = 0.6;
// Rounds: fewer are one request and its answer, more and the path is filled.
constexpr int kLeastRounds = 2, kMostRounds = 8;
// A shorter wait nobody notices (policy.h).
constexpr double kLeastSeconds = kMaterialSeconds;

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const double rtt_s = data.rtt.total.min_s;
  const auto bytes = static_cast<double>(data.bytes);
  const int rounds = arithmetic::slow_start_rounds(bytes, data.segment_size);
  if (rounds < kLeastRounds || rounds > kMostRounds || data.transfer_s < kLeastSeconds) return;
  if (data.lost_packets > 0 || data.time.share(TimeOwner::slow_start) < kShare) {
    return silent(
        findings, kId, transfer,
        fmt::format("slow start owns {} of the time, and {} packets were lost",
                    format_percent(data.time.share(TimeOwner::slow_start)), data.lost_packets));
  }
  const HandshakeFacts& handshake = transfer.connection.handshake;
  if (!handshake.syn && !handshake.syn_ack) {
    return silent(
        findings, kId, transfer,
        "the capture began after the connection: how large the transfer was is not known");
  }
  const double ideal_s = rounds * rtt_s;
  Finding finding = about(kId, transfer);
  finding.severity = Severity::note;
  finding.confidence = confidence_of(0.9, transfer);
  finding.claim = fmt::format(
      "{} end inside slow start: {} round trips of {} are {} at best, whatever the path carries",
      format_bytes(bytes), rounds, format_duration(rtt_s), format_duration(ideal_s));
  finding.evidence.push_back(
      shown_by(fmt::format("it took {}; {} of the time it waited for ACKs while the window doubled",
                           format_duration(data.transfer_s),
                           format_percent(data.time.share(TimeOwner::slow_start))),
               {},
               {{"ideal_s", ideal_s},
                {"transfer_s", data.transfer_s},
                {"rounds", static_cast<double>(rounds)}}));
  finding.refuted_by = "a larger transfer over the same path that is no faster";
  finding.after_fix = {std::nullopt,
                       "nothing is broken: fewer round trips (a kept connection, a "
                       "larger initial window) are all that helps"};
  finding.wireshark_filter = stream_filter(transfer.connection);
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    if (data.segment_size == 0 || data.rtt.total.min_s <= 0) continue;
    inspect_transfer(transfer, findings);
  }
}

}  // namespace

extern const Detector short_flow;
const Detector short_flow{.id = kId,
                          .scope = Scope::direction,
                          .needs = "the segment size and round-trip times",
                          .inspect = inspect};

}  // namespace slowpath::detect::detectors
