// SPDX-License-Identifier: Apache-2.0
#include "report/layout.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace slowpath::report {
namespace {

constexpr std::size_t kLabelColumns = 10;
constexpr std::size_t kHeadingGap = 3;

/// Every sign beyond ASCII that our own texts use.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kAscii{{
    {kNoBreak, kNoBreak},  // taken out once the line is broken
    {"→", "->"},
    {"←", "<-"},
    {"↔", "<->"},
    {"…", "..."},
    {"µ", "u"},
    {"×", "x"},
    {"·", "."},
    {"≥", ">="},
    {"≤", "<="},
    {"≈", "~"},
    {"–", "-"},
    {"±", "+-"},
}};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Length of the UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  const std::string_view rest = text.substr(1, length - 1);
  return std::ranges::all_of(rest, is_continuation) ? length : 0;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  // U+0080 to U+009F steer terminals as well.
  return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

std::string_view in_ascii(std::string_view sequence) {
  const auto* const found =
      std::ranges::find(kAscii, sequence, &decltype(kAscii)::value_type::first);
  return found == kAscii.end() ? "?" : found->second;
}

std::string with_plain_blanks(std::string line) {
  for (std::size_t at = 0; (at = line.find(kNoBreak, at)) != std::string::npos;) {
    line.replace(at, kNoBreak.size(), " ");
  }
  return line;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// A unit, or the next three digits of a number: what belongs to the number before it.
bool belongs_to_number(std::string_view word) {
  constexpr std::array<std::string_view, 17> kUnits{
      "%",   "s",   "ms",  "µs",  "us",    "ns",     "min",    "h",     "B",
      "KiB", "MiB", "GiB", "TiB", "bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
  while (!word.empty() && std::string_view{".,:;)"}.contains(word.back())) word.remove_suffix(1);
  return std::ranges::find(kUnits, word) != kUnits.end() ||
         (word.size() == 3 && std::ranges::all_of(word, is_digit));
}

/// Where the first thing of `text` that is not to be broken ends: a word, or a number with its
/// unit.
std::size_t unbroken_end(std::string_view text) {
  std::size_t end = std::min(text.find(' '), text.size());
  while (end > 0 && end + 1 < text.size() && is_digit(text[end - 1])) {
    const std::size_t next = std::min(text.find(' ', end + 1), text.size());
    if (!belongs_to_number(text.substr(end + 1, next - end - 1))) break;
    end = next;
  }
  return end;
}

/// Breaks at blanks into lines of at most `first` and then `rest` columns. A word longer than a
/// line stays whole: commands and filters are there to be copied.
std::vector<std::string> wrapped(std::string_view text, std::size_t first, std::size_t rest) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = blanks + unbroken_end(text.substr(blanks));
    const std::string_view word = text.substr(blanks, end - blanks);
    const std::size_t room = lines.size() == 1 ? first : rest;
    const bool fits = display_width(lines.back()) + blanks + display_width(word) <= room;
    if (fits || lines.back().empty()) {
      lines.back().append(lines.back().empty() ? std::string_view{} : text.substr(0, blanks));
      lines.back().append(word);
    } else if (!word.empty()) {
      lines.emplace_back(word);
    }
    text.remove_prefix(end);
  }
  for (std::string& line : lines) line = with_plain_blanks(std::move(line));
  return lines;
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return std::string{text} + std::string(width < columns ? columns - width : 0, ' ');
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(sequence_length(text), 1));
    ++columns;
  }
  return columns;
}

std::string printable(std::string_view text, bool utf8) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    if (length == 0 || is_control(sequence)) {
      shown += '?';
    } else {
      shown += length == 1 || utf8 ? sequence : in_ascii(sequence);
    }
  }
  return shown;
}

std::string Page::toned(std::string_view text, Tone tone) const {
  constexpr std::array<std::string_view, 6> kCodes{"", "1", "1;32", "1;31", "1;33", "2"};
  const std::string_view code = kCodes[static_cast<std::size_t>(tone)];
  if (!style_.color || code.empty()) return std::string{text};
  std::string result = "\x1b[";
  return result.append(code).append("m").append(text).append("\x1b[0m");
}

void Page::entry(std::string_view label, std::string_view text, Tone tone) {
  entry_with_margin(label, text, {}, tone);
}

void Page::entry_with_margin(std::string_view label, std::string_view text, std::string_view right,
                             Tone tone) {
  const std::size_t room = style_.width - kLabelColumns;
  const std::size_t margin = right.empty() ? 0 : display_width(right) + 1;
  const std::vector<std::string> lines = wrapped(printable(text, style_.utf8), room - margin, room);
  // The tone of a label is its entry's; ordinary labels step back behind what they label.
  text_ += toned(padded(label, kLabelColumns), tone == Tone::plain ? Tone::faint : tone);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text_.append(kLabelColumns, ' ');
    text_ += toned(lines[i], tone);
    if (i == 0 && margin > 0) {
      const std::size_t used = display_width(lines[i]) + display_width(right);
      text_.append(used < room ? room - used : 1, ' ').append(right);
    }
    text_ += '\n';
  }
}

void Page::heading(std::string_view head, std::string_view text) {
  const std::string shown = printable(head, style_.utf8);
  const std::size_t used = display_width(shown) + kHeadingGap;
  text_ += toned(shown, Tone::bold);
  if (!text.empty()) {
    // A long file name leaves no room beside it: the text then starts on a line of its own.
    const bool beside = used + style_.width / 3 <= style_.width;
    text_ += beside ? std::string(kHeadingGap, ' ') : "\n" + std::string(kLabelColumns, ' ');
    const std::size_t room = style_.width - kLabelColumns;
    const std::vector<std::string> lines =
        wrapped(printable(text, style_.utf8), beside ? style_.width - used : room, room);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      text_ += (i > 0 ? "\n" + std::string(kLabelColumns, ' ') : std::string{}) + lines[i];
    }
  }
  text_ += '\n';
}

void Page::gap() {
  if (!text_.empty() && !text_.ends_with("\n\n")) text_ += '\n';
}

}  // namespace slowpath::report
