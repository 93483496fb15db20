// SPDX-License-Identifier: Apache-2.0
// sack-mangled: a box renumbers the stream and leaves the SACK blocks as they are.
// The user sees a path that is fine until the first loss, and then collapses. Recognised by blocks
// that lie outside of everything that was sent, always by the same distance (RFC 2018 section 3);
// the sender ignores them, or the whole ACK. Look-alikes: a duplicate reported below the ACK (RFC
// 2883), blocks of data that the capture missed, sequence numbers that wrap.
#include <algorithm>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/comparison_evidence.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "sack-mangled";
constexpr std::uint64_t kBlocks = 3;
// A damaged packet mangles one block; a box mangles all of them.
constexpr double kShare = 0.5;
// A box that shifts by less than the flight moves many of them to what is in flight, where they
// look possible. Damage makes no hundred of them.
constexpr std::uint64_t kManyBlocks = 100;
constexpr double kShareOfMany = 0.2;

std::optional<std::string> why_not(const DirectionFacts& data) {
  const SackEdgeFacts& edges = data.sack_edges;
  const double share = static_cast<double>(edges.impossible) /
                       static_cast<double>(std::max<std::uint64_t>(data.sack_blocks, 1));
  const bool many = edges.impossible >= kManyBlocks && share >= kShareOfMany;
  if (edges.impossible < kBlocks || (share < kShare && !many)) {
    return fmt::format("{} of {} SACK blocks are impossible; {} and half are needed",
                       edges.impossible, data.sack_blocks, kBlocks);
  }
  if (data.unseen_acked_bytes * 10 > data.bytes) return "the capture missed much of what was sent";
  // Blocks lie anywhere in the flight, so their offsets differ by as much.
  const auto spread = static_cast<double>(edges.offset_max) - static_cast<double>(edges.offset_min);
  const double flight =
      static_cast<double>(std::max<std::uint64_t>(data.flight_max_bytes, data.window.max_bytes));
  if (spread > flight) {
    return fmt::format("the blocks' distances differ by {}, more than the flight",
                       format_bytes(spread));
  }
  return std::nullopt;
}

/// "900000 to 1100000 bytes": a block's distance is the shift and its place in the flight.
std::string distance_of(const SackEdgeFacts& edges) {
  const std::int64_t low = std::min(std::abs(edges.offset_min), std::abs(edges.offset_max));
  const std::int64_t high = std::max(std::abs(edges.offset_min), std::abs(edges.offset_max));
  return low == high ? counted(static_cast<std::uint64_t>(low), "byte")
                     : fmt::format("{} to {} bytes", low, high);
}

Finding describe(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const SackEdgeFacts& edges = data.sack_edges;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(data);
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.85 + 0.12 * how_far(static_cast<double>(edges.impossible), kBlocks, 30), transfer);
  finding.claim = fmt::format(
      "{} of {} SACK blocks report bytes that were never sent, {} from the ACK beside them: a box "
      "renumbers the stream and forgets them",
      edges.impossible, data.sack_blocks, distance_of(edges));
  finding.evidence.push_back(
      shown_by("blocks outside of everything that was sent", edges.frames,
               {{"impossible", static_cast<double>(edges.impossible)},
                {"offset_min_bytes", static_cast<double>(edges.offset_min)},
                {"offset_max_bytes", static_cast<double>(edges.offset_max)}}));
  finding.evidence.push_back(shown_by(counted(data.timeouts, "timeout"), data.timeout_frames,
                                      {{"timeouts", static_cast<double>(data.timeouts)}}));
  finding.refuted_by = "the same blocks where the receiver sent them";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.options.sack_le");
  return finding;
}

/// ACK numbers are shifted between two compared points and SACK blocks are not, or otherwise.
std::optional<RewriteProof> compared_proof(const Transfer& transfer) {
  if (!speaks_for_all(transfer)) return std::nullopt;
  for (const Stretch& stretch : reply_stretches_of(transfer)) {
    for (const Rewrite& rewrite : stretch.between->rewrites) {
      if (rewrite.what == Rewritten::sack_blocks && rewrite.changed >= kBlocks)
        return RewriteProof{stretch, &rewrite};
    }
  }
  return std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const RewriteProof& proof) {
  const DirectionFacts& data = transfer.data();
  const Rewrite& rewrite = *proof.rewrite;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(data);
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.97, transfer);
  finding.claim = fmt::format(
      "a box between {} and {} adds {} to acknowledgement numbers and {} to the SACK blocks beside "
      "them",
      proof.where.upstream(), proof.where.downstream(), rewrite.from, rewrite.to);
  add_proof(finding, proof.where, "blocks as the receiver sent them",
            fmt::format("{} of {} ACKs whose blocks no longer fit their numbers", rewrite.changed,
                        rewrite.compared),
            rewrite.frames,
            {{"ack_shift_bytes", static_cast<double>(rewrite.from)},
             {"sack_shift_bytes", static_cast<double>(rewrite.to)}});
  finding.refuted_by = "SACK blocks that move with the acknowledgement numbers";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.options.sack_le");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (const auto proof = compared_proof(transfer)) {
      findings.list.push_back(describe_proved(transfer, *proof));
      continue;
    }
    if (transfer.data().sack_edges.impossible == 0) continue;
    if (auto why = why_not(transfer.data())) {
      silent(findings, kFault, transfer, std::move(*why));
      continue;
    }
    findings.list.push_back(describe(transfer));
  }
}

}  // namespace

extern const Detector sack_mangled;
const Detector sack_mangled{.id = kFault,
                            .scope = Scope::direction,
                            .needs = "SACK blocks, between the box and the sender",
                            .inspect = inspect};

}  // namespace slowpath::detect::detectors
