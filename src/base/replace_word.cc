// SPDX-License-Identifier: Apache-2.0
#include "base/replace_word.h"

namespace slowpath {

bool is_word_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string replace_word(std::string_view text, std::string_view word, std::string_view value) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at + word.size();
    const bool is_alone = text.substr(at).starts_with(word) &&
                          (at == 0 || !is_word_char(text[at - 1])) &&
                          (end == text.size() || !is_word_char(text[end]));
    if (is_alone) {
      result += value;
      at = end;
    } else {
      result += text[at++];
    }
  }
  return result;
}

}  // namespace slowpath
