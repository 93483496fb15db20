// SPDX-License-Identifier: Apache-2.0
// What keeps the books of a bucket may be a queue as deep: it shows as delay, or by when it is
// full.
#pragma once

#include <string>
#include <vector>

#include "detect/policing.h"

namespace slowpath::detect {

/// How far round trips had grown when packets were lost, at the median of all losses.
double rise_before_losses_s(const std::vector<Transfer>& transfers);

/// Losses come when round trips are at their longest, however little that is.
bool come_when_full(const std::vector<Transfer>& transfers);

/// Why the losses may be those of a queue. Empty if nothing queues.
std::string why_a_queue(const Policing& judged);

}  // namespace slowpath::detect
