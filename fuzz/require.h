// SPDX-License-Identifier: Apache-2.0
// How a fuzz target says that something must hold: libFuzzer keeps the input of a program that
// aborts.
#pragma once

#include <cstdlib>

namespace slowpath::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace slowpath::fuzz
