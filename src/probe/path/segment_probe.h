// SPDX-License-Identifier: Apache-2.0
// Full segments over TCP, each alone in flight, then bursts of several: what a path does to large
// sends that the NIC or nobody cuts.
#pragma once

#include "facts/path_test.h"

namespace slowpath::probe {

/// So many connections: after a loss a connection sends one segment at a time, and its further
/// bursts are none.
inline constexpr std::uint32_t kSegmentConnections = 5;
/// Single segments on the first of them, and on each other one.
inline constexpr std::uint32_t kFirstSingles = 8, kFurtherSingles = 1;

/// So many single segments and then one burst, on a fresh connection whose peer reads and drops
/// everything. Takes at most about 8 s.
SegmentTest test_segments(int socket, Direction direction, std::uint32_t singles);

/// Adds what another connection showed.
void add_segments(SegmentTest& test, const SegmentTest& more);

}  // namespace slowpath::probe
