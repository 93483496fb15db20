// SPDX-License-Identifier: Apache-2.0
// What to expect of each finding's repair, and in which order to repair several causes of one
// transfer: the costliest first, one switch at a time. The arithmetic is prediction.cc's.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/prediction.h"
#include "detect/siblings.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

/// What a path was seen to carry is not one transfer's alone where others of the same hosts use it:
/// the same repair may be theirs, so it has no more than its part of what all of them share now.
/// Where those are what is repaired, they make room.
AfterFix predict_beside_others(const Transfer& transfer, const Repairs& repairs,
                               Siblings& siblings) {
  AfterFix after = predict(transfer, repairs, Witness::stretches);
  const DirectionFacts& data = transfer.data();
  if (repairs.share) return after;
  if (!after.goodput_bps || *after.goodput_bps <= data.goodput_bps) return after;
  const double others_bps = siblings.bytes_beside(transfer) * 8 / data.transfer_s;
  if (others_bps < kMaterialShare * data.goodput_bps) return after;
  const double part = data.goodput_bps / (data.goodput_bps + others_bps);
  after.goodput_bps = std::max(data.goodput_bps, part * *after.goodput_bps);
  after.bound = Bound::at_least;
  after.basis += fmt::format("; other transfers between these hosts have {} beside its {}",
                             format_rate(others_bps), format_rate(data.goodput_bps));
  return after;
}

/// Adds what a finding repairs to what is done.
void add_repair(const Finding& finding, Repairs& done) {
  const Repair repair = repair_of(finding.fault);
  done.add(repair, finding.seconds_lost);
  if (repair == Repair::limit) done.passes_bps = finding.after_fix.goodput_bps.value_or(0);
}

AfterFix expectation_of(const Transfer& transfer, const Finding& finding, Siblings& siblings) {
  // A detector may know that nobody can tell.
  if (finding.after_fix.bound == Bound::unknown) return finding.after_fix;
  Repairs repairs;
  add_repair(finding, repairs);
  AfterFix after = predict_beside_others(transfer, repairs, siblings);
  // What the detector says of its own fault stands beside the figures.
  if (!finding.after_fix.basis.empty() && after.goodput_bps) {
    after.basis = finding.after_fix.basis + "; " + after.basis;
  } else if (!finding.after_fix.basis.empty()) {
    after.basis = finding.after_fix.basis;
  }
  return after;
}

constexpr std::string_view kHiddenByEarlier =
    "cannot be told: what an earlier step brings does not show";
constexpr std::string_view kNotReached =
    "it was never reached: whether it binds shows after the step before";
// From here on a repair is worth a step of its own.
constexpr double kWorthAStep = 1.25;

/// Two names of one cause: one more general than the other, or both cases of the same.
bool are_kin(std::string_view a, std::string_view b) {
  const Fault* first = find_fault(a);
  const Fault* second = find_fault(b);
  if (first == nullptr || second == nullptr) return false;
  return is_specialisation_of(a, b) || is_specialisation_of(b, a) ||
         (!first->specialises.empty() && first->specialises == second->specialises);
}

/// Whether another finding beside the verdict's is a switch of its own: it costs what matters, or
/// something that is no time of this transfer and that no earlier step names in another way; or
/// what is left to expect rises by its repair.
bool is_switch(const Finding& finding, const Transfer& transfer, std::span<const Finding> findings,
               std::span<const FixStep> earlier, const AfterFix& after) {
  if (finding.severity == Severity::fault) {
    const bool is_told = std::ranges::any_of(earlier, [&](const FixStep& step) {
      return are_kin(findings[step.finding].fault, finding.fault);
    });
    if (is_material(finding.seconds_lost, transfer) || !is_told) return true;
  }
  const AfterFix& before = earlier.back().after;
  return before.goodput_bps && after.goodput_bps &&
         *after.goodput_bps >= kWorthAStep * *before.goodput_bps;
}

/// What is to be expected when all of these are done.
AfterFix expect_all(const Transfer& transfer, const Repairs& done, Siblings& siblings) {
  if (done.unknown) return {std::nullopt, std::string{kHiddenByEarlier}, Bound::unknown};
  return predict_beside_others(transfer, done, siblings);
}

/// What is left after fewer repairs is left after more: they are judged by other traces of what the
/// path carries, and those may promise less.
void keep_promise(const AfterFix& before, AfterFix& after) {
  if (!before.goodput_bps || bound_of(after) != Bound::at_least) return;
  if (*after.goodput_bps >= *before.goodput_bps) return;
  after.goodput_bps = before.goodput_bps;
  after.basis = "no less than after the step before";
}

}  // namespace

Direction main_direction(const ConnectionFacts& connection) {
  const bool down = connection[Direction::to_client].bytes > connection[Direction::to_server].bytes;
  return down ? Direction::to_client : Direction::to_server;
}

std::optional<Transfer> transfer_of(const Case& facts, const Finding& finding) {
  if (finding.connections.size() != 1) return std::nullopt;
  const ConnectionFacts* connection = find_connection(facts, finding.connections.front());
  if (connection == nullptr) return std::nullopt;
  return Transfer{facts, *connection, finding.direction.value_or(main_direction(*connection))};
}

namespace {

/// The data that a repair is for. A handshake, or a reset, is of both directions.
std::optional<Transfer> repaired(const Case& facts, const Finding& finding) {
  const std::optional<Transfer> transfer = transfer_of(facts, finding);
  if (!transfer || repair_of(finding.fault) != Repair::setup) return transfer;
  return Transfer{facts, transfer->connection, main_direction(transfer->connection)};
}

}  // namespace

void predict_each(const Case& facts, std::vector<Finding>& findings) {
  const std::vector<Transfer> all = transfers_with_data(facts);
  Siblings siblings(all);
  for (Finding& finding : findings) {
    if (repair_of(finding.fault) == Repair::unknown) continue;
    if (const std::optional<Transfer> transfer = repaired(facts, finding)) {
      finding.after_fix = expectation_of(*transfer, finding, siblings);
    }
  }
}

std::vector<FixStep> order_steps(const Case& facts, const std::vector<Finding>& findings) {
  if (findings.empty() || findings.front().severity != Severity::fault) return {};
  const Finding& verdict = findings.front();
  const std::optional<Transfer> transfer = repaired(facts, verdict);
  if (!transfer) return {};
  const std::vector<Transfer> all = transfers_with_data(facts);
  Siblings siblings(all);
  Repairs done;
  add_repair(verdict, done);
  std::vector<FixStep> steps{{0, verdict.after_fix}};
  for (std::size_t i = 1; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    if (finding.severity == Severity::note || !is_beside(finding, verdict)) continue;
    Repairs also = done;
    add_repair(finding, also);
    AfterFix after = expect_all(*transfer, also, siblings);
    keep_promise(steps.back().after, after);
    const bool shows = is_switch(finding, *transfer, findings, steps, after);
    if (!shows && !is_hidden_limit(finding)) continue;
    done = also;
    // Where the rate after all steps is known, it is told, whether or not this one adds to it.
    const bool told = shows || bound_of(after) == Bound::about;
    if (!told)
      after.basis =
          after.basis.empty() ? kNotReached : fmt::format("{}; {}", kNotReached, after.basis);
    steps.push_back({i, std::move(after)});
  }
  if (steps.size() < 2) steps.clear();
  return steps;
}

}  // namespace slowpath::detect
