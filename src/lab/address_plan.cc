// SPDX-License-Identifier: Apache-2.0
// Addresses and routes of a world, from its links.
#include "lab/address_plan.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "lab/host.h"

namespace slowpath::lab {

std::optional<std::size_t> AddressPlan::find_host(std::string_view name) const {
  const auto found = std::ranges::find(world_.hosts, name, &HostSpec::name);
  if (found == world_.hosts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - world_.hosts.begin());
}

std::size_t AddressPlan::host_index(std::string_view name) const {
  const auto found = find_host(name);
  SLOWPATH_ASSERT(found);
  return *found;
}

std::optional<std::uint32_t> AddressPlan::default_route_link(std::size_t host) const {
  const auto& name = world_.hosts[host].name;
  if (world_.hosts[host].forwards) return std::nullopt;
  std::optional<std::uint32_t> router;
  for (std::uint32_t i = 0; i < world_.links.size(); ++i) {
    const auto& link = world_.links[i];
    if (link.a != name && link.b != name) continue;
    const auto& peer = world_.hosts[host_index(link.a == name ? link.b : link.a)];
    if (peer.forwards && !router) router = i + 1;
  }
  return router;
}

std::string AddressPlan::address(std::string_view host, std::string_view seen_from) const {
  std::string any;
  for (std::uint32_t i = 0; i < world_.links.size(); ++i) {
    const auto& link = world_.links[i];
    if (link.a != host && link.b != host) continue;
    auto here = address_of(i + 1, link.a == host ? 1 : 2, world_.ipv6);
    if (link.a == seen_from || link.b == seen_from) return here;
    if (any.empty()) any = std::move(here);
  }
  return any;
}

Result<TransferEnds> AddressPlan::ends(Settings& transfer) const {
  const auto client = transfer.text("client", "client");
  const auto server = transfer.text("server", "server");
  const auto via = transfer.text("via");
  for (const auto& name : {client, server, via.empty() ? server : via}) {
    if (find_host(name)) continue;
    return fail(ErrorKind::usage, fmt::format("cannot use {}", transfer.where()),
                fmt::format("there is no host {}", name));
  }
  return TransferEnds{.client = host_index(client),
                      .server = host_index(server),
                      .address = address(via.empty() ? server : via, client)};
}

}  // namespace slowpath::lab
