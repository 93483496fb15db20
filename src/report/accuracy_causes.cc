// SPDX-License-Identifier: Apache-2.0
// Worlds with several faults at once: which of them were named, and which a capture point could not
// show. Counted, as a table, as a sentence.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "report/accuracy_tables.h"
#include "report/layout.h"

namespace slowpath::report {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

CausesRow& row_of(const GradedCapture& capture, Accuracy& accuracy) {
  const auto found = std::ranges::find_if(accuracy.causes, [&](const CausesRow& row) {
    return row.scenario == capture.scenario && row.point == capture.point;
  });
  if (found != accuracy.causes.end()) return *found;
  CausesRow& row = accuracy.causes.emplace_back();
  row.scenario = capture.scenario;
  row.point = capture.point;
  return row;
}

void add(const std::vector<std::string>& faults, Counts& counts) {
  for (const std::string& fault : faults) ++counts[fault];
}

std::string list_of(const Counts& counts) {
  std::string text;
  for (const auto& [fault, count] : counts) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", fault, kNoBreak, count);
  }
  return text.empty() ? "." : text;
}

std::uint64_t sum_of(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [fault, count] : counts) sum += count;
  return sum;
}

}  // namespace

void count_causes(const GradedCapture& capture, Accuracy& accuracy) {
  if (!capture.causes) return;
  CausesRow& row = row_of(capture, accuracy);
  ++row.captures;
  row.complete += capture.causes->missed.empty() ? 1 : 0;
  add(capture.causes->named, row.named);
  add(capture.causes->missed, row.missed);
  add(capture.causes->unseen, row.unseen);
}

Table causes_table(const Accuracy& accuracy) {
  Table table({{"scenario"},
               {"point"},
               {"captures", Align::right},
               {"all named", Align::right},
               {"named"},
               {"missed"},
               {"cannot be seen there"}});
  for (const CausesRow& row : accuracy.causes) {
    table.row({row.scenario, row.point, std::to_string(row.captures), std::to_string(row.complete),
               list_of(row.named), list_of(row.missed), list_of(row.unseen)});
  }
  return table;
}

std::string causes_sentence(const Accuracy& accuracy) {
  std::uint64_t captures = 0, complete = 0, named = 0, missed = 0, unseen = 0;
  for (const CausesRow& row : accuracy.causes) {
    captures += row.captures;
    complete += row.complete;
    named += sum_of(row.named);
    missed += sum_of(row.missed);
    unseen += sum_of(row.unseen);
  }
  if (captures == 0) return {};
  const std::uint64_t visible = named + missed;
  return fmt::format(
      "Of {} captures of worlds with several faults, {} name every one that can be seen where they "
      "were taken; of {} such causes {} were named{}. {} cannot be seen there.",
      captures, complete, visible, named,
      visible == 0 ? ""
                   : fmt::format(" ({})", format_percent(static_cast<double>(named) /
                                                         static_cast<double>(visible))),
      unseen);
}

}  // namespace slowpath::report
