// SPDX-License-Identifier: Apache-2.0
// A host's interfaces: TAP devices or veth pairs, their addresses, neighbours and routes.
#include <unistd.h>

#include <fmt/core.h>

#include "base/assert.h"
#include "lab/command.h"
#include "lab/host.h"
#include "lab/host_namespace.h"
#include "lab/host_state.h"

namespace slowpath::lab {
namespace {

/// A sysctl of one interface.
bool belongs_to(const std::string& sysctl, std::string_view interface) {
  return sysctl.contains(fmt::format(".{}.", interface));
}

std::string mac_of(std::uint32_t link, std::uint32_t side) {
  // Locally administered, unicast.
  return fmt::format("02:00:00:00:{:02x}:{:02x}", link, side);
}

/// What every route of a host says besides where it leads.
std::string route_attributes(const HostSpec& spec) {
  std::string text;
  // Named on the route, because the machine may not allow it as a sysctl. reference kernel 6.18:
  // EPERM for cubic where bbr is the default.
  if (!spec.congestion_control.empty()) text += " congctl " + spec.congestion_control;
  if (!spec.route.empty()) text += " " + spec.route;
  return text;
}

std::string network_of(std::uint32_t link, bool ipv6) {
  return ipv6 ? fmt::format("fd00:{:x}::/64", link) : fmt::format("10.{}.0.0/24", link);
}

std::string interface_batch(const HostSpec& spec, bool ipv6, const std::string& name,
                            const Host::Interface& where) {
  const auto own = mac_of(where.link, where.side);
  const auto peer_side = 3 - where.side;
  const auto attributes = route_attributes(spec);
  // A TAP drops silently when its queue is full: 10000 frames are more than any window here.
  auto batch =
      fmt::format("link set dev {} address {} mtu {} txqueuelen 10000\n", name, own, spec.mtu);
  // Neighbours are static, so nobody needs to ask; without ARP there is no solicited-node group
  // either, whose membership IPv6 would report.
  batch += fmt::format("link set dev {} multicast off{} up\n", name, ipv6 ? " arp off" : "");
  for (const bool v6 : {false, true}) {
    if (v6 && !ipv6) continue;
    batch +=
        fmt::format("address add {}/{} dev {} noprefixroute{}\n",
                    address_of(where.link, where.side, v6), v6 ? 64 : 24, name, v6 ? " nodad" : "");
    batch += fmt::format("route replace {} dev {}{}{}\n", network_of(where.link, v6), name,
                         v6 ? "" : " src " + address_of(where.link, where.side, v6), attributes);
    batch +=
        fmt::format("neighbour replace {} lladdr {} nud permanent dev {}\n",
                    address_of(where.link, peer_side, v6), mac_of(where.link, peer_side), name);
  }
  return batch;
}

Result<void> run_batch(std::string batch, int namespace_fd) {
  auto done = run_command(
      {.words = {"ip", "-batch", "-"}, .input = std::move(batch), .namespace_fd = namespace_fd});
  if (!done) return std::unexpected(done.error());
  return {};
}

/// A veth pair: `name` in the host's namespace, an end of the same name in `peers`.
Result<std::unique_ptr<Endpoint>> make_veth(const std::string& name, int host, int peers,
                                            std::uint32_t mtu) {
  const auto where = fmt::format("/proc/{}/fd/{}", getpid(), peers);
  auto batch = fmt::format("link add {0} type veth peer name {0} netns {1}\n", name, where);
  if (auto done = run_batch(std::move(batch), host); !done) return std::unexpected(done.error());
  batch =
      fmt::format("link set dev {} mtu {} txqueuelen 10000 arp off multicast off up\n", name, mtu);
  if (auto done = run_batch(std::move(batch), peers); !done) return std::unexpected(done.error());
  const auto visit = NamespaceVisit::enter(peers);
  if (!visit) return std::unexpected(visit.error());
  return open_packet_socket(name);
}

Result<Descriptor> make_peers_namespace() {
  auto made = make_network_namespace();
  if (!made) return made;
  const auto visit = NamespaceVisit::enter(made->get());
  if (!visit) return std::unexpected(visit.error());
  for (const auto* scope : {"all", "default"})
    (void)write_sysctl(fmt::format("net.ipv6.conf.{}.disable_ipv6", scope), "1");
  return made;
}

}  // namespace

std::string address_of(std::uint32_t link, std::uint32_t side, bool ipv6) {
  return ipv6 ? fmt::format("fd00:{:x}::{}", link, side) : fmt::format("10.{}.0.{}", link, side);
}

Result<std::unique_ptr<Endpoint>> Host::add_interface(const Interface& interface,
                                                      const Privileges& privileges) {
  SLOWPATH_ASSERT(interface.link <= 255 && (interface.side == 1 || interface.side == 2));
  const auto interface_name = fmt::format("eth{}", state_->interfaces.size());
  Result<std::unique_ptr<Endpoint>> endpoint;
  if (privileges.has_tun) {
    auto opened = inside([&]() -> Result<void> {
      endpoint = open_tap(interface_name);
      return {};
    });
    if (!opened) return std::unexpected(opened.error());
  } else {
    if (!state_->peers.is_open()) {
      auto peers = make_peers_namespace();
      if (!peers) return std::unexpected(peers.error());
      state_->peers = std::move(*peers);
    }
    endpoint = make_veth(interface_name, namespace_fd(), state_->peers.get(), state_->spec.mtu);
  }
  if (!endpoint) return std::unexpected(on_host(endpoint.error(), name()));
  auto set = run_batch(interface_batch(state_->spec, state_->ipv6, interface_name, interface),
                       namespace_fd());
  if (!set) return std::unexpected(on_host(set.error(), name()));
  state_->interfaces.push_back({interface_name, interface});
  auto tuned = inside([&]() -> Result<void> {
    for (const auto& [sysctl, value] : state_->spec.sysctls) {
      if (!belongs_to(sysctl, interface_name)) continue;
      if (auto written = write_sysctl(sysctl, value); !written) return written;
    }
    return {};
  });
  if (!tuned) return std::unexpected(on_host(tuned.error(), name()));
  return endpoint;
}

Result<void> Host::add_default_route(std::uint32_t link) {
  for (const auto& [interface_name, where] : state_->interfaces) {
    if (where.link != link) continue;
    std::string batch;
    for (const bool v6 : {false, true}) {
      if (v6 && !state_->ipv6) continue;
      batch += fmt::format("route replace default via {} dev {}{}\n",
                           address_of(link, 3 - where.side, v6), interface_name,
                           route_attributes(state_->spec));
    }
    auto set = run_batch(std::move(batch), namespace_fd());
    if (!set) return std::unexpected(on_host(set.error(), name()));
    return {};
  }
  return fail(ErrorKind::usage, fmt::format("cannot route {} over link {}", name(), link),
              "it has no interface to that link");
}

}  // namespace slowpath::lab
