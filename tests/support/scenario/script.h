// SPDX-License-Identifier: Apache-2.0
// Reads a scenario and plays it onto a tape, statement by statement. The language is described in
// tests/scenarios/README.md. Mistakes in it are sentences with a line number, never a crash, and
// what it costs is bounded by Limits.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/scenario/expectation.h"
#include "support/scenario/limits.h"
#include "support/scenario/tape.h"

namespace slowpath::test::scenario {

struct Mistake {
  std::size_t line = 0;
  std::string what;  // "expected a time with its unit up to an hour, as 20ms, but found '20'"
};

struct Scenario {
  std::unique_ptr<Tape> tape;
  std::vector<Expectation> expectations;
  std::optional<Mistake> mistake;  // the first; nothing after it was played
};

Scenario play(std::string_view text, const Limits& limits = {});

}  // namespace slowpath::test::scenario
