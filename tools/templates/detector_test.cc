// SPDX-License-Identifier: Apache-2.0
#include "detect/detector.h"

#include <gtest/gtest.h>

#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

TEST(@TEST@, Fires) {
  Case facts = healthy_case();
  FAIL() << "make the fault, and expect the claim, the seconds and the evidence of run(\"@ID@\", facts)";
}

TEST(@TEST@, SilentOnANearMiss) {
  Case facts = healthy_case();
  FAIL() << "make the nearest look-alike, and expect silence with its reason";
}

TEST(@TEST@, SilentOrSuspectOnADamagedCapture) {
  Case facts = healthy_case();
  FAIL() << "make the fault in a capture that lost packets or starts late, and expect no fault";
}

}  // namespace
}  // namespace slowpath::testing
