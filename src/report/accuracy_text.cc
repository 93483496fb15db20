// SPDX-License-Identifier: Apache-2.0
// The counts on accuracy as tables, for a terminal.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "report/accuracy_tables.h"
#include "report/layout.h"

namespace slowpath::report {
namespace {

bool occurs(const Accuracy& accuracy, const std::string& verdict) {
  return std::ranges::any_of(
      accuracy.rows, [&](const ConfusionRow& row) { return row.verdicts.contains(verdict); });
}

std::string count_of(const ConfusionRow& row, const std::string& verdict) {
  const auto found = row.verdicts.find(verdict);
  return found == row.verdicts.end() ? "." : std::to_string(found->second);
}

/// "rwnd-limited 14, zero-window 2": the most frequent first.
std::string named_faults(const ConfusionRow& row) {
  std::vector<std::pair<std::uint64_t, std::string>> named;
  for (const auto& [verdict, count] : row.verdicts) {
    if (verdict != "unclear" && verdict != "healthy") named.emplace_back(count, verdict);
  }
  std::ranges::stable_sort(named, std::greater{}, &std::pair<std::uint64_t, std::string>::first);
  std::string text;
  for (const auto& [count, verdict] : named) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", verdict, kNoBreak, count);
  }
  return text.empty() ? "." : text;
}

std::string points(double difference) { return fmt::format("{:+.1f}", 100 * difference); }

void add_counts(std::string& text, std::string_view title,
                const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  text += fmt::format("\n{}\n", title);
  for (const auto& [what, count] : counts) text += fmt::format("  {} x {}\n", count, what);
}

Table table_of(const std::array<CalibrationBin, 10>& bins) {
  Table table({{"confidence"},
               {"stated", Align::right},
               {"observed", Align::right},
               {"difference", Align::right},
               {"findings", Align::right},
               {"of them suspects", Align::right}});
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const CalibrationBin& bin = bins[i];
    if (bin.count == 0) continue;
    const auto tenth = static_cast<double>(i) / 10;
    table.row({fmt::format("{:.1f} to {:.1f}", tenth, tenth + 0.1),
               fmt::format("{:.2f}", bin.stated()), fmt::format("{:.2f}", bin.observed()),
               fmt::format("{:+.2f}", bin.observed() - bin.stated()), std::to_string(bin.count),
               std::to_string(bin.suspects)});
  }
  return table;
}

}  // namespace

Table confusion_table(const Accuracy& accuracy) {
  std::vector<std::string> own_columns;
  for (const char* verdict : {"unclear", "healthy"}) {
    if (occurs(accuracy, verdict)) own_columns.emplace_back(verdict);
  }
  std::vector<Table::Column> columns{
      {"true fault"}, {"captures", Align::right}, {"accepted", Align::right}};
  for (const std::string& verdict : own_columns) columns.push_back({verdict, Align::right});
  columns.push_back({"faults named as the verdict"});
  Table table(std::move(columns));
  for (const ConfusionRow& row : accuracy.rows) {
    std::vector<std::string> cells{row.truth, std::to_string(row.captures),
                                   std::to_string(row.accepted)};
    for (const std::string& verdict : own_columns) cells.push_back(count_of(row, verdict));
    cells.push_back(named_faults(row));
    table.row(std::move(cells));
  }
  return table;
}

Table calibration_table(const Accuracy& accuracy) { return table_of(accuracy.bins); }
Table lessened_calibration_table(const Accuracy& accuracy) {
  return table_of(accuracy.lessened_bins);
}

Table account_table(const Accuracy& accuracy) {
  Table table({{"scenario"},
               {"variant"},
               {"point"},
               {"captures", Align::right},
               {"rwnd_limited", Align::right},
               {"window, ours", Align::right},
               {"repair, ours", Align::right},
               {"points", Align::right},
               {"sndbuf_limited", Align::right},
               {"sender itself, ours", Align::right}});
  for (const AccountRow& row : accuracy.accounts) {
    table.row({row.scenario, row.variant, row.point, std::to_string(row.captures),
               format_percent(row.kernel_window), format_percent(row.our_window),
               format_percent(row.our_repair), points(row.apart()),
               format_percent(row.kernel_send_buffer), format_percent(row.our_sender)});
  }
  return table;
}

std::string accuracy_sentence(const Accuracy& accuracy) {
  std::string text;
  if (accuracy.faulty > 0) {
    text += fmt::format("{} of {} verdicts on broken worlds are accepted ({}). ",
                        accuracy.faulty_accepted, accuracy.faulty,
                        format_percent(accuracy.accepted_share()));
  }
  if (accuracy.healthy > 0) {
    text += fmt::format(
        "{} of {} captures of healthy worlds are called healthy; a fault is named in {}. ",
        accuracy.healthy_accepted, accuracy.healthy, accuracy.healthy_alarms);
  }
  std::uint64_t alarms = 0;
  for (const auto& [what, count] : accuracy.false_alarms) alarms += count;
  text += fmt::format("False alarms in all: {}. Void runs, which count for nothing: {}.", alarms,
                      accuracy.void_runs);
  return text;
}

std::string accuracy_text(const Accuracy& accuracy, std::size_t width) {
  std::string text = confusion_table(accuracy).text(width);
  if (const Table table = calibration_table(accuracy); !table.empty()) {
    text += "\nConfidence of faults and suspects, stated and observed\n";
    text += table.text(width, 2);
  }
  if (const Table table = causes_table(accuracy); !table.empty()) {
    text += "\nWorlds with several faults at once\n";
    text += table.text(width, 2) + causes_sentence(accuracy) + "\n";
  }
  if (const Table table = lessened_table(accuracy); !table.empty()) {
    text += "\nCaptures that were made to tell less\n";
    text += table.text(width, 2) + lessened_sentence(accuracy) + "\n";
    text += lessened_calibration_table(accuracy).text(width, 2);
  }
  if (const Table table = prediction_table(accuracy); !table.empty()) {
    text += "\nWhat was said to expect of the repair, and what it brought\n";
    text += table.text(width, 2) + prediction_sentence(accuracy) + "\n";
  }
  add_counts(text, "Verdicts that are not accepted", accuracy.misses);
  add_counts(text, "False alarms", accuracy.false_alarms);
  add_counts(text, "Named wrongly where the capture tells less", accuracy.lessened_alarms);
  return text + "\n" + accuracy_sentence(accuracy) + "\n";
}

}  // namespace slowpath::report
