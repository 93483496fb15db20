// SPDX-License-Identifier: Apache-2.0
// duplex-mismatch: one end of a link speaks half duplex, the other full (IEEE 802.3 clause 28).
// What the user sees: one way alone is fine, and both at once collapse. The half-duplex end takes
// what arrives while it sends for a collision and gives up its own frame late; so losses keep to
// the times in which both ways carry data. Look-alikes: a queue that both ways share delays first;
// a bad cable loses one way alone as well. Only the counters of both ends prove it: a suspect.
#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/both_ways.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "duplex-mismatch";
// Fewer losses, in fewer flights, show no habit.
constexpr std::uint64_t kLosses = 10, kEpisodes = 5;

/// Why the losses do not keep to the times of both ways; empty if they do.
std::string why_not(const Transfer& transfer, const BothWays& ways) {
  const DirectionFacts& data = transfer.data();
  if (!ways.tell()) {
    return fmt::format(
        "{:.0f} segments went beside data of the other way and {:.0f} alone; {:.0f} "
        "of each are needed",
        ways.both, ways.alone, BothWays::kSegments);
  }
  if (!losses_keep_to_both_ways(ways)) {
    return fmt::format("{} lost while the other way carries data, {} while it does not",
                       format_percent(ways.both_share()), format_percent(ways.alone_share()));
  }
  if (queue_builds(queue_of(data)) || !losses_come_when_full(data).empty()) {
    return "round trips grow before losses: both ways share a queue";
  }
  return other_cause_of_loss(transfer);
}

void report(const Transfer& transfer, const BothWays& ways, double lost_s, Findings& findings) {
  const LossPattern pattern = loss_pattern(transfer.data());
  const std::string ends = fmt::format("{} and {}", to_string(transfer.sender().address),
                                       to_string(transfer.receiver().address));
  Finding finding = about(kId, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost = lost_s;
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim = fmt::format(
      "{} of the segments from {} are lost while the other way carries data, "
      "and {} while it does not",
      format_percent(ways.both_share()), to_string(transfer.sender()),
      format_percent(ways.alone_share()));
  finding.evidence.push_back(shown_by(
      fmt::format("{:.0f} of {:.0f} losses came in the times of both ways, in {} flights, "
                  "and no queue grew before them",
                  ways.both_lost, ways.both_lost + ways.alone_lost, pattern.episodes),
      pattern.originals,
      {{"loss_share_both_ways", ways.both_share()}, {"loss_share_one_way", ways.alone_share()}}));
  finding.refuted_by =
      "full duplex at both ends of every link, or no late collisions and no wrong "
      "frame checks in their counters";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = fmt::format(
      "on {}, and on the switch ports before them: ethtool DEV | grep -E 'Speed|Duplex'; ethtool "
      "-S "
      "DEV | grep -iE 'late_col|collision|crc|align|runt'",
      ends);
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    if (data.lost_packets == 0 || transfer.reverse().bytes == 0) continue;
    if (data.lost_packets < kLosses || data.loss_episodes < kEpisodes) {
      silent(findings, kId, transfer,
             fmt::format("{} in {}; {} in {} are needed", counted(data.lost_packets, "loss"),
                         counted(data.loss_episodes, "flight"), kLosses, kEpisodes));
      continue;
    }
    const BothWays ways = both_ways_of(transfer);
    const double lost_s = data.time[TimeOwner::timeout] + data.time[TimeOwner::loss_recovery];
    if (std::string why = why_not(transfer, ways); !why.empty()) {
      silent(findings, kId, transfer, std::move(why));
    } else if (is_material(lost_s, transfer)) {
      report(transfer, ways, lost_s, findings);
    }
  }
}

}  // namespace

extern const Detector duplex_mismatch;
const Detector duplex_mismatch{
    .id = kId,
    .scope = Scope::direction,
    .needs = "data both ways, at times together and at times not, and 10 losses",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
