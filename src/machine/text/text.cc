// SPDX-License-Identifier: Apache-2.0
// Parts a text at its command lines and where another recogniser's output begins, and gives each
// part to the one that knows it.
#include "machine/text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine {
namespace {

using namespace text;

const Recogniser* recogniser_of(const Output& rest) {
  for (const Recogniser* each : all_recognisers()) {
    if (each->recognises(rest)) return each;
  }
  return nullptr;
}

/// The first text of a platform decides; a text of another one is told, since facts of two hosts
/// in one record would be judged wrongly.
void note_platform(std::optional<Platform> platform, Notes& notes) {
  MachineFacts& facts = notes.facts();
  if (!platform || platform == facts.platform) return;
  if (!facts.platform) {
    facts.platform = platform;
    return;
  }
  const std::string what = "texts of " + std::string(to_string(*platform));
  const auto told = std::ranges::find(facts.unread, what, &Unread::what);
  if (told == facts.unread.end()) {
    notes.unread(what,
                 "they are among texts of " + std::string(to_string(*facts.platform)) +
                     ", but one host has one system; give the texts of each host apart",
                 {});
  }
}

/// What was pasted under an indented prompt is indented as much: it loses that.
void dedent(std::span<Line> lines, std::size_t indent) {
  for (Line& line : lines) {
    const std::size_t blanks = std::min(line.text.find_first_not_of(' '), line.text.size());
    line.text.remove_prefix(std::min(indent, blanks));
  }
}

/// The lines between two command lines.
void read_block(const Output& block, Notes& notes) {
  const Lines lines = block.lines;
  const Recogniser* current = nullptr;
  std::size_t begin = 0;
  const auto finish = [&](std::size_t end) {
    const Output output{lines.subspan(begin, end - begin), block.command};
    if (current != nullptr) {
      note_platform(current->platform, notes);
      current->read(output, notes);
    } else {
      for (const Line& line : output.lines) notes.not_understood(line);
    }
    begin = end;
  };
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (lines[at].text.empty()) continue;
    const Recogniser* found =
        recogniser_of({lines.subspan(at), block.command, words_of(lines[at].text)});
    if (found == nullptr || found == current) continue;
    finish(at);
    current = found;
  }
  finish(lines.size());
}

}  // namespace

void read_text(std::string_view name, std::string_view content, MachineFacts& facts) {
  const std::string decoded = to_utf8(content);
  std::vector<Line> lines = split_lines(decoded);
  Notes notes(name, facts);
  Command command;
  std::size_t begin = 0, indent = 0;
  for (std::size_t at = 0; at <= lines.size(); ++at) {
    std::optional<PromptLine> prompt;
    if (at < lines.size() && !(prompt = prompt_line_of(lines[at].text))) continue;
    dedent(std::span(lines).subspan(begin, at - begin), indent);
    read_block({Lines(lines).subspan(begin, at - begin), command}, notes);
    begin = at + 1;
    if (!prompt) continue;
    if (facts.name.empty()) facts.name = prompt->host;
    command = std::move(prompt->command);
    notes.set_command(command);
    indent = lines[at].text.find_first_not_of(' ');
  }
}

}  // namespace slowpath::machine
