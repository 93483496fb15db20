// SPDX-License-Identifier: Apache-2.0
// What `slowpath test` found: as text of one screen, and as `slowpath.test.v1` (schema in docs/).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "facts/finding.h"
#include "facts/path_test.h"
#include "facts/test.h"
#include "report/text.h"

namespace slowpath::report {

/// A direction of an earlier test beside this one's.
struct RateChange {
  std::string flow;                    // "to-server", "both to-client"
  double before_bps = 0, now_bps = 0;  // medians of intervals
  bool beyond_noise = false;           // the 95 % intervals of the medians do not overlap
  bool told = false;                   // enough intervals at both times
};

struct TestAnswer {
  TestFacts facts;
  Diagnosis diagnosis;
  std::string against;  // the file; empty = nothing was compared
  std::vector<RateChange> changes;
  bool interrupted = false;                          // the answer so far, after a signal
  std::optional<PathTestFacts> path = std::nullopt;  // where it was tested, too
  std::string path_unable = {};                      // why not, where it was to be
};

/// "to-server", "to-client", "both to-server"; of a sweep with its label.
std::string name_of(const TestRun& run, const TestFlow& flow);

std::string test_to_text(const TestAnswer& answer, const TextOptions& options);
std::string test_to_json(const TestAnswer& answer);

/// Whether compare_with() could read it. Kind input where not.
Result<void> check_earlier(const std::string& document);
/// Compares with a document that test_to_json() wrote earlier. Kind input where it is none.
Result<std::vector<RateChange>> compare_with(const TestFacts& facts, const std::string& document);

}  // namespace slowpath::report
