// SPDX-License-Identifier: Apache-2.0
#include "report/answer.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "facts/connection.h"
#include "facts/severity.h"

namespace slowpath::report {
namespace {

/// How bad a connection is: the greater, the worse.
struct Badness {
  bool of_verdict = false;
  Severity severity = Severity::note;
  double seconds_lost = 0;

  [[nodiscard]] auto key() const { return std::tie(of_verdict, severity, seconds_lost); }
};

std::unordered_map<std::uint32_t, Badness> badness_by_id(const Diagnosis& diagnosis) {
  std::unordered_map<std::uint32_t, Badness> by_id;
  for (const Finding& finding : diagnosis.findings) {
    const Badness here{finding.fault == diagnosis.verdict, finding.severity, finding.seconds_lost};
    for (const std::uint32_t id : finding.connections) {
      Badness& worst = by_id[id];
      if (worst.key() < here.key()) worst = here;
    }
  }
  return by_id;
}

Badness badness_of_verdict(const Diagnosis& diagnosis, std::size_t position) {
  if (position >= diagnosis.connection_verdicts.size()) return {};
  const std::string& verdict = diagnosis.connection_verdicts[position];
  if (verdict == "healthy" || verdict == "unclear") return {};
  return {verdict == diagnosis.verdict, Severity::fault, 0};
}

std::uint64_t bytes_of(const ConnectionFacts& connection) {
  return connection[Direction::to_server].bytes + connection[Direction::to_client].bytes;
}

}  // namespace

std::vector<std::size_t> connections_worst_first(const Answer& answer) {
  const std::vector<ConnectionFacts>& connections = answer.facts.connections;
  const auto by_id = badness_by_id(answer.diagnosis);
  // A finding about many connections lists only its worst.
  const auto badness = [&](std::size_t position) {
    const auto found = by_id.find(connections[position].id);
    if (found != by_id.end()) return found->second;
    return badness_of_verdict(answer.diagnosis, position);
  };
  std::vector<std::size_t> order(connections.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const Badness left = badness(a);
    const Badness right = badness(b);
    if (left.key() != right.key()) return left.key() > right.key();
    if (bytes_of(connections[a]) != bytes_of(connections[b])) {
      return bytes_of(connections[a]) > bytes_of(connections[b]);
    }
    return a < b;
  });
  return order;
}

std::vector<std::pair<std::string_view, std::size_t>> count_verdicts(const Diagnosis& diagnosis) {
  std::map<std::string_view, std::size_t> by_verdict;
  for (const std::string& verdict : diagnosis.connection_verdicts) ++by_verdict[verdict];
  std::vector<std::pair<std::string_view, std::size_t>> counts(by_verdict.begin(),
                                                               by_verdict.end());
  std::ranges::stable_sort(counts,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  return counts;
}

}  // namespace slowpath::report
