// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/words.h"

#include <cstddef>

namespace slowpath::machine::firewall {
namespace {

constexpr std::size_t kMaxWords = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The end of a quoted text that begins at `at`; a backslash keeps the next character.
std::size_t end_of_quote(std::string_view line, std::size_t at) {
  for (std::size_t end = at + 1; end < line.size(); ++end) {
    if (line[end] == '\\') {
      ++end;
    } else if (line[end] == '"') {
      return end + 1;
    }
  }
  return line.size();
}

}  // namespace

std::vector<std::string_view> rule_words(std::string_view line, bool braces, bool& cut) {
  std::vector<std::string_view> words;
  const auto is_mark = [braces](char c) { return braces && (c == '{' || c == '}' || c == ','); };
  cut = false;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    if (words.size() == kMaxWords) {
      cut = true;
      break;
    }
    std::size_t end = at;
    if (is_mark(line[at])) {
      end = at + 1;
    } else {
      while (end < line.size() && !is_blank(line[end]) && !is_mark(line[end]))
        end = line[end] == '"' ? end_of_quote(line, end) : end + 1;
    }
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string_view unquoted(std::string_view word) {
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"')
    return word.substr(1, word.size() - 2);
  return word;
}

}  // namespace slowpath::machine::firewall
