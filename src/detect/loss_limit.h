// SPDX-License-Identifier: Apache-2.0
// Whether the losses of a direction may be what held its rate, before anybody says what lost them:
// by their number, by the loss model, and by what the sender had reached without them.
#pragma once

#include "facts/direction.h"

namespace slowpath::detect {

/// More than an accident, and the rate is no more than such losses leave (Mathis, CUBIC: RFC 9438).
bool losses_limit(const DirectionFacts& data);

}  // namespace slowpath::detect
