// SPDX-License-Identifier: Apache-2.0
// Finds the words that somebody may have meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace slowpath {

/// Letters to insert, delete or replace to make `b` of `a` (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "did you mean 'mtu-needlessly-small'?": the words that hold what was typed, the nearest four of
/// them by letters, else the nearest of all. Then what `then` says, which is all where no word is
/// so near that it would not mislead.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words,
                         std::string_view then = {});

}  // namespace slowpath
