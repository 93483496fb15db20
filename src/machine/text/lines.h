// SPDX-License-Identifier: Apache-2.0
// Bytes of a file to lines of UTF-8: byte order marks, UTF-16, the code pages of Windows consoles,
// terminal colours, any line end. Nothing is refused: what has no meaning becomes U+FFFD or goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slowpath::machine::text {

/// One line without its end and without blanks at its end; valid while the text it was cut from is.
struct Line {
  std::string_view text;
  std::uint32_t number = 0;  // from 1
};
using Lines = std::span<const Line>;

/// UTF-8 of `bytes`. UTF-16 is known by its mark, or by every second byte being zero. Bytes that
/// are no UTF-8 are taken as Windows-1252 where letters of that page prevail, else as code page
/// 850, which has the letters of 437. NUL, backspaces and escape sequences of terminals are
/// removed, and blanks that must not break become blanks.
std::string to_utf8(std::string_view bytes);

/// Cut at LF, CR LF or CR.
std::vector<Line> split_lines(std::string_view text);

}  // namespace slowpath::machine::text
