// SPDX-License-Identifier: Apache-2.0
// When a capture's clock is good enough for a time that it measured.
#pragma once

namespace slowpath {

/// A time of so many ticks of the clock that measured it, or of so many skews between the clocks of
/// its two ends, is wrong by a quarter at most.
inline constexpr int kTicksThatTell = 4;

}  // namespace slowpath
