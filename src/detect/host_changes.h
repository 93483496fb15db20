// SPDX-License-Identifier: Apache-2.0
// Holds two readings of a host against each other: what was set otherwise, and which rules that
// makes speak or fall silent.
#pragma once

#include "facts/host_changes.h"
#include "facts/inspection.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// One reading with what the rules say of it. Valid as long as both.
struct HostReading {
  const MachineFacts& facts;
  const Inspection& inspection;
};

/// Values that only one of them told are counted, not called changed: another command may have been
/// run. Interfaces, routes (by family and table) and packages come and go where both lists were
/// read.
HostChanges changes_between(const HostReading& before, const HostReading& after);

}  // namespace slowpath::detect
