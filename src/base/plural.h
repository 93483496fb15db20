// SPDX-License-Identifier: Apache-2.0
// Numbers of things, in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace slowpath {

/// "1 packet", "5 packets": of nouns that take an s.
inline std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace slowpath
