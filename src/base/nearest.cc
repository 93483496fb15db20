// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace slowpath {
namespace {

// Of so short a text half the words hold it.
constexpr std::size_t kTellsSomething = 3;
constexpr std::size_t kMostMeant = 4;
// Farther than these many letters, or than this part of what was typed, it would be a guess.
constexpr std::size_t kSlips = 2;
constexpr std::size_t kSlipEvery = 3;

std::vector<std::string_view> words_meant(std::string_view typed,
                                          std::span<const std::string_view> words) {
  std::vector<std::string_view> meant;
  if (typed.size() >= kTellsSomething) {
    std::ranges::copy_if(words, std::back_inserter(meant),
                         [&](std::string_view word) { return word.contains(typed); });
  }
  const auto distance = [&](std::string_view word) { return edit_distance(typed, word); };
  std::ranges::stable_sort(meant, {}, distance);
  if (meant.size() > kMostMeant) meant.resize(kMostMeant);
  if (!meant.empty()) return meant;
  const auto found = std::ranges::min_element(words, {}, distance);
  const bool is_near =
      found != words.end() && distance(*found) <= std::max(kSlips, typed.size() / kSlipEvery);
  if (is_near) meant.push_back(*found);
  return meant;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // One row of the table at a time: row[j] is the distance of the letters of `a` so far to the
  // first j letters of `b`.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> words,
                         std::string_view then) {
  const std::vector<std::string_view> meant = words_meant(typed, words);
  if (meant.empty()) return std::string{then};
  std::string text = "did you mean ";
  for (std::size_t i = 0; i < meant.size(); ++i) {
    if (i > 0) text += i + 1 == meant.size() ? " or " : ", ";
    text += fmt::format("'{}'", meant[i]);
  }
  return fmt::format("{}?{}{}", text, then.empty() ? "" : " ", then);
}

}  // namespace slowpath
