// SPDX-License-Identifier: Apache-2.0
// Who reaches whom, and how: hosts by name, the address that a client connects to, default routes
// through a router. Pure: made of the world alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/scenario.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// Where a transfer's ends are: indices into World::hosts, and the server's address for this
/// client.
struct TransferEnds {
  std::size_t client = 0, server = 0;
  std::string address;
};

/// The world must outlive it.
class AddressPlan {
 public:
  explicit AddressPlan(const World& world) : world_(world) {}

  [[nodiscard]] std::optional<std::size_t> find_host(std::string_view name) const;
  /// The host must exist: read_scenario() has checked the links.
  [[nodiscard]] std::size_t host_index(std::string_view name) const;
  /// The link (from 1) over which a host with a single link reaches the others through a router;
  /// none where it needs no route.
  [[nodiscard]] std::optional<std::uint32_t> default_route_link(std::size_t host) const;
  /// Reads `client`, `server` and `via` (a host whose address on the client's link is used: a
  /// gateway with DNAT). Errors: usage, for a host that is not there.
  [[nodiscard]] Result<TransferEnds> ends(Settings& transfer) const;

 private:
  [[nodiscard]] std::string address(std::string_view host, std::string_view seen_from) const;

  const World& world_;
};

}  // namespace slowpath::lab
