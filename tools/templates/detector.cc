// SPDX-License-Identifier: Apache-2.0
// @ID@: say what the user sees, how it is recognised (RFC, section), and what it may be
// confused with and which fact tells them apart. Names and remedies are in facts/catalogue/.
#include "detect/detector.h"

namespace slowpath::detect::detectors {
namespace {

// Thresholds stand here, each with its unit, its source and its reason.

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    // 1. Does the capture allow the question? If not, say so with the reason (see silences).
    // 2. Is the signature there?
    // 3. Is the evidence the catalogue's minimum? If not, it is a suspect.
    static_cast<void>(connection);
    static_cast<void>(findings);
  }
}

}  // namespace

extern const Detector @NAME@;
const Detector @NAME@{
    .id = "@ID@",
    .scope = Scope::connection,
    .needs = "",
    .inspect = inspect,
};

}  // namespace slowpath::detect::detectors
