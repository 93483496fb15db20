// SPDX-License-Identifier: Apache-2.0
// Everything that is known about one question. Immutable when detectors run.
#pragma once

#include <cstdint>
#include <vector>

#include "facts/capture.h"
#include "facts/comparison.h"
#include "facts/connection.h"
#include "facts/path.h"

namespace slowpath {

struct Case {
  std::vector<CaptureFacts> captures;
  std::vector<ConnectionFacts> connections;   // by id
  std::vector<PathFacts> paths;
  std::uint64_t connections_total = 0;        // with those of which only totals were kept
  std::uint64_t unmatched_icmp_errors = 0;    // about packets of no connection in this capture
  ComparisonFacts comparisons;                // of several capture points; without points nobody asked for it
};

}  // namespace slowpath
