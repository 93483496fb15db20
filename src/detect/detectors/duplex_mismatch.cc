// SPDX-License-Identifier: Apache-2.0
// duplex-mismatch: one end of a link speaks half duplex, the other full (IEEE 802.3 clause 28).
// What the user sees: one way alone is fine, and both at once collapse. The half-duplex end takes
// what arrives while it sends for a collision and gives up its own frame late; so losses keep to
// the times in which both ways carry data. Look-alikes: a queue that both ways share delays first;
// a bad cable loses one way alone as well. Only the counters of both ends prove it: a suspect.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "duplex-mismatch";
// Fewer losses, in fewer flights, show no habit.
constexpr std::uint64_t kLosses = 10, kEpisodes = 5;
// The other way carries data: so many full segments in a bin; bare ACKs are fewer bytes.
constexpr double kSegmentsBack = 3;
// Segments sent in each of the two kinds of time, so that shares can be compared.
constexpr double kSegments = 200;
// Both ways at once lose so much, and so many times more than one way alone.
constexpr double kLossShare = 0.01, kFactor = 10;
// By chance, losses would keep to these times so well once in a million.
constexpr double kChance = 1e-6;

/// What one way sent and lost while the other way carried data, and while it did not. In segments.
struct Company {
  double both = 0, both_lost = 0, alone = 0, alone_lost = 0;
  [[nodiscard]] double both_share() const { return both > 0 ? both_lost / both : 0; }
  [[nodiscard]] double alone_share() const { return alone > 0 ? alone_lost / alone : 0; }
};

const TimelineBin* bin_at(const Timeline& timeline, Time at) {
  if (timeline.bin_s <= 0 || at < timeline.start) return nullptr;
  const auto i = static_cast<std::size_t>(seconds_between(timeline.start, at) / timeline.bin_s);
  return i < timeline.bins.size() ? &timeline.bins[i] : nullptr;
}

bool carries_data(const DirectionFacts& data, Time at) {
  const TimelineBin* bin = bin_at(data.timeline, at);
  const double segment = std::max(1U, data.segment_size);
  return bin != nullptr && static_cast<double>(bin->sent_bytes) >= kSegmentsBack * segment;
}

Company company_of(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const Timeline& timeline = data.timeline;
  const double segment = std::max(1U, data.segment_size);
  Company company;
  for (std::size_t i = 0; i < timeline.bins.size(); ++i) {
    const Time at = timeline.start + from_seconds((static_cast<double>(i) + 0.5) * timeline.bin_s);
    const double sent = static_cast<double>(timeline.bins[i].sent_bytes) / segment;
    (carries_data(transfer.reverse(), at) ? company.both : company.alone) += sent;
  }
  for (const LossEvent& loss : data.losses) {
    const Time sent = loss.time - from_seconds(loss.waited_s);
    (carries_data(transfer.reverse(), sent) ? company.both_lost : company.alone_lost) += 1;
  }
  return company;
}

/// Why the losses do not keep to the times of both ways; empty if they do.
std::string why_not(const Transfer& transfer, const Company& company) {
  const DirectionFacts& data = transfer.data();
  if (company.both < kSegments || company.alone < kSegments) {
    return fmt::format(
        "{:.0f} segments went beside data of the other way and {:.0f} alone; {:.0f} "
        "of each are needed",
        company.both, company.alone, kSegments);
  }
  const double losses = company.both_lost + company.alone_lost;
  const double chance = company.both / (company.both + company.alone);
  const bool by_chance =
      arithmetic::chance_of_at_most(static_cast<std::uint64_t>(company.alone_lost),
                                    static_cast<std::uint64_t>(losses), 1 - chance) > kChance;
  if (by_chance || company.both_share() < kLossShare ||
      company.both_share() < kFactor * company.alone_share()) {
    return fmt::format("{} lost while the other way carries data, {} while it does not",
                       format_percent(company.both_share()), format_percent(company.alone_share()));
  }
  if (queue_builds(queue_of(data)) || !losses_come_when_full(data).empty()) {
    return "round trips grow before losses: both ways share a queue";
  }
  return other_cause_of_loss(transfer);
}

void report(const Transfer& transfer, const Company& company, double lost_s, Findings& findings) {
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
      format_percent(company.both_share()), to_string(transfer.sender()),
      format_percent(company.alone_share()));
  finding.evidence.push_back(shown_by(
      fmt::format("{:.0f} of {:.0f} losses came in the times of both ways, in {} flights, "
                  "and no queue grew before them",
                  company.both_lost, company.both_lost + company.alone_lost, pattern.episodes),
      pattern.originals,
      {{"loss_share_both_ways", company.both_share()},
       {"loss_share_one_way", company.alone_share()}}));
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
             fmt::format("{} losses in {} flights; {} in {} are needed", data.lost_packets,
                         data.loss_episodes, kLosses, kEpisodes));
      continue;
    }
    const Company company = company_of(transfer);
    const double lost_s = data.time[TimeOwner::timeout] + data.time[TimeOwner::loss_recovery];
    if (std::string why = why_not(transfer, company); !why.empty()) {
      silent(findings, kId, transfer, std::move(why));
    } else if (is_material(lost_s, transfer)) {
      report(transfer, company, lost_s, findings);
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
