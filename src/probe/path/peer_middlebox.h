// SPDX-License-Identifier: Apache-2.0
// A handshake with the far end, looked at from both ends.
#pragma once

#include "facts/path_test.h"
#include "probe/path/path_peer.h"

namespace slowpath::probe {

/// Where packets may be looked at (cap_net_raw), the real headers; otherwise what the kernels know:
/// the SYN as it came is always real (TCP_SAVED_SYN).
MiddleboxTest test_middlebox(PathPeer& peer);

}  // namespace slowpath::probe
