// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a request to stop looking and to give the answer so far.
#pragma once

#include <atomic>

#include "cli/exit_code.h"

namespace slowpath::cli {

/// From now on the first SIGINT or SIGTERM is only noted; a second one ends the program as usual.
void note_stop_signals();

/// True once one has come. Static lifetime; for loops and for whoever waits for input.
const std::atomic<bool>& stop_requested();

/// 130 or 143 by the signal that came; `answered` without one.
ExitCode exit_code_of_signal();

}  // namespace slowpath::cli
