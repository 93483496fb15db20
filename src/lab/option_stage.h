// SPDX-License-Identifier: Apache-2.0
// Boxes that "normalise" TCP options: what the strip and rewrite kinds have in common.
#pragma once

#include <cstdint>
#include <string_view>

#include "lab/stage.h"

namespace slowpath::lab {

/// Which segments can carry the option.
enum class OptionCarrier : std::uint8_t { syn_segments, all_segments };

/// Overwrites the option with NOPs, as firewalls do, wherever the predicate lets it. `what` is the
/// event. Errors: usage.
Result<StagePair> make_option_strip(Settings& settings, std::uint8_t kind, OptionCarrier carrier,
                                    std::string_view what);

/// Sets the option's value of `value_len` bytes in SYN and SYN-ACK; with `only_lower`, only where
/// it is larger. Errors: usage.
Result<StagePair> make_option_rewrite(Settings& settings, std::uint8_t kind, std::uint8_t value_len,
                                      std::uint32_t value, bool only_lower, std::string_view what);

}  // namespace slowpath::lab
