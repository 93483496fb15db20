// SPDX-License-Identifier: Apache-2.0
// Predictions held against what was measured after the fix: counted, as a table, as a sentence.
#include <algorithm>
#include <cmath>
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
           row.faults == capture.prediction->faults;
  });
  if (found != accuracy.predictions.end()) return *found;
  PredictionRow& row = accuracy.predictions.emplace_back();
  row.scenario = capture.scenario;
  row.point = capture.point;
  row.faults = capture.prediction->faults;
  return row;
}

std::string median_rate(std::vector<double> rates) {
  if (rates.empty()) return ".";
  std::ranges::sort(rates);
  return format_rate(rates[(rates.size() - 1) / 2]);
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
      break;
    case Bound::unknown:
      ++row.unknown;
      break;
  }
}

Table prediction_table(const Accuracy& accuracy) {
  Table table({{"scenario"},
               {"point"},
               {"repaired"},
               {"predicted", Align::right},
               {"measured", Align::right},
               {"about, within 25 %", Align::right},
               {"at least, true", Align::right},
               {"unknown", Align::right}});
  for (const PredictionRow& row : accuracy.predictions) {
    table.row({row.scenario, row.point, row.faults, median_rate(row.predicted_bps),
               median_rate(row.measured_bps), of(row.near, row.about),
               of(row.at_least_true, row.at_least),
               row.unknown == 0 ? "." : std::to_string(row.unknown)});
  }
  return table;
}

std::string prediction_sentence(const Accuracy& accuracy) {
  PredictionRow all;
  for (const PredictionRow& row : accuracy.predictions) {
    all.about += row.about;
    all.near += row.near;
    all.at_least += row.at_least;
    all.at_least_true += row.at_least_true;
    all.unknown += row.unknown;
  }
  if (all.captures() == 0) return {};
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return std::string{};
    return fmt::format(" ({})",
                       format_percent(static_cast<double>(part) / static_cast<double>(whole)));
  };
  return fmt::format(
      "Of {} predictions, {} say \"about\"{}: {} of them{} are within 25 % of the measured rate. "
      "{} "
      "say \"at least\"{}: {} are true. {} say that it cannot be told{}.",
      all.captures(), all.about, share(all.about, all.captures()), all.near,
      share(all.near, all.about), all.at_least, share(all.at_least, all.captures()),
      all.at_least_true, all.unknown, share(all.unknown, all.captures()));
}

}  // namespace slowpath::report
