// SPDX-License-Identifier: Apache-2.0
// Lays out text for a terminal: a column of labels, wrapped text with a hanging indent, colour, and
// plain ASCII where the locale has nothing better. Knows nothing of what the text says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slowpath::report {

struct Style {
  std::size_t width = 100;
  bool color = false;
  bool utf8 = true;
};

enum class Tone { plain, bold, good, bad, doubtful, faint };

/// A blank at which no line is broken; shown as a blank.
inline constexpr std::string_view kNoBreak = "\u00a0";

/// Columns that UTF-8 text takes: one for each code point. Bytes that are no UTF-8 count one each.
std::size_t display_width(std::string_view text);

/// Text that is safe to show: control characters, which could steer a terminal, become '?'; without
/// UTF-8 arrows and the like are spelt in ASCII.
std::string printable(std::string_view text, bool utf8);

/// Collects lines. Text is made printable on its way in.
class Page {
 public:
  explicit Page(Style style) : style_(style) {}

  /// LABEL, then the text in the second column, wrapped there. An empty label continues the entry
  /// above.
  void entry(std::string_view label, std::string_view text, Tone tone = Tone::plain);
  /// As entry(), with `right` at the right margin of the first line.
  void entry_with_margin(std::string_view label, std::string_view text, std::string_view right,
                         Tone tone);
  /// HEAD, three blanks, the text; continued at the second column.
  void heading(std::string_view head, std::string_view text);
  /// An empty line, unless there is one already or nothing stands above.
  void gap();

  [[nodiscard]] const Style& style() const { return style_; }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  [[nodiscard]] std::string toned(std::string_view text, Tone tone) const;

  Style style_;
  std::string text_;
};

}  // namespace slowpath::report
