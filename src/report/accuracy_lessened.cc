// SPDX-License-Identifier: Apache-2.0
// Captures that were made to tell less: how often something was named in them, and how often
// wrongly.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "report/accuracy_tables.h"

namespace slowpath::report {
namespace {

LessenedRow& row_of(const std::string& how, Accuracy& accuracy) {
  const auto found = std::ranges::find(accuracy.lessened, how, &LessenedRow::how);
  if (found != accuracy.lessened.end()) return *found;
  accuracy.lessened.push_back({.how = how});
  return accuracy.lessened.back();
}

}  // namespace

void count_lessened(const GradedCapture& capture, Accuracy& accuracy) {
  LessenedRow& row = row_of(capture.lessened, accuracy);
  const bool alarms = !capture.false_alarms.empty();
  if (capture.is_healthy()) {
    ++row.healthy;
    row.alarms += alarms ? 1 : 0;
  } else {
    ++row.faulty;
    row.unclear += !alarms && capture.verdict == "unclear" ? 1 : 0;
    row.called_healthy += !alarms && capture.verdict == "healthy" ? 1 : 0;
    row.wrong += alarms ? 1 : 0;
  }
  row.right = row.faulty - row.unclear - row.called_healthy - row.wrong;
  for (const std::string& fault : capture.false_alarms) {
    ++accuracy
          .lessened_alarms[fmt::format("{}, {}: {}", place_of(capture), capture.lessened, fault)];
  }
  count_confidence(capture, accuracy.lessened_bins);
}

Table lessened_table(const Accuracy& accuracy) {
  Table table({{"capture"},
               {"of broken worlds", Align::right},
               {"named rightly", Align::right},
               {"unclear", Align::right},
               {"healthy", Align::right},
               {"named wrongly", Align::right},
               {"of healthy worlds", Align::right},
               {"a fault named", Align::right}});
  for (const LessenedRow& row : accuracy.lessened) {
    table.row({row.how, std::to_string(row.faulty), std::to_string(row.right),
               std::to_string(row.unclear), std::to_string(row.called_healthy),
               std::to_string(row.wrong), std::to_string(row.healthy), std::to_string(row.alarms)});
  }
  return table;
}

std::string lessened_sentence(const Accuracy& accuracy) {
  LessenedRow all;
  for (const LessenedRow& row : accuracy.lessened) {
    all.faulty += row.faulty;
    all.right += row.right;
    all.wrong += row.wrong;
    all.healthy += row.healthy;
    all.alarms += row.alarms;
  }
  if (all.faulty + all.healthy == 0) return {};
  return fmt::format(
      "Of {} captures of broken worlds that tell less, {} name a fault rightly and {} wrongly; of "
      "{} of healthy worlds {} name a fault.",
      format_count(all.faulty), format_count(all.right), format_count(all.wrong),
      format_count(all.healthy), format_count(all.alarms));
}

}  // namespace slowpath::report
