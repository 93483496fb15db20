// SPDX-License-Identifier: Apache-2.0
// Where the material shared between repositories is: captures and references that are not ours to
// commit. Tests that use it are skipped, with their reason, where it is missing.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace slowpath::testing {

/// $SLOWPATH_SHARED, else ../shared beside the sources. Need not exist.
inline std::filesystem::path shared_dir() {
  if (const char* given = std::getenv("SLOWPATH_SHARED")) return given;
  return std::filesystem::path{SLOWPATH_SOURCE_DIR} / ".." / "shared";
}

}  // namespace slowpath::testing
