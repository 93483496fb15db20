// SPDX-License-Identifier: Apache-2.0
// An assertion that stays on in release builds: an impossible state is our own bug, and a wrong
// verdict would be worse than a crash that says where.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace slowpath {

/// Exit status of a program that found its own bug (DESIGN section 4).
inline constexpr int kExitOwnBug = 70;

[[noreturn]] inline void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "slowpath: internal error: %s does not hold (%s:%d); please report this with the input\n",
               expression, file, line);
#ifdef SLOWPATH_ASSERT_ABORTS  // A fuzzer keeps the input of what aborts.
  std::abort();
#else
  std::_Exit(kExitOwnBug);
#endif
}

}  // namespace slowpath

#define SLOWPATH_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::slowpath::assertion_failed(#expression, __FILE__, __LINE__))
