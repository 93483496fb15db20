// SPDX-License-Identifier: Apache-2.0
// Everything that is known about one question. Immutable when detectors run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "facts/capture.h"
#include "facts/comparison.h"
#include "facts/connection.h"
#include "facts/machine.h"
#include "facts/path.h"

namespace slowpath {

/// A host of Case::hosts has this address, as the captures show it: one of its interfaces', or told
/// by the user, where the captures show a translated one or the facts name no interface.
struct HostAddress {
  std::size_t host = 0;  // position in Case::hosts
  IpAddress address;
};

struct Case {
  std::vector<CaptureFacts> captures;
  std::vector<ConnectionFacts> connections;   // by id
  std::vector<PathFacts> paths;
  std::uint64_t connections_total = 0;        // with those of which only totals were kept
  std::uint64_t unmatched_icmp_errors = 0;    // about packets of no connection in this capture
  ComparisonFacts comparisons;                // of several capture points; without points nobody asked for it
  std::vector<MachineFacts> hosts;            // whose settings and counters are known
  std::vector<HostAddress> host_addresses;    // of hosts that are an end of some connection
};

}  // namespace slowpath
