// SPDX-License-Identifier: Apache-2.0
#include "cli/iperf3/password.h"

#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include <fmt/format.h>

namespace slowpath::cli::iperf3 {
namespace {

/// The terminal does not show what is typed while this lives.
class Hidden {
 public:
  Hidden() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_hidden_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
  }
  ~Hidden() {
    if (is_hidden_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  bool is_hidden_ = false;
};

}  // namespace

Result<std::string> find_password(const std::string& user) {
  if (const char* given = std::getenv("IPERF3_PASSWORD"); given != nullptr) return given;
  if (isatty(STDIN_FILENO) == 0)
    return fail(ErrorKind::usage, fmt::format("cannot log in as {}", user), "there is no password",
                "put it into $IPERF3_PASSWORD");
  std::cerr << "password of " << user << ": " << std::flush;
  std::string password;
  {
    const Hidden hidden;
    std::getline(std::cin, password);
  }
  std::cerr << '\n';
  return password;
}

}  // namespace slowpath::cli::iperf3
