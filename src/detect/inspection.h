// SPDX-License-Identifier: Apache-2.0
// Asks all rules about a host and makes one answer of what they say.
#pragma once

#include "facts/inspection.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// Rules of other platforms are not asked; all are where the platform is not known.
Inspection inspect_host(const MachineFacts& facts, const PathAim& aim = {});

}  // namespace slowpath::detect
