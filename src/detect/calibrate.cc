// SPDX-License-Identifier: Apache-2.0
// What detectors state as confidence against how often the lab found them right. Detectors know
// only how far their own evidence reaches; here the doubt that is left is brought to scale.
#include <algorithm>

#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// Of 1283 faults that detectors named in the lab with drawn parameters (2026-11-20): stated 0.75
// were right in 0.85 of 39, stated 0.84 in 0.93 of 300, stated 0.95 in 0.985 of 944. Half of the
// doubt was too much. docs/accuracy.md shows what is stated and observed since.
constexpr double kDoubtScale = 0.5;
// Nobody is surer than this from a capture alone.
constexpr double kSurest = 0.99;

}  // namespace

void calibrate(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.severity != Severity::fault) continue;
    const double doubt = kDoubtScale * (1 - std::clamp(finding.confidence, 0.0, 1.0));
    finding.confidence = std::max(finding.confidence, std::min(1 - doubt, kSurest));
  }
}

}  // namespace slowpath::detect
