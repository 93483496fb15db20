// SPDX-License-Identifier: Apache-2.0
// Two tests side by side. Rates swing: what is compared is the median of the intervals, and a
// difference counts only where the 95 % intervals of both medians are apart (by order statistics:
// ranks n/2 +- 0.98 sqrt(n); Conover, Practical Nonparametric Statistics, section 3.2).
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "report/test_answer.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::json;

struct Median {
  double low = 0, middle = 0, high = 0;
};

// Below six the interval would be wider than all that was seen.
constexpr std::size_t kFewest = 6;

std::optional<Median> median_of(std::vector<double> rates) {
  if (rates.size() < kFewest) return std::nullopt;
  std::ranges::sort(rates);
  const double n = static_cast<double>(rates.size());
  const double reach = 0.98 * std::sqrt(n);
  const auto at = [&](double rank) {
    return rates[static_cast<std::size_t>(std::clamp(rank, 0.0, n - 1))];
  };
  return Median{at(std::floor(n / 2 - reach)), at(std::floor(n / 2)), at(std::ceil(n / 2 + reach))};
}

double rate_of(double bytes, double begin_s, double end_s) {
  return end_s > begin_s ? bytes * 8 / (end_s - begin_s) : 0;
}

std::vector<double> rates_of(const TestFlow& flow) {
  std::vector<double> rates;
  for (const TestInterval& each : flow.intervals)
    rates.push_back(rate_of(static_cast<double>(each.bytes), each.begin_s, each.end_s));
  return rates;
}

using Earlier = std::map<std::string, std::vector<double>>;

Earlier earlier_of(const Json& document) {
  Earlier earlier;
  for (const Json& run : document.at("runs")) {
    for (const Json& flow : run.at("flows")) {
      std::vector<double>& rates = earlier[flow.at("name").get<std::string>()];
      for (const Json& each : flow.at("intervals"))
        rates.push_back(rate_of(each.at("bytes").get<double>(), each.at("begin_s").get<double>(),
                                each.at("end_s").get<double>()));
    }
  }
  return earlier;
}

RateChange change_of(std::string name, const std::optional<Median>& before,
                     const std::optional<Median>& now) {
  RateChange change{.flow = std::move(name)};
  if (!before || !now) return change;
  change.told = true;
  change.before_bps = before->middle;
  change.now_bps = now->middle;
  change.beyond_noise = before->high < now->low || now->high < before->low;
  return change;
}

std::unexpected<Error> refuse(std::string cause) {
  return fail(ErrorKind::input, "cannot compare with the earlier test", std::move(cause),
              "it must be a file that slowpath test --save wrote");
}

Result<Earlier> read_earlier(const std::string& document) {
  const Json json = parse_json(document);
  if (!json.is_object() || !json.contains("schema")) return refuse("it is no slowpath.test.v1");
  if (json["schema"] != "slowpath.test.v1") {
    constexpr std::size_t kMost = 60;
    return refuse(fmt::format("it is {}, and not slowpath.test.v1",
                              json_text(json["schema"]).substr(0, kMost)));
  }
  try {
    return earlier_of(json);
  } catch (const Json::exception& wrong) {
    return refuse(wrong.what());
  }
}

}  // namespace

Result<void> check_earlier(const std::string& document) {
  if (auto read = read_earlier(document); !read) return std::unexpected(read.error());
  return {};
}

Result<std::vector<RateChange>> compare_with(const TestFacts& facts, const std::string& document) {
  const Result<Earlier> read = read_earlier(document);
  if (!read) return std::unexpected(read.error());
  const Earlier& earlier = *read;
  std::vector<RateChange> changes;
  for (const TestRun& run : facts.runs) {
    for (const TestFlow& flow : run.flows) {
      const std::string name = name_of(run, flow);
      const auto before = earlier.find(name);
      if (before == earlier.end()) continue;
      changes.push_back(change_of(name, median_of(before->second), median_of(rates_of(flow))));
    }
  }
  if (changes.empty()) return refuse("it has none of the directions that were tested now");
  return changes;
}

}  // namespace slowpath::report
