// SPDX-License-Identifier: Apache-2.0
// Where text goes: the answer to standard output, everything else to standard error.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cli/exit_code.h"

namespace slowpath::cli {

/// Writes all of `text` to standard output at once. `answered`, or `environment` after a sentence
/// on standard error (a full disk). A pipe whose reader has gone is no error worth a sentence.
ExitCode write_answer(std::string_view text);

/// "slowpath: TEXT" on standard error.
void complain(std::string_view text);

/// Says what went wrong on standard error and gives the exit code that fits.
ExitCode complain(const Error& error);

/// When to colour; NO_COLOR (no-color.org) and TERM=dumb turn `automatic` off.
enum class ColorMode { automatic, always, never };

/// Whether to colour what goes to standard output.
bool color_wanted(ColorMode mode);

/// Whether the locale's character set is UTF-8 (LC_ALL, LC_CTYPE, LANG).
bool locale_is_utf8();

/// Columns of standard output: its terminal's, else $COLUMNS, else 100; always 80 to 120.
int output_width();

}  // namespace slowpath::cli
