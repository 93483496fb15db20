// SPDX-License-Identifier: Apache-2.0
// Finds the word that somebody may have meant.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace slowpath {

/// Letters to insert, delete or replace to make `b` of `a` (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the smallest edit distance, the first of equals; empty without candidates.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace slowpath
