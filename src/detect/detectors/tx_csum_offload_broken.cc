// SPDX-License-Identifier: Apache-2.0
// tx-csum-offload-broken: the sender's NIC is to fill in the checksum and does not, or not for some
// lengths. What the user sees: a connection that never gets past a certain packet, or crawls.
// Recognised away from the sender by bad checksums that are bad again when the same bytes are sent
// again, which damage by chance is not. Partial sums at the sender and on virtual links are no
// fault, unless they reach the receiver and it does not take them. Errors that name the length of a
// large send are lso-wrong-csum-seed's.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/checksum_toll.h"
#include "detect/comparison_evidence.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "tx-csum-offload-broken";

constexpr std::uint64_t kBadFrames = 3;
// Resends that were bad again: at least two, and so many that damage at random would make them once
// in a thousand such transfers.
constexpr std::uint64_t kBadAgain = 2;
constexpr double kByChance = 0.001;
// (Almost) all: nothing of this direction can get through.
constexpr double kAlmostAll = 0.9;

// Damage that spares nobody's second copy, nor the third and fourth, is none: the share of all
// segments says little where only some lengths are struck.
constexpr std::uint64_t kNeverGood = 3;

// Wrong in a way that a length explains: computed, not forgotten.
bool lengths_explain(const ChecksumFacts& sums) {
  return std::max(sums.seeded_frames, sums.no_length_frames) * 2 >= sums.bad;
}

bool repeats(const ChecksumFacts& sums, const ChecksumToll& toll) {
  if (sums.bad_resent_bad < kBadAgain) return false;
  if (sums.bad_resent_bad >= kNeverGood && sums.good_twins.count == 0) return true;
  if (toll.bad_share >= kAlmostAll) return true;
  const double by_chance =
      1 - arithmetic::chance_of_at_most(sums.bad_resent_bad - 1, toll.bad, toll.bad_share);
  return by_chance < kByChance;
}

/// A sum that was computed wrongly stands over the bytes that were meant.
bool bytes_were_damaged(const DirectionFacts& data, const ChecksumToll& toll) {
  return data.payload.damaged_packets * 2 >= toll.bad;
}

double seconds_of(const Transfer& transfer, const ChecksumToll& toll) {
  const DirectionFacts& data = transfer.data();
  if (toll.bad_share >= kAlmostAll) return duration_s(transfer.connection);
  return std::max(loss_s_of(data, toll.bad), data.timeout_s);
}

Finding describe(const Transfer& transfer, const ChecksumToll& toll) {
  const DirectionFacts& data = transfer.data();
  const ChecksumFacts& sums = data.checksums;
  const bool vantage_known = data.vantage != Vantage::unknown;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of(transfer, toll);
  finding.severity = vantage_known ? Severity::fault : Severity::suspect;
  finding.confidence =
      confidence_of(0.8 + 0.15 * how_far(static_cast<double>(sums.bad_resent_bad), 2, 8), transfer);
  finding.claim = fmt::format(
      "{} sends wrong checksums: {} of {} segments, and {} of them bad again when sent again",
      name_sender(transfer), toll.bad, format_count(toll.verified), sums.bad_resent_bad);
  finding.evidence.push_back(
      shown_by(fmt::format("{} bad TCP checksums ({}), payloads of {} to {} bytes", toll.bad,
                           format_percent(toll.bad_share), sums.bad_len_min, sums.bad_len_max),
               sums.bad_frames,
               {{"bad_checksums", static_cast<double>(toll.bad)},
                {"good_checksums", static_cast<double>(sums.good)},
                {"bad_again", static_cast<double>(sums.bad_resent_bad)}}));
  if (sums.error_distinct == 1) {
    finding.evidence.push_back(
        shown_by(fmt::format("all are wrong by the same value, 0x{:04x}: a seed, not damage",
                             sums.error_value),
                 sums.bad_frames));
  }
  finding.refuted_by = "the same segments leaving the sender's NIC with good checksums";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.checksum.status == \"Bad\"");
  if (!vantage_known) finding.next_capture = first_hop_capture(transfer);
  return finding;
}

