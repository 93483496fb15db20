// SPDX-License-Identifier: Apache-2.0
// Dividing seconds that several causes claim. Findings say how long, not when; so all that can be
// held is that one connection's causes together cost no more than its time.
#include <algorithm>
#include <map>

#include "detect/policy.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

int depth_in_catalogue(std::string_view id) {
  int depth = 0;
  for (const Fault* fault = find_fault(id); fault != nullptr && !fault->specialises.empty();
       fault = find_fault(fault->specialises)) {
    ++depth;
  }
  return depth;
}

// Who had nothing to send was not waiting for a timeout: what the account of time gives to losses
// and closed windows is not the sender's own.
double owned_by_others_s(const Finding& finding, const ConnectionFacts& connection) {
  constexpr std::string_view kSendersOwn = "sender-limited";
  if (finding.fault != kSendersOwn && !is_specialisation_of(finding.fault, kSendersOwn)) return 0;
  if (!finding.direction) return 0;
  const TimeAccount& time = connection[*finding.direction].time;
  return time[TimeOwner::timeout] + time[TimeOwner::loss_recovery] + time[TimeOwner::zero_window];
}

bool is_served_before(const Finding& a, const Finding& b) {
  if (a.severity != b.severity) return a.severity > b.severity;
  const int depth_a = depth_in_catalogue(a.fault);
  const int depth_b = depth_in_catalogue(b.fault);
  if (depth_a != depth_b) return depth_a > depth_b;
  return a.confidence > b.confidence;
}

}  // namespace

void divide_overlaps(const Case& facts, std::vector<Finding>& findings) {
  std::vector<Finding*> by_strength;
  for (Finding& finding : findings) {
    // Suspects explain the same seconds in another way; they take nothing from a fault.
    if (finding.connections.size() == 1 && finding.severity != Severity::suspect) {
      by_strength.push_back(&finding);
    }
  }
  std::ranges::stable_sort(
      by_strength, [](const Finding* a, const Finding* b) { return is_served_before(*a, *b); });
  std::map<std::uint32_t, double> left_s;
  for (Finding* finding : by_strength) {
    const ConnectionFacts* connection = find_connection(facts, finding->connections.front());
    if (connection == nullptr) continue;
    const double whole_s = duration_s(*connection);
    double& left = left_s.try_emplace(connection->id, whole_s).first->second;
    const double claimed = finding->seconds_lost;
    const double possible = std::max(0.0, whole_s - owned_by_others_s(*finding, *connection));
    finding->seconds_lost = std::clamp(claimed, 0.0, std::min(left, possible));
    left -= finding->seconds_lost;
    const bool was_cut = finding->seconds_lost < claimed;
    if (was_cut && finding->severity == Severity::fault && claimed <= whole_s &&
        !is_material(finding->seconds_lost, whole_s)) {
      finding->severity = Severity::note;
    }
  }
}

}  // namespace slowpath::detect
