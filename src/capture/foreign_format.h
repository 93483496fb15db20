// SPDX-License-Identifier: Apache-2.0
// Files that are no capture we read: what they look like and how to make a capture of them.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace slowpath::capture {

struct ForeignFormat {
  std::string what;  // completes "it looks like ..."
  std::string hint;  // what to do; empty when nothing helps
};

/// Judges by the first bytes alone (kRecogniseLen of them suffice); nothing when they tell nothing.
std::optional<ForeignFormat> recognise_foreign(Bytes head);

}  // namespace slowpath::capture
