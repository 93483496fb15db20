// SPDX-License-Identifier: Apache-2.0
// Counting of graded captures. How the counts are shown is in accuracy_text.cc and
// accuracy_markdown.cc.
#include "report/accuracy.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/accuracy_tables.h"

namespace slowpath::report {
namespace {

std::string truth_of(const GradedCapture& capture) {
  if (capture.is_healthy()) return "healthy";
  return fmt::format("{}", fmt::join(capture.truth, " + "));
}

void count_verdict(const GradedCapture& capture, Accuracy& accuracy) {
  const bool alarms = !capture.false_alarms.empty();
  if (capture.is_healthy()) {
    ++accuracy.healthy;
    accuracy.healthy_accepted += capture.is_accepted ? 1 : 0;
    accuracy.healthy_alarms += alarms ? 1 : 0;
  } else {
    ++accuracy.faulty;
    accuracy.faulty_accepted += capture.is_accepted ? 1 : 0;
  }
  const std::string where = place_of(capture);
  for (const std::string& fault : capture.false_alarms) {
    ++accuracy.false_alarms[fmt::format("{}: {}", where, fault)];
  }
  if (!capture.is_accepted) ++accuracy.misses[fmt::format("{}: {}", where, capture.verdict)];
}

/// Sums; divided by their count at the end.
void add_account(const GradedCapture& capture, AccountRow& row, Accuracy& accuracy) {
  const TimeAccount& ours = capture.ours;
  if (!capture.kernel || capture.kernel->busy_s <= 0 || ours.total() <= 0) return;
  const KernelAccount& kernel = *capture.kernel;
  if (kernel.busy_s < kLeastBusy_s) {
    ++accuracy.too_short_accounts;
    return;
  }
  if (ours.total() < kLeastSeenShare * kernel.busy_s) {
    ++accuracy.unseen_accounts;
    return;
  }
  ++row.captures;
  row.kernel_window += kernel.rwnd_limited_s / kernel.busy_s;
  row.kernel_send_buffer += kernel.sndbuf_limited_s / kernel.busy_s;
  // All of the kernel's time with data outstanding: a capture away from the sender may see less.
  row.our_window +=
      (ours[TimeOwner::receive_window] + ours[TimeOwner::zero_window]) / kernel.busy_s;
  row.our_repair += (ours[TimeOwner::loss_recovery] + ours[TimeOwner::timeout]) / kernel.busy_s;
  row.our_sender +=
      (ours[TimeOwner::send_buffer] + ours[TimeOwner::pacing_or_cpu] + ours[TimeOwner::unknown]) /
      kernel.busy_s;
}

void divide(AccountRow& row) {
  const auto count = static_cast<double>(row.captures);
  for (double* sum : {&row.kernel_window, &row.kernel_send_buffer, &row.our_window, &row.our_repair,
                      &row.our_sender}) {
    *sum /= count;
  }
}

}  // namespace

std::string place_of(const GradedCapture& capture) {
  const bool is_twin = capture.is_healthy() && capture.variant == "healthy";
  return fmt::format("{}{} at {}", capture.scenario, is_twin ? " (healthy twin)" : "",
                     capture.point);
}

void count_confidence(const GradedCapture& capture, std::array<CalibrationBin, 10>& bins) {
  for (const GradedFinding& finding : capture.findings) {
    if (finding.severity < Severity::suspect) continue;
    const double tenth = std::clamp(finding.confidence * 10, 0.0, 9.0);
    CalibrationBin& bin = bins.at(static_cast<std::size_t>(tenth));
    ++bin.count;
    bin.right += finding.is_right ? 1 : 0;
    bin.suspects += finding.severity == Severity::suspect ? 1 : 0;
    bin.stated_sum += finding.confidence;
  }
}

double AccountRow::apart() const {
  if (our_window > kernel_window) return our_window - kernel_window;
  return std::min(0.0, our_window + our_repair - kernel_window);
}

double CalibrationBin::stated() const {
  return count == 0 ? 0 : stated_sum / static_cast<double>(count);
}

double CalibrationBin::observed() const {
  return count == 0 ? 0 : static_cast<double>(right) / static_cast<double>(count);
}

double Accuracy::accepted_share() const {
  return faulty == 0 ? 1 : static_cast<double>(faulty_accepted) / static_cast<double>(faulty);
}

Accuracy summarise(std::span<const GradedCapture> captures) {
  Accuracy accuracy;
  std::map<std::string, ConfusionRow> rows;
  std::map<std::tuple<std::string, std::string, std::string>, AccountRow> accounts;
  std::set<std::pair<std::string, std::uint64_t>> runs;
  for (const GradedCapture& capture : captures) {
    if (capture.is_void()) {
      ++accuracy.void_runs;
      continue;
    }
    if (!capture.lessened.empty()) {
      count_lessened(capture, accuracy);
      continue;
    }
    if (!capture.path_rate.empty()) {
      count_prediction(capture, accuracy);
      continue;
    }
    if (runs.emplace(capture.scenario, capture.seed).second) ++accuracy.draws[capture.scenario];
    ConfusionRow& row = rows[truth_of(capture)];
    ++row.captures;
    row.accepted += capture.is_accepted ? 1 : 0;
    ++row.verdicts[capture.verdict];
    count_verdict(capture, accuracy);
    count_confidence(capture, accuracy.bins);
    count_prediction(capture, accuracy);
    count_causes(capture, accuracy);
    add_account(capture, accounts[{capture.scenario, capture.variant, capture.point}], accuracy);
  }
  for (auto& [truth, row] : rows) {
    row.truth = truth;
    accuracy.rows.push_back(std::move(row));
  }
  // Healthy worlds come last, behind the faults in alphabetical order.
  std::ranges::stable_partition(accuracy.rows,
                                [](const ConfusionRow& row) { return row.truth != "healthy"; });
  for (auto& [where, row] : accounts) {
    if (row.captures == 0) continue;
    std::tie(row.scenario, row.variant, row.point) = where;
    divide(row);
    accuracy.accounts.push_back(std::move(row));
  }
  return accuracy;
}

}  // namespace slowpath::report
