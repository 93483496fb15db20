// SPDX-License-Identifier: Apache-2.0
// What a test cost this host: the time of each processor, and of the thread that runs it. A server
// that serves several clients at once has a thread for each, so none is charged for the others.
#pragma once

#include <vector>

#include "facts/machine.h"

namespace slowpath::probe {

/// A look at the counters, to be reduced by an earlier one.
struct CpuSnapshot {
  double at_s = 0;        // steady clock
  double own_user_s = 0;  // of the calling thread (getrusage, RUSAGE_THREAD)
  double own_system_s = 0;
  std::vector<CpuFacts> cpus;  // since boot; empty where /proc/stat cannot be read
};
/// Both looks must be taken by the same thread.
CpuSnapshot read_cpu();

/// Between two looks: seconds of each processor, seconds of this thread, and the time between.
struct CpuUse {
  double elapsed_s = 0;
  double own_user_s = 0, own_system_s = 0;
  std::vector<CpuFacts> cpus;
};
CpuUse between(const CpuSnapshot& begin, const CpuSnapshot& end);

/// Share of its time that this processor did not idle, steal included; 0 where nothing is known.
double busy_share(const CpuFacts& cpu);

}  // namespace slowpath::probe
