// SPDX-License-Identifier: Apache-2.0
// The round trips that a transfer's sending sockets told, sorted into quantiles.
#pragma once

#include "facts/test.h"
#include "probe/transfer.h"

namespace slowpath::probe {

/// Of all sending streams together; no samples where nothing was sent over TCP.
TestRtt rtt_of(const TransferOutcome& outcome);

}  // namespace slowpath::probe
