// SPDX-License-Identifier: Apache-2.0
// Placeholders in commands: words in capitals.
#pragma once

#include <string>
#include <string_view>

namespace slowpath {

/// ASCII letters, digits, '_' and '-'.
bool is_word_char(char c);

/// `text` with `value` wherever `word` stands alone, without a word character beside it. `word` is
/// not empty.
std::string replace_word(std::string_view text, std::string_view word, std::string_view value);

}  // namespace slowpath
