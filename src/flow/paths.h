// SPDX-License-Identifier: Apache-2.0
// What the connections of a host pair share.
#pragma once

#include "facts/case.h"

namespace slowpath::flow {

/// Groups connections by host pair and finds silences that hit all of a pair's connections at once.
void gather_paths(Case& facts);

}  // namespace slowpath::flow
