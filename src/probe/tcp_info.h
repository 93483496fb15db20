// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a socket at this moment: TCP_INFO, buffers, addresses.
#pragma once

#include <optional>

#include "facts/machine.h"

namespace slowpath::probe {

/// Asks the kernel. Amounts and times are those since the connection began; after(), below, makes
/// them those of an interval. None if `socket` is no TCP socket.
std::optional<SocketFacts> read_socket(int socket);

/// `end` with everything that counts (bytes, segments, retransmissions, busy and limited times)
/// reduced by what had been counted at `begin`. Levels (round trips, windows, rates) stay.
SocketFacts after(const SocketFacts& begin, SocketFacts end);

}  // namespace slowpath::probe