Finding describe_unfinished(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const ChecksumFacts& sums = data.checksums;
  const std::uint64_t refused = sums.partial_needed_resend;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s_of(data, refused) + kept_small_s(data);
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence =
      confidence_of(0.78 + 0.15 * how_far(static_cast<double>(refused), 5, 30), transfer);
  finding.claim = fmt::format(
      "{} sends checksums that were never completed: {} segments reached {} so and were not taken",
      name_sender(transfer), refused, name_receiver(transfer));
  Exemplars refused_frames;
  for (const LossEvent& loss : data.losses) {
    if (loss.original) note(refused_frames, loss.original);
  }
  finding.evidence.push_back(
      shown_by(fmt::format("{} of {} lost segments had passed here, each with the pseudo-header's "
                           "sum for a checksum",
                           refused, data.lost_packets),
               refused_frames,
               {{"unfinished_refused", static_cast<double>(refused)},
                {"unfinished_again", static_cast<double>(sums.partial_resent_partial)},
                {"lost_packets", static_cast<double>(data.lost_packets)}}));
  finding.refuted_by = "TcpInCsumErrors of the receiver standing still meanwhile";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = refusal_check(transfer);
  return finding;
}

/// Left to the NIC where it was sent and wrong at the next point with the same bytes, or still
/// unfinished there, where most others are finished, and wanted once more.
std::optional<Stretch> find_unfinished(const Transfer& transfer) {
  if (!speaks_for_all(transfer)) return std::nullopt;
  constexpr std::uint64_t kFinishedPerUnfinished = 4;
  for (const Stretch& stretch : stretches_of(transfer)) {
    const BetweenContents& contents = stretch.between->contents;
    const bool refused =
        contents.still_unfinished >= kBadFrames &&
        contents.downstream_verified >= kFinishedPerUnfinished * contents.still_unfinished;
    if (contents.unfinished_became_bad >= kBadFrames || refused) return stretch;
  }
  return std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const Stretch& stretch) {
  const BetweenContents& contents = stretch.between->contents;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(transfer.data());
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.96, transfer);
  const bool is_wrong = contents.unfinished_became_bad >= kBadFrames;
  finding.claim = fmt::format(
      "{} segments that {} left to its NIC to sum leave {} unfinished and arrive {} at {}",
      is_wrong ? contents.unfinished_became_bad : contents.still_unfinished, name_sender(transfer),
      stretch.upstream(), is_wrong ? "wrong" : "so", stretch.downstream());
  add_proof(
      finding, stretch, "the pseudo-header's sum alone, for the NIC to finish",
      is_wrong
          ? fmt::format("{} wrong checksums of {}, over the same bytes",
                        contents.unfinished_became_bad, format_count(contents.downstream_verified))
          : fmt::format("{} are as they were, {} others were finished, and the former "
                        "were sent again",
                        contents.still_unfinished, format_count(contents.downstream_verified)),
      is_wrong ? contents.became_bad_frames : contents.unfinished_frames,
      {{"unfinished_became_bad", static_cast<double>(contents.unfinished_became_bad)},
       {"still_unfinished", static_cast<double>(contents.still_unfinished)}});
  finding.refuted_by = "good checksums of these frames at the first point behind the NIC";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.checksum.status == \"Bad\"");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (const auto stretch = find_unfinished(transfer)) {
      findings.list.push_back(describe_proved(transfer, *stretch));
      continue;
    }
    const ChecksumFacts& sums = transfer.data().checksums;
    if (unfinished_were_refused(transfer.data()) && !contents_were_rewritten(transfer)) {
      findings.list.push_back(describe_unfinished(transfer));
      continue;
    }
    if (sums.bad == 0) continue;
    if (!can_judge_checksums(transfer)) {
      silent(findings, kFault, transfer,
             "checksums recorded at the sender or in an edited file decide nothing");
      continue;
    }
    if (lengths_explain(sums)) {
      silent(findings, kFault, transfer,
             "the errors name lengths of large sends, so the sums were computed");
      continue;
    }
    const ChecksumToll toll = toll_of(sums);
    if (toll.bad < kBadFrames || !repeats(sums, toll)) {
      silent(findings, kFault, transfer,
             fmt::format(
                 "{} bad checksums, {} bad again when sent again ({:.1f} by chance); {} and {} "
                 "are needed",
                 toll.bad, sums.bad_resent_bad, toll.repeats_by_chance, kBadFrames, kBadAgain));
      continue;
    }
    if (bytes_were_damaged(transfer.data(), toll)) {
      silent(findings, kFault, transfer,
             fmt::format("{} of {} differ from their good copies: damaged, not summed wrongly",
                         transfer.data().payload.damaged_packets, toll.bad));
      continue;
    }
    findings.list.push_back(describe(transfer, toll));
  }
}

}  // namespace

extern const Detector tx_csum_offload_broken;
const Detector tx_csum_offload_broken{.id = kFault,
                                      .scope = Scope::direction,
                                      .needs = "a capture outside the sender, whole packets",
                                      .inspect = inspect};

}  // namespace slowpath::detect::detectors
