// SPDX-License-Identifier: Apache-2.0
// Each interface of a capture has its own order of time: a program that listens on two writes what
// one saw after what the other saw later, and no clock stepped back for it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace slowpath::flow {

/// The time of the newest frame of each interface of one input.
class InterfaceTimes {
 public:
  /// Of `interface`; none before its first frame. Valid until the next call.
  std::optional<Time>& of(std::uint32_t interface) {
    const std::size_t i = std::min(interface, kMost - 1);
    if (i >= newest_.size()) newest_.resize(i + 1);
    return newest_[i];
  }

 private:
  // No machine has more. In a forged file the rest shares one.
  static constexpr std::uint32_t kMost = 4096;

  std::vector<std::optional<Time>> newest_;
};

}  // namespace slowpath::flow
