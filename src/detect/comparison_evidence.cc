// SPDX-License-Identifier: Apache-2.0
#include "detect/comparison_evidence.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/views.h"

namespace slowpath::detect {
namespace {

/// Whether the comparison calls the other end the client: without a SYN both guess, and each for
/// itself.
bool is_turned(const Transfer& transfer, const ComparedConnection& compared) {
  const auto here = std::ranges::find(compared.points, std::optional(transfer.connection.id),
                                      &PassedPoint::connection);
  return here != compared.points.end() && here->client != transfer.connection.client;
}

std::vector<Stretch> stretches(const Transfer& transfer, Direction direction) {
  std::vector<Stretch> list;
  const ComparisonFacts& facts = transfer.facts.comparisons;
  const ComparedConnection* const compared = find_compared(transfer.facts, transfer.connection.id);
  if (compared == nullptr) return list;
  if (is_turned(transfer, *compared)) direction = opposite(direction);
  for (const BetweenFacts& between : compared->between) {
    if (between.direction == direction) list.push_back({&facts, &between});
  }
  // They stand from the clients' end to the servers'.
  if (direction == Direction::to_client) std::ranges::reverse(list);
  return list;
}

}  // namespace

std::vector<Stretch> stretches_of(const Transfer& transfer) {
  return stretches(transfer, transfer.direction);
}

std::vector<Stretch> reply_stretches_of(const Transfer& transfer) {
  return stretches(transfer, opposite(transfer.direction));
}

bool speaks_for_all(const Transfer& transfer) {
  const ComparedConnection* const compared = find_compared(transfer.facts, transfer.connection.id);
  return compared == nullptr || speaker_of(*compared) == transfer.connection.id;
}

bool carries_most(const Transfer& transfer) {
  const std::uint64_t here = transfer.data().bytes;
  const std::uint64_t there = transfer.reverse().bytes;
  return here > there || (here == there && transfer.direction == Direction::to_client);
}

std::optional<RewriteProof> find_rewrite(const Transfer& transfer, Rewritten what) {
  for (const auto& list : {reply_stretches_of(transfer), stretches_of(transfer)}) {
    for (const Stretch& stretch : list) {
      const auto found = std::ranges::find(stretch.between->rewrites, what, &Rewrite::what);
      if (found != stretch.between->rewrites.end()) return RewriteProof{stretch, &*found};
    }
  }
  return std::nullopt;
}

void add_proof(Finding& finding, const Stretch& where, std::string_view before,
               std::string_view after, const PairExemplars& frames, Figures values) {
  Exemplars sent;
  Exemplars came;
  for (std::size_t i = 0; i < frames.kept(); ++i) {
    note(sent, frames.first[i].upstream);
    note(came, frames.first[i].downstream);
  }
  finding.evidence.push_back(
      shown_by(fmt::format("at {}: {}", where.upstream(), before), sent, std::move(values)));
  finding.evidence.push_back(shown_by(fmt::format("at {}: {}", where.downstream(), after), came));
  finding.next_capture.clear();
}

void add_proof(Finding& finding, const Stretch& where, std::string_view what,
               const Exemplars& upstream_frames, Figures values) {
  finding.evidence.push_back(
      shown_by(fmt::format("between {} and {}: {}", where.upstream(), where.downstream(), what),
               upstream_frames, std::move(values)));
  finding.next_capture.clear();
}

}  // namespace slowpath::detect
