// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/result.h"

namespace slowpath::cli {
namespace {

constexpr int kNarrowest = 80;
constexpr int kWidest = 120;
constexpr int kWidthWithoutTerminal = 100;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

int columns_of_terminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string_view text = environment("COLUMNS");
  int columns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
  if (error == std::errc{} && end == text.data() + text.size() && columns > 0) return columns;
  return kWidthWithoutTerminal;
}

}  // namespace

ExitCode write_answer(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  // Whoever ignores SIGPIPE for us, as some parents do, makes the write fail instead.
  if (written || errno == EPIPE) return ExitCode::answered;
  return complain(Error{ErrorKind::environment,
                        "cannot write the answer to standard output",
                        std::strerror(errno),
                        {}});
}

void complain(std::string_view text) { fmt::print(stderr, "slowpath: {}\n", text); }

ExitCode complain(const Error& error) {
  complain(error.message());
  return exit_code(error.kind);
}

bool color_wanted(ColorMode mode) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  return isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
         environment("TERM") != "dumb";
}

bool locale_is_utf8() {
  // The first that is set and not empty decides (POSIX, section 8.2).
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value{environment(name)};
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

int output_width() { return std::clamp(columns_of_terminal(), kNarrowest, kWidest); }

}  // namespace slowpath::cli
