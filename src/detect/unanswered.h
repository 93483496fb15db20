// SPDX-License-Identifier: Apache-2.0
// A flood of connection attempts that came to nothing: addresses that do not exist, a scan, a
// server that gave up. It carries no bytes and takes nobody's time, so nothing else weighs it; but
// a capture that is mostly that is not called healthy.
#pragma once

#include <optional>

#include "detect/synthesis_steps.h"
#include "facts/screening.h"

namespace slowpath::detect {

/// Most of the attempts to connect, many and fast after one another, found no answer or were never
/// completed. A few beside others are the noise of every network.
std::optional<Doubt> doubt_about_attempts(const Case& facts);

/// Of a screened capture: how many connections show an attempt that was repeated, unanswered or
/// refused and were not analysed, where these are such a flood; else 0.
std::uint64_t flood_left(const Case& facts, const ScreeningFacts& screening);

}  // namespace slowpath::detect
