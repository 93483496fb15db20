// SPDX-License-Identifier: Apache-2.0
// docs/accuracy.md: how often diagnose is right, and how that was found out.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/accuracy_tables.h"

namespace slowpath::report {
namespace {

void add_list(std::string& text, std::string_view title,
              const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  text += fmt::format("\n{}\n\n", title);
  for (const auto& [what, count] : counts) text += fmt::format("- {} × {}\n", count, what);
}

/// How often each scenario was run, those without a run first.
std::string draws_section(const Accuracy& accuracy, std::vector<std::string> scenarios) {
  std::map<std::uint64_t, std::vector<std::string>> by_count;
  for (const auto& [scenario, count] : accuracy.draws) by_count[count].push_back(scenario);
  for (std::string& scenario : scenarios) {
    if (!accuracy.draws.contains(scenario)) by_count[0].push_back(std::move(scenario));
  }
  if (by_count.empty()) return {};
  std::string text =
      "\n## Draws\n\nHow often each scenario was run, with its healthy twin where it has one. Void "
      "runs are left out.\n\n";
  for (const auto& [count, names] : by_count) {
    text += fmt::format("- {} × each of {}: {}\n", count, names.size(), fmt::join(names, ", "));
  }
  return text;
}

/// How far the accounts are apart where a window is at work at all.
std::string account_sentence(const Accuracy& accuracy) {
  std::size_t within = 0;
  double worst = 0;
  for (const AccountRow& row : accuracy.accounts) {
    const double apart = std::abs(row.apart());
    within += apart <= 0.05 ? 1U : 0U;
    worst = std::max(worst, apart);
  }
  return fmt::format("{} of {} rows are within 5 points; the farthest is {:.1f} points apart.",
                     within, accuracy.accounts.size(), 100 * worst);
}

std::string confidence_section(const Accuracy& accuracy) {
  const Table table = calibration_table(accuracy);
  if (table.empty()) return {};
  return "\n## Confidence\n\n"
         "Of all faults and suspects: the mean confidence that was stated, and how often the fault "
         "was one that\nmay be named there.\n\n" +
         table.markdown();
}

std::string lessened_section(const Accuracy& accuracy) {
  const Table table = lessened_table(accuracy);
  if (table.empty()) return {};
  std::string text = fmt::format(
      "\n## Captures that tell less\n\n"
      "The same captures as somebody else might have taken them ([lab.md](lab.md)). `unclear` and "
      "`healthy` are no\nmistake there: what cannot be seen cannot be named. What is named has to "
      "be right.\n\n{}\n\n{}",
      lessened_sentence(accuracy), table.markdown());
  add_list(text, "Named wrongly:", accuracy.lessened_alarms);
  const Table confidence = lessened_calibration_table(accuracy);
  if (!confidence.empty()) text += "\nTheir findings:\n\n" + confidence.markdown();
  return text;
}

std::string causes_section(const Accuracy& accuracy) {
  const Table table = causes_table(accuracy);
  if (table.empty()) return {};
  return fmt::format(
      "\n## Several faults at once\n\n"
      "Named is what a fault or a suspect speaks of, the general name included. What a point "
      "cannot show, the\nscenario says, with the reason ([lab.md](lab.md)).\n\n{}\n\n{}",
      causes_sentence(accuracy), table.markdown());
}

std::string predictions_section(const Accuracy& accuracy) {
  const Table table = prediction_table(accuracy);
  if (table.empty()) return {};
  return fmt::format(
      "\n## Predictions\n\n"
      "What was said to expect if the fault were gone, from captures of the broken world, beside "
      "the goodput\nthat the repaired world made (median of its runs, connecting not counted). "
      "\"At least\" is true where the\nmeasured rate is no more than {:.0f} % below it.\n\n{}"
      "\n\n{}",
      Prediction::kNoise * 100, prediction_sentence(accuracy), table.markdown());
}

std::string accounts_section(const Accuracy& accuracy) {
  const Table table = account_table(accuracy);
  if (table.empty()) return {};
  return fmt::format(
      "\n## Time accounts\n\n"
      "Receive window and zero window as a share of the time in which the sending kernel had "
      "data outstanding (`busy`),\nbeside its `rwnd_limited`. The kernel goes on counting a full "
      "window while a loss is repaired or a timer runs, and our\naccount gives that time to the "
      "loss: what the kernel has more is a difference only beyond that time (`repair, ours`).\n"
      "The kernel counts in ticks of {:.0f} ms: {} captures of transfers that were busy for less "
      "than {:.0f} ms are left out,\nbecause one or two ticks would be five points; {} more saw "
      "nothing of the transfer in most of that time.\n{}\n\n"
      "A full send buffer leaves no trace of its own in packets: an application that waits for "
      "room, one that writes\nslowly and a sender that paces look the same. So the account "
      "never names it; it gives that time to the sender\nitself (`pacing-or-cpu`, `unknown`), "
      "shown beside the kernel's `sndbuf_limited`/`busy` and not compared with it:\nLinux counts "
      "only moments when nothing at all waits in the socket, and stays near zero for a small "
      "`SO_SNDBUF`.\n\n{}",
      1e3 * kKernelTick_s, accuracy.too_short_accounts, 1e3 * kLeastBusy_s,
      accuracy.unseen_accounts, account_sentence(accuracy), table.markdown());
}

}  // namespace

std::string accuracy_markdown(const Accuracy& accuracy, const MatrixOrigin& origin) {
  std::string text = fmt::format(
      "# Accuracy\n\n"
      "Generated by `{}` on {}, kernel {}, seed {}. Every capture comes from a transfer between "
      "real\nTCP stacks in the lab ([lab.md](lab.md)) and was judged without the truth.\n\n{}\n\n"
      "## Verdicts\n\n"
      "Accepted is a verdict that the scenario lists for the capture point, and `healthy` where "
      "the fault cost\nless than 10 % of the rate of the same world without it and left every "
      "byte right.\n\n",
      origin.command, origin.date, origin.kernel, origin.seed, accuracy_sentence(accuracy));
  text += confusion_table(accuracy).markdown();
  add_list(text, "Not accepted:", accuracy.misses);
  add_list(text, "False alarms:", accuracy.false_alarms);
  text += draws_section(accuracy, origin.scenarios);
  return text + confidence_section(accuracy) + lessened_section(accuracy) +
         causes_section(accuracy) + predictions_section(accuracy) + accounts_section(accuracy);
}

}  // namespace slowpath::report
