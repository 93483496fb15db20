// SPDX-License-Identifier: Apache-2.0
// Reads this Linux host into MachineFacts, through kernel interfaces: rtnetlink, ethtool,
// sock_diag, sysctl and the files of /proc and /sys. It changes nothing, needs no privilege, and
// judges nothing; what it may not or cannot read is listed in `unread` with the reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "facts/machine.h"

namespace slowpath::machine {

struct LiveOptions {
  /// Zero: one reading. Else what moves is read twice, this far apart, for the rates.
  std::chrono::nanoseconds interval{};
  bool sockets = true;
  /// Sockets beyond these are counted, and named in `unread`.
  std::size_t sockets_max = 50'000;
  /// In front of /proc, /sys and /etc; not empty where another host's files are read in tests.
  std::string file_root;
};

/// Reads the network namespace of the calling thread. Never fails: see MachineFacts::unread.
MachineFacts read_machine(const LiveOptions& options = {});

/// `after` with its rates against `before`, a reading of the same host `interval_s` earlier (more
/// than zero): counter_rates and those of the interfaces hold what moved, cpus the time in between.
/// What ran backwards (a reset, a wrapped counter) or is a state rather than a count has no rate.
MachineFacts rates_between(const MachineFacts& before, MachineFacts after, double interval_s);

}  // namespace slowpath::machine
