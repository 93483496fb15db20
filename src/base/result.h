// SPDX-License-Identifier: Apache-2.0
// Result and Error: how a function tells its caller that the world did not cooperate.
// Hostile input is not an error: it is counted and survived. Our own bugs are assertions (assert.h).
#pragma once

#include <expected>  // IWYU pragma: export
#include <string>
#include <utility>

namespace slowpath {

/// Whose fault it is; decides the exit code (DESIGN section 4).
enum class ErrorKind {
  usage,        // the command line or an option value
  input,        // a file that cannot be read or is not what it claims
  environment,  // a missing permission, kernel feature or program
  network,      // the peer or the path
};

/// One failed attempt, told so that a tired person can act: what was attempted, on what, what happened, what to do.
struct Error {
  ErrorKind kind = ErrorKind::input;
  std::string attempt;  // "cannot read slow.pcap"
  std::string cause;    // "No such file or directory"
  std::string hint;     // what to do next; empty when nothing helps

  /// The sentence shown to the user: "attempt: cause; hint".
  [[nodiscard]] std::string message() const {
    std::string text = attempt;
    if (!cause.empty()) text += ": " + cause;
    if (!hint.empty()) text += "; " + hint;
    return text;
  }
};

template <typename T>
using Result = std::expected<T, Error>;

/// Shorthand for the failing return of a Result.
inline std::unexpected<Error> fail(ErrorKind kind, std::string attempt, std::string cause = {}, std::string hint = {}) {
  return std::unexpected(Error{kind, std::move(attempt), std::move(cause), std::move(hint)});
}

}  // namespace slowpath
