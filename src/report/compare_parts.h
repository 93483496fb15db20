// SPDX-License-Identifier: Apache-2.0
// What a comparison of capture points says, in sentences: shared by the page of `compare` and that
// of `diagnose --at`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "facts/comparison.h"
#include "report/answer.h"
#include "report/layout.h"

namespace slowpath::report {

/// "server → gw": as packets pass.
std::string stretch_of(const ComparisonFacts& facts, const BetweenFacts& between);

/// A line for what happened between two points, with its label: "lost", "changed" ...
struct Remark {
  std::string label;
  std::string text;
  bool is_bad = false;  // bytes lost or changed
};
std::vector<Remark> remarks_of(const ComparisonFacts& facts, const BetweenFacts& between);

/// "1 093 packets, 1.6 MiB; nothing lost, cut or changed; takes 34 µs ± 12 µs".
std::string summary_of(const ComparisonFacts& facts, const BetweenFacts& between);

/// "the clock at gw is 1.5 s ± 12 µs ahead of that at server, and gains 20 ± 3 ppm".
std::string clock_sentence(const ComparisonFacts& facts, const ClockRelation& relation);

/// "mss 1460 → 536".
std::string rewrite_words(const Rewrite& rewrite);

/// How much there is to tell about a connection: bytes lost and changed first.
std::vector<std::size_t> compared_worst_first(const ComparisonFacts& facts);

/// Points, clocks, and the stretches of at most `most_connections` connections.
void write_comparison(Page& page, const Answer& answer, std::size_t most_connections);

}  // namespace slowpath::report
