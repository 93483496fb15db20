// SPDX-License-Identifier: Apache-2.0
// Round trips collected and summed up.
#pragma once

#include <span>

#include "facts/path_test.h"

namespace slowpath::probe {

/// Quantiles of `seconds` (in the order in which they were measured), of `sent` attempts.
RoundTrips summarise(std::span<const double> seconds, std::uint32_t sent);

/// The value below which `share` of the sorted values lie, interpolated; 0 without any.
double quantile(std::span<const double> sorted, double share);

}  // namespace slowpath::probe
