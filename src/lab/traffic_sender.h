// SPDX-License-Identifier: Apache-2.0
// An application that sends a stream: as fast as it can, paced, with pauses, or short of CPU.
#pragma once

#include <string>

#include "lab/pattern.h"
#include "lab/traffic_control.h"

namespace slowpath::lab {

/// What came of sending.
struct Sent {
  std::uint64_t bytes = 0;
  bool all = false;   // everything asked for
  std::string error;  // empty: all of it, or the limit came
};

/// Writes pattern bytes from `offset` on to a connected socket until `bytes` are taken (0: no end)
/// or the limit comes. `direction` is for its progress in the shared memory.
Sent send_stream(int socket, const TransferEnd& end, int direction, const Pattern& pattern);

/// Writes exactly `length` bytes of the pattern from `offset` on: a request or a response.
Sent send_exactly(int socket, const TransferEnd& end, const Pattern& pattern, std::uint64_t offset,
                  std::uint64_t length);

/// At the limit: sends no more, waits (for at most half a second) for what is under way and (for at
/// most two) until the receiver reads no more, and says that it is gone.
void leave_quietly(int socket, TransferEnd& end, int direction);

}  // namespace slowpath::lab
