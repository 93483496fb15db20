// SPDX-License-Identifier: Apache-2.0
// The part of the path MTU test that the far end makes possible: each way apart, fragments counted
// where they arrive, and TCP segments alone and in bursts.
#pragma once

#include "facts/path_test.h"
#include "probe/path/path_mtu.h"
#include "probe/path/path_peer.h"

namespace slowpath::probe {

/// Adds to `test`, whose interface MTU is known.
void test_peer_mtu(PathPeer& peer, const PathMtuOptions& options, PathMtuTest& test);

}  // namespace slowpath::probe
