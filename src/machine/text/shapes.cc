// SPDX-License-Identifier: Apache-2.0
#include "machine/text/shapes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kMaxWords = 256;

bool is_blank(char each) { return kBlanks.contains(each); }

char lower_char(char each) {
  return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

bool is_alnum(char each) {
  const char small = lower_char(each);
  return (small >= 'a' && small <= 'z') || (each >= '0' && each <= '9');
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower_char);
  return out;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower_char, lower_char);
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower_char, lower_char).empty();
}

Words words_of(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (words.size() < kMaxWords) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at >= text.size()) break;
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

std::string_view word_after(const Words& words, std::string_view key) {
  const auto found = std::ranges::find(words, key);
  return found == words.end() || found + 1 == words.end() ? std::string_view{} : *(found + 1);
}

std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  if (from == std::string_view::npos) return {};
  text.remove_prefix(from + begin.size());
  return text.substr(0, text.find(end));
}

std::optional<Pair> pair_of(std::string_view line, char mark) {
  const std::string parted = {' ', mark, ' '};
  std::size_t at = line.find(parted);
  if (at != std::string_view::npos) {
    ++at;
  } else {
    at = line.find(mark);
  }
  if (at == std::string_view::npos) return std::nullopt;
  const Pair pair{trim(line.substr(0, at)), trim(line.substr(at + 1))};
  if (pair.key.empty()) return std::nullopt;
  return pair;
}

std::string kebab(std::string_view name) {
  std::string out;
  for (const char each : name) {
    if (is_alnum(each)) {
      out.push_back(lower_char(each));
    } else if (!out.empty() && out.back() != '-') {
      out.push_back('-');
    }
  }
  if (out.ends_with('-')) out.pop_back();
  return out;
}

bool is_word_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_rule(std::string_view line) {
  return is_word_of(line, "-= \t_*") && line.find_first_not_of(kBlanks) != std::string_view::npos;
}

std::vector<std::size_t> columns_of_rule(std::string_view rule) {
  return columns_of_header(rule, 1);
}

std::vector<std::size_t> columns_of_header(std::string_view header, std::size_t gap) {
  std::vector<std::size_t> columns;
  std::size_t blanks = gap;
  std::size_t character = 0;
  for (const char each : header) {
    if ((static_cast<unsigned char>(each) & 0xC0) == 0x80) continue;  // inside a UTF-8 character
    if (is_blank(each)) {
      ++blanks;
    } else {
      if (blanks >= gap) columns.push_back(character);
      blanks = 0;
    }
    ++character;
  }
  return columns;
}

std::vector<std::string_view> cells_of(std::string_view line,
                                       const std::vector<std::size_t>& columns) {
  std::vector<std::size_t> begins;
  std::size_t character = 0;
  for (std::size_t at = 0; at < line.size() && begins.size() < columns.size(); ++at) {
    if ((static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) continue;
    if (character == columns[begins.size()]) begins.push_back(at);
    ++character;
  }
  begins.resize(columns.size(), line.size());
  // A right-aligned value may begin before its header: a word is never cut in two.
  for (std::size_t column = 1; column < begins.size(); ++column) {
    std::size_t& begin = begins[column];
    while (begin > begins[column - 1] && begin < line.size() && !is_blank(line[begin]) &&
           !is_blank(line[begin - 1])) {
      --begin;
    }
  }
  std::vector<std::string_view> cells;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const std::size_t end = column + 1 < columns.size() ? begins[column + 1] : line.size();
    cells.push_back(trim(line.substr(begins[column], end - begins[column])));
  }
  return cells;
}

}  // namespace slowpath::machine::text
