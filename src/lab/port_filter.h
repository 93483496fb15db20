// SPDX-License-Identifier: Apache-2.0
// Which frames a capture takes: those of some ports, and the ICMP errors that quote them.
#pragma once

#include <cstdint>
#include <vector>

#include "lab/frame.h"

namespace slowpath::lab {

class PortFilter {
 public:
  /// Without ports it takes everything.
  explicit PortFilter(std::vector<std::uint16_t> ports) : ports_(std::move(ports)) {}

  /// Later fragments of TCP and UDP are taken too: they have no ports, and nothing else in the lab
  /// makes any.
  [[nodiscard]] bool takes(const Frame& frame) const;

 private:
  [[nodiscard]] bool has(std::uint16_t port) const;
  /// `quote` begins at the IP header of the packet that an ICMP error is about.
  [[nodiscard]] bool takes_quote(Bytes quote) const;

  std::vector<std::uint16_t> ports_;
};

}  // namespace slowpath::lab
