// SPDX-License-Identifier: Apache-2.0
// Numbers of things, in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace slowpath {

/// "1 packet", "5 packets", "2 losses": of nouns that take an s, or es behind one.
inline std::string counted(std::uint64_t count, std::string_view noun) {
  const std::string_view ending = count == 1 ? "" : noun.ends_with('s') ? "es" : "s";
  return fmt::format("{} {}{}", count, noun, ending);
}

}  // namespace slowpath
