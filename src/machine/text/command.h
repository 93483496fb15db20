// SPDX-License-Identifier: Apache-2.0
// Command lines that stand between outputs: after a prompt, as a header that a script echoed, or
// bare. They part one output from the next and name what the output itself does not (an interface,
// a variable).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slowpath::machine::text {

/// A command as it was typed; sudo and the program's folder are left out.
struct Command {
  std::vector<std::string> words;  // words[0] is the program, in lower case, without ".exe"

  [[nodiscard]] std::string_view program() const;
  [[nodiscard]] bool has(std::string_view word) const;
  /// The word after `option` ("-I" -> "eth0"), or empty.
  [[nodiscard]] std::string_view after(std::string_view option) const;
  /// The last word that is no option, apart from the program; empty without one.
  [[nodiscard]] std::string_view last_argument() const;
};

/// A line that belongs to the session, not to an output.
struct PromptLine {
  Command command;   // without words where the prompt stands alone
  std::string host;  // that the prompt names, or empty
};

/// Nothing where the line is output.
std::optional<PromptLine> prompt_line_of(std::string_view line);

}  // namespace slowpath::machine::text
