// SPDX-License-Identifier: Apache-2.0
// What differs between two readings of a host: settings, not counters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "facts/inspection.h"

namespace slowpath {

/// One value that was told both times, or one thing that came or went.
struct HostChange {
  std::string what;           // "net.ipv4.tcp_sack", "eth0 rx-gro", "route default metric 100"
  std::string before, after;  // empty: it was not there
  friend bool operator==(const HostChange&, const HostChange&) = default;
};

/// A finding that one reading has and the other has not, or has with another severity.
struct FindingChange {
  HostFinding finding;  // as it is now; as it was where it has gone
  std::string before;   // its severity then; empty: there was none
  std::string after;    // its severity now; empty: there is none
};

struct HostChanges {
  std::vector<HostChange> values;       // by what they are of
  std::vector<FindingChange> findings;  // new ones first
  std::size_t unjudged = 0;  // findings of one that the other could not judge: neither new nor gone
  std::size_t compared = 0;  // values that both told
  std::size_t only_before = 0, only_after = 0;  // values that one alone told: nothing follows
};

}  // namespace slowpath
