// SPDX-License-Identifier: Apache-2.0
// Which release an installed driver was built for, told by comparing file listings: the installed
// file has the size of one of the files that the package ships for each release.
#pragma once

#include <optional>
#include <string>

#include "facts/machine.h"

namespace slowpath::detect {

struct DriverBuild {
  std::string module;               // "vmxnet3s"
  std::string installed, shipped;   // the lines of the listings
  std::string built_for, expected;  // releases: "10", "11"
};

/// A driver that is the package's build for another release than the host's. Nothing where all fits
/// or the listings do not tell. `is_told` becomes true where an installed file was recognised.
std::optional<DriverBuild> foreign_driver(const MachineFacts& facts, bool& is_told);

}  // namespace slowpath::detect
