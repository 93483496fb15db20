// SPDX-License-Identifier: Apache-2.0
// What a report is made from: the facts, the diagnosis, and how the question was asked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/detector.h"
#include "facts/case.h"
#include "facts/finding.h"
#include "facts/screening.h"

namespace slowpath::report {

/// An input that could not be read, and the sentence that says why.
struct Unreadable {
  std::string file;
  std::string why;
};

/// One answer. Refers to nothing outside itself.
struct Answer {
  Case facts;
  ScreeningFacts screening;               // of a large capture: `facts` has what was then analysed
  Diagnosis diagnosis;
  std::vector<detect::Silence> silences;  // empty unless somebody asked
  std::vector<Unreadable> unreadable;     // beside at least one input that was read
  double elapsed_s = 0;                   // what the looking took
  bool interrupted = false;               // the answer so far, after a signal
};

/// Positions in Case::connections in the order in which to show them: those of the verdict's
/// finding first, then those of other findings by severity and cost, then by bytes.
std::vector<std::size_t> connections_worst_first(const Answer& answer);

/// Verdicts of connections and how many have each, the most first.
std::vector<std::pair<std::string_view, std::size_t>> count_verdicts(const Diagnosis& diagnosis);

}  // namespace slowpath::report
