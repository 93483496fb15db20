// SPDX-License-Identifier: Apache-2.0
#include "report/answer.h"

#include <algorithm>
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

std::uint64_t bytes_of(const ConnectionFacts& connection) {
  return connection[Direction::to_server].bytes + connection[Direction::to_client].bytes;
}

}  // namespace

std::vector<std::size_t> connections_worst_first(const Answer& answer) {
  const std::vector<ConnectionFacts>& connections = answer.facts.connections;
  const auto by_id = badness_by_id(answer.diagnosis);
  const auto badness = [&](std::size_t position) {
    const auto found = by_id.find(connections[position].id);
    return found == by_id.end() ? Badness{} : found->second;
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

}  // namespace slowpath::report
