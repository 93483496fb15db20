// SPDX-License-Identifier: Apache-2.0
// What a scenario expects of its diagnosis: the statement `expect`.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "detect/detector.h"
#include "facts/case.h"
#include "facts/finding.h"
#include "support/scenario/words.h"

namespace slowpath::test::scenario {

/// What the engine and the detectors made of the capture.
struct Outcome {
  Case facts;
  Diagnosis diagnosis;
  std::vector<detect::Silence> silences;
};

/// Why the outcome is not as expected; nothing if it is.
using Check = std::function<std::optional<std::string>(const Outcome&)>;

struct Expectation {
  std::string text;
  Check check;
};

/// Reads what follows `expect`.
Expectation read_expectation(Words& words);

}  // namespace slowpath::test::scenario
