// SPDX-License-Identifier: Apache-2.0
#include "detect/remedies.h"

#include "detect/support.h"

namespace slowpath::detect {
namespace {

/// The least round trip of the data that a finding is about; 0: it is about none, or none was seen.
double rtt_of(const Finding& finding, const Case& facts) {
  if (finding.connections.empty() || !finding.direction) return 0;
  const ConnectionFacts* connection = find_connection(facts, finding.connections.front());
  return connection != nullptr ? (*connection)[*finding.direction].rtt.total.min_s : 0;
}

}  // namespace

const Fault* remedied_fault(const Finding& finding) {
  return find_fault(finding.remedies_of.empty() ? finding.fault : finding.remedies_of);
}

std::vector<const RemedyStep*> steps_against(const Finding& finding, const Case& facts) {
  std::vector<const RemedyStep*> steps;
  const Fault* fault = remedied_fault(finding);
  if (fault == nullptr) return steps;
  const double rtt_s = rtt_of(finding, facts);
  for (const RemedyStep& step : fault->remedies) {
    if (step.most_rtt_s == 0 || rtt_s <= step.most_rtt_s) steps.push_back(&step);
  }
  return steps;
}

}  // namespace slowpath::detect
