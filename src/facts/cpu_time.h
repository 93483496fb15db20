// SPDX-License-Identifier: Apache-2.0
// What the times of a processor sum up to, for whoever wants a share of it. Beside facts/machine.h,
// whose structs only hold.
#pragma once

#include "facts/machine.h"

namespace slowpath {

/// Seconds that are accounted for, busy or not: what a share of one of the times is of.
inline double total_s(const CpuFacts& cpu) {
  return cpu.user_s + cpu.system_s + cpu.softirq_s + cpu.steal_s + cpu.idle_s;
}

}  // namespace slowpath
