// SPDX-License-Identifier: Apache-2.0
// Which fault is the capture's. Seconds alone would let a lone SYN that waited a minute outrank the
// download that was asked about; bytes alone would hide a service that never answered. So:
// (1) A connection with at least a tenth of all payload bytes is a main one, and its faults stand
//     before all others; findings about the path or the capture stand with them.
// (2) A fault of smaller connections counts if the seconds it cost them are a tenth of the
//     capture's span, or if it hit a tenth of all connections and at least three of them.
// (3) What is neither is a note.
// Within a standing the fault with the most seconds over all its connections comes first.
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "detect/policy.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

constexpr double kMainShare = 0.10;      // of the capture's payload bytes
constexpr double kManyShare = 0.10;      // of its connections
constexpr std::size_t kManyAtLeast = 3;  // two may be chance

enum class Standing { trivial, minor, main };

std::uint64_t bytes_of(const ConnectionFacts& connection) {
  return connection.directions[0].bytes + connection.directions[1].bytes;
}

double span_s(const Case& facts) {
  Time first = Time::max();
  Time last = Time::min();
  for (const ConnectionFacts& connection : facts.connections) {
    first = std::min(first, connection.first);
    last = std::max(last, connection.last);
  }
  return first < last ? seconds_between(first, last) : 0;
}

struct Toll {
  double seconds = 0;
  std::size_t connections = 0;
};

// Integrity faults that TCP does not notice; those that a checksum catches cost resends instead.
bool alters_data(std::string_view id) {
  const Fault* fault = find_fault(id);
  return fault != nullptr && fault->family == Family::integrity && id != "csum-bad-on-arrival" &&
         !is_specialisation_of(id, "csum-bad-on-arrival");
}

// What has come until then has to be sent again: it costs the connection.
bool cuts_off(std::string_view id) { return id == "rst-injected"; }

class Scales {
 public:
  Scales(const Case& facts, const std::vector<Finding>& findings) : facts_(facts) {
    for (const ConnectionFacts& connection : facts.connections)
      total_bytes_ += bytes_of(connection);
    span_s_ = span_s(facts);
    for (const Finding& finding : findings) {
      if (finding.severity != Severity::fault) continue;
      Toll& toll = tolls_[finding.fault];
      toll.seconds += weight_s(facts, finding);
      toll.connections += finding.connections.size();
    }
  }

  [[nodiscard]] double seconds_of(std::string_view fault) const {
    const auto toll = tolls_.find(fault);
    return toll == tolls_.end() ? 0 : toll->second.seconds;
  }

  [[nodiscard]] Standing standing(const Finding& finding) const {
    if (finding.connections.empty()) return Standing::main;
    std::uint64_t bytes = 0;
    for (const std::uint32_t id : finding.connections) {
      const auto* connection = find_connection(facts_, id);
      if (connection == nullptr) continue;
      // Many small connections do not make a main one: their seconds decide.
      bytes =
          finding.spread ? std::max(bytes, bytes_of(*connection)) : bytes + bytes_of(*connection);
    }
    if (total_bytes_ == 0) return Standing::main;
    if (static_cast<double>(bytes) >= kMainShare * static_cast<double>(total_bytes_)) {
      return Standing::main;
    }
    return counts_in_sum(finding) ? Standing::minor : Standing::trivial;
  }

 private:
  [[nodiscard]] bool counts_in_sum(const Finding& finding) const {
    const auto found = tolls_.find(finding.fault);
    if (found == tolls_.end()) return false;
    const Toll& toll = found->second;
    if (is_material(toll.seconds, span_s_)) return true;
    const double all = static_cast<double>(facts_.connections.size());
    return toll.connections >= kManyAtLeast &&
           static_cast<double>(toll.connections) >= kManyShare * all;
  }

  const Case& facts_;
  std::uint64_t total_bytes_ = 0;
  double span_s_ = 0;
  std::map<std::string_view, Toll> tolls_;
};

}  // namespace

double weight_s(const Case& facts, const Finding& finding) {
  const bool costs_all = alters_data(finding.fault) || cuts_off(finding.fault);
  if (finding.seconds_lost > 0 || !costs_all) return finding.seconds_lost;
  double seconds = 0;
  for (const std::uint32_t id : finding.connections) {
    if (const auto* connection = find_connection(facts, id)) seconds += duration_s(*connection);
  }
  return seconds;
}

void demote_trivial(const Case& facts, std::vector<Finding>& findings) {
  const Scales scales(facts, findings);
  for (Finding& finding : findings) {
    if (finding.severity == Severity::fault && scales.standing(finding) == Standing::trivial) {
      finding.severity = Severity::note;
    }
  }
}

void rank(const Case& facts, std::vector<Finding>& findings) {
  const Scales scales(facts, findings);
  struct Key {
    Severity severity;
    Standing standing;
    double fault_s, own_s, confidence;
    auto operator<=>(const Key&) const = default;
  };
  std::vector<Key> keys;
  keys.reserve(findings.size());
  for (const Finding& finding : findings) {
    keys.push_back({finding.severity, scales.standing(finding), scales.seconds_of(finding.fault),
                    weight_s(facts, finding), finding.confidence});
  }
  std::vector<std::size_t> order(findings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
  std::vector<Finding> ranked;
  ranked.reserve(findings.size());
  for (const std::size_t index : order) ranked.push_back(std::move(findings[index]));
  findings = std::move(ranked);
}

}  // namespace slowpath::detect
