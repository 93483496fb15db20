// SPDX-License-Identifier: Apache-2.0
// Full segments over TCP, each alone in flight, then bursts of several: what a path does to large
// sends that the NIC or nobody cuts.
#pragma once

#include "facts/path_test.h"

namespace slowpath::probe {

/// Sends on a connected socket whose peer reads and drops everything. Takes at most about 15 s.
SegmentTest test_segments(int socket, Direction direction);

}  // namespace slowpath::probe
