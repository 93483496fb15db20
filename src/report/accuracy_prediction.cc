// SPDX-License-Identifier: Apache-2.0
// Predictions held against what was measured after the fix: counted, as a table, as a sentence.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "report/accuracy_tables.h"

namespace slowpath::report {
namespace {

PredictionRow& row_of(const GradedCapture& capture, Accuracy& accuracy) {
  const auto found = std::ranges::find_if(accuracy.predictions, [&](const PredictionRow& row) {
    return row.scenario == capture.scenario && row.point == capture.point &&
           row.faults == capture.prediction->faults && row.path_rate == capture.path_rate;
  });
  if (found != accuracy.predictions.end()) return *found;
  PredictionRow& row = accuracy.predictions.emplace_back();
  row.scenario = capture.scenario;
  row.point = capture.point;
  row.faults = capture.prediction->faults;
  row.path_rate = capture.path_rate;
  return row;
}

std::string median_rate(std::vector<double> rates) {
  if (rates.empty()) return ".";
  std::ranges::sort(rates);
  return format_rate(rates[(rates.size() - 1) / 2]);
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  return fmt::format(" ({})",
                     format_percent(static_cast<double>(part) / static_cast<double>(whole)));
}

/// All predictions on paths of this kind.
std::string sentence_on(const Accuracy& accuracy, const std::string& path_rate) {
  PredictionRow all;
  std::set<std::string> scenarios, failed, told, told_well;
  for (const PredictionRow& row : accuracy.predictions) {
    if (row.path_rate != path_rate) continue;
    all.about += row.about;
    all.near += row.near;
    all.at_least += row.at_least;
    all.at_least_true += row.at_least_true;
    all.of_order += row.of_order;
    all.unknown += row.unknown;
    scenarios.insert(row.scenario);
    if (row.near < row.about || row.at_least_true < row.at_least) failed.insert(row.scenario);
    if (row.about + row.at_least > 0) told.insert(row.scenario);
    if (row.near + row.of_order > 0) told_well.insert(row.scenario);
  }
  for (const std::string& scenario : failed) {
    told.erase(scenario);
    told_well.erase(scenario);
  }
  const std::string where =
      path_rate.empty() ? "On the scenarios' own paths"
                        : fmt::format("With a bottleneck of {} where a path has none", path_rate);
  return fmt::format(
      "{}: of {} predictions {} say \"about\"{}, and {} of them{} are within 25 % of the measured "
      "rate; {} say \"at least\"{}, of which {} are true and {} no farther below than a factor of "
      "{}; {} say that it cannot be told{}. Of {} scenarios {}{} were told right rates alone, {} "
      "none, {} a wrong one; {}{} a right one that is \"about\" or within that factor.",
      where, all.captures(), all.about, share(all.about, all.captures()), all.near,
      share(all.near, all.about), all.at_least, share(all.at_least, all.captures()),
      all.at_least_true, all.of_order, Prediction::kOrder, all.unknown,
      share(all.unknown, all.captures()), scenarios.size(), told.size(),
      share(told.size(), scenarios.size()), scenarios.size() - told.size() - failed.size(),
      failed.size(), told_well.size(), share(told_well.size(), scenarios.size()));
}

std::string of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "." : fmt::format("{} of {}", part, whole);
}

}  // namespace

bool Prediction::is_near() const {
  return predicted_bps && std::abs(*predicted_bps - measured_bps) <= kNear * measured_bps;
}

bool Prediction::holds_at_least() const {
  return predicted_bps && measured_bps >= (1 - kNoise) * *predicted_bps;
}

bool Prediction::is_of_order() const {
  return holds_at_least() && measured_bps <= kOrder * *predicted_bps;
}

void count_prediction(const GradedCapture& capture, Accuracy& accuracy) {
  if (!capture.prediction) return;
  const Prediction& prediction = *capture.prediction;
  PredictionRow& row = row_of(capture, accuracy);
  row.measured_bps.push_back(prediction.measured_bps);
  if (prediction.predicted_bps) row.predicted_bps.push_back(*prediction.predicted_bps);
  switch (prediction.bound) {
    case Bound::about:
      ++row.about;
      row.near += prediction.is_near() ? 1 : 0;
      break;
    case Bound::at_least:
      ++row.at_least;
      row.at_least_true += prediction.holds_at_least() ? 1 : 0;
      row.of_order += prediction.is_of_order() ? 1 : 0;
      break;
    case Bound::unknown:
      ++row.unknown;
      break;
  }
}

Table prediction_table(const Accuracy& accuracy) {
  const bool has_rates = std::ranges::any_of(
      accuracy.predictions, [](const PredictionRow& row) { return !row.path_rate.empty(); });
  std::vector<Table::Column> columns{{"scenario"}};
  if (has_rates) columns.push_back({"path"});
  columns.insert(columns.end(), {{"point"},
                                 {"repaired"},
                                 {"predicted", Align::right},
                                 {"measured", Align::right},
                                 {"about, within 25 %", Align::right},
                                 {"at least, true", Align::right},
                                 {"unknown", Align::right}});
  Table table(std::move(columns));
  for (const PredictionRow& row : accuracy.predictions) {
    std::vector<std::string> cells{row.scenario};
    if (has_rates) cells.push_back(row.path_rate.empty() ? "its own" : row.path_rate);
    cells.insert(cells.end(), {row.point, row.faults, median_rate(row.predicted_bps),
                               median_rate(row.measured_bps), of(row.near, row.about),
                               of(row.at_least_true, row.at_least),
                               row.unknown == 0 ? "." : std::to_string(row.unknown)});
    table.row(std::move(cells));
  }
  return table;
}

std::string prediction_sentence(const Accuracy& accuracy) {
  std::set<std::string> paths;
  for (const PredictionRow& row : accuracy.predictions) paths.insert(row.path_rate);
  std::string text;
  for (const std::string& path : paths) {
    text += (text.empty() ? "" : " ") + sentence_on(accuracy, path);
  }
  return text;
}

}  // namespace slowpath::report
