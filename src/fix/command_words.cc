// SPDX-License-Identifier: Apache-2.0
#include "fix/command_words.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace slowpath::fix {

CommandWords command_words(std::string_view command) {
  std::string_view said = command.substr(0, command.find_first_of(",;"));
  if (const std::size_t note = said.find(" ("); note != std::string_view::npos)
    said = said.substr(0, note);
  CommandWords words;
  std::string word;
  char quote = 0;
  for (const char c : said) {
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == ' ' && quote == 0) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

bool begins_with(const CommandWords& words, std::initializer_list<std::string_view> expected) {
  return words.size() >= expected.size() &&
         std::equal(expected.begin(), expected.end(), words.begin());
}

std::unexpected<Error> not_ours(std::string_view command, std::string cause) {
  return fail(ErrorKind::usage, fmt::format("cannot take the step '{}'", command), std::move(cause),
              "it can be 'ethtool -K|-G|-L|-X|-s', 'ip link set dev', 'ip route change', 'tc qdisc "
              "replace|change dev DEV root KIND', 'sysctl -w', "
              "the nft command that clamps the MSS, or KNOB=VALUE as in slowpath(1)");
}

}  // namespace slowpath::fix
