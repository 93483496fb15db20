// SPDX-License-Identifier: Apache-2.0
// Which findings speak of a connection. Captures hold thousands of both: whoever asks for each
// connection must not look through all findings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "facts/finding.h"

namespace slowpath::detect {

class FindingIndex {
 public:
  /// Positions in `findings`, as they are now.
  explicit FindingIndex(std::span<const Finding> findings) {
    for (std::size_t i = 0; i < findings.size(); ++i) {
      for (const std::uint32_t id : findings[i].connections) of_connection_[id].push_back(i);
      if (findings[i].connections.empty()) of_none_.push_back(i);
    }
  }
  /// Ascending; empty for a connection of which nothing was found.
  [[nodiscard]] std::span<const std::size_t> of(std::uint32_t connection) const {
    const auto found = of_connection_.find(connection);
    return found == of_connection_.end() ? std::span<const std::size_t>{} : found->second;
  }
  /// That may speak of the same connections as `finding`: of the path or the capture, if it does
  /// too. A position may come more than once.
  [[nodiscard]] std::vector<std::size_t> beside(const Finding& finding) const {
    if (finding.connections.empty()) return of_none_;
    std::vector<std::size_t> positions;
    for (const std::uint32_t id : finding.connections) {
      const auto here = of(id);
      positions.insert(positions.end(), here.begin(), here.end());
    }
    return positions;
  }

 private:
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> of_connection_;
  std::vector<std::size_t> of_none_;
};

}  // namespace slowpath::detect
