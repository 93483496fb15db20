// SPDX-License-Identifier: Apache-2.0
#include "report/table.h"

#include <algorithm>

#include "base/assert.h"
#include "report/layout.h"

namespace slowpath::report {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowestLast = 20;

std::string padded(const std::string& text, std::size_t columns, Align align) {
  const std::size_t width = display_width(text);
  const std::string blanks(width < columns ? columns - width : 0, ' ');
  return align == Align::left ? text + blanks : blanks + text;
}

/// Breaks at blanks, but not at those that must not be.
std::vector<std::string> folded(const std::string& text, std::size_t room) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (display_width(line) + 1 + display_width(word) <= room) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
    begin = end + 1;
  }
  return lines;
}

std::string with_plain_blanks(std::string text) {
  for (std::size_t at = 0; (at = text.find(kNoBreak, at)) != std::string::npos;) {
    text.replace(at, kNoBreak.size(), " ");
  }
  return text;
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::string Table::text(std::size_t width, std::size_t indent) const {
  const std::size_t count = columns_.size();
  SLOWPATH_ASSERT(count > 0);
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.head));
  for (const auto& cells : rows_) {
    SLOWPATH_ASSERT(cells.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  }
  std::size_t used = indent;
  for (std::size_t i = 0; i + 1 < count; ++i) used += widths[i] + kGap;
  const std::size_t room = std::max(kNarrowestLast, width > used ? width - used : 0);
  widths.back() = std::min(widths.back(), room);

  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    const std::vector<std::string> last = folded(cells.back(), room);
    std::string line(indent, ' ');
    for (std::size_t i = 0; i + 1 < count; ++i) {
      line += padded(cells[i], widths[i], columns_[i].align) + std::string(kGap, ' ');
    }
    line += padded(last.front(), widths.back(), columns_.back().align);
    trim_end(line);
    text += line + "\n";
    for (std::size_t i = 1; i < last.size(); ++i) text += std::string(used, ' ') + last[i] + "\n";
  };
  std::vector<std::string> heads;
  for (const Column& column : columns_) heads.push_back(column.head);
  add(heads);
  for (const auto& cells : rows_) add(cells);
  return with_plain_blanks(std::move(text));
}

std::string Table::markdown() const {
  std::string head = "|";
  std::string rule = "|";
  for (const Column& column : columns_) {
    head += " " + column.head + " |";
    rule += column.align == Align::left ? "---|" : "---:|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const auto& cells : rows_) {
    text += "|";
    for (const std::string& cell : cells) text += " " + cell + " |";
    text += "\n";
  }
  return with_plain_blanks(std::move(text));
}

}  // namespace slowpath::report
