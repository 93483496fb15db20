// SPDX-License-Identifier: Apache-2.0
// Hosts: a namespace, its sysctls, and what can be asked of it. Interfaces are in
// host_interface.cc.
#include "lab/host.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "base/descriptor.h"
#include "lab/command.h"
#include "lab/counters.h"
#include "lab/host_namespace.h"
#include "lab/host_state.h"

namespace slowpath::lab {

namespace {

/// So that two runs differ in nothing but what the scenario says, and nobody speaks unasked.
std::vector<std::pair<std::string, std::string>> quiet_settings(const HostSpec& spec, bool ipv6) {
  std::vector<std::pair<std::string, std::string>> settings{
      // A new namespace inherits the machine's; the first two are the kernel's own on a large one.
      {"net.ipv4.tcp_rmem", "4096 131072 33554432"},
      {"net.ipv4.tcp_wmem", "4096 65536 16777216"},
      // The second transfer must not know what the first one learned.
      {"net.ipv4.tcp_no_metrics_save", "1"},
      {"net.ipv4.conf.all.rp_filter", "0"},
      {"net.ipv4.conf.default.rp_filter", "0"},
      {"net.ipv4.conf.all.send_redirects", "0"},
      {"net.ipv4.conf.default.send_redirects", "0"},
      {"net.ipv4.ip_forward", spec.forwards ? "1" : "0"}};
  for (const auto* scope : {"all", "default"}) {
    const auto prefix = fmt::format("net.ipv6.conf.{}.", scope);
    settings.emplace_back(prefix + "disable_ipv6", ipv6 ? "0" : "1");
    if (!ipv6) continue;
    for (const auto* quiet : {"accept_ra", "autoconf", "accept_dad", "dad_transmits",
                              "router_solicitations", "accept_redirects"})
      settings.emplace_back(prefix + quiet, "0");
    settings.emplace_back(prefix + "addr_gen_mode", "1");  // no link-local address
    settings.emplace_back(prefix + "forwarding", spec.forwards ? "1" : "0");
  }
  return settings;
}

/// So that ping needs no rights. Where few groups are mapped, our own must do.
Result<void> allow_ping() {
  if (write_sysctl("net.ipv4.ping_group_range", "0 2147483647")) return {};
  return write_sysctl("net.ipv4.ping_group_range", "0 0");
}

Result<void> bring_up(const char* interface) {
  const Descriptor any{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(any.get(), SIOCSIFFLAGS, &request) == 0) return {};
  return fail(ErrorKind::environment, fmt::format("cannot bring up {}", interface),
              std::strerror(errno));
}

Result<void> make_quiet(const HostSpec& spec, bool ipv6) {
  for (const auto& [name, value] : quiet_settings(spec, ipv6)) {
    auto written = write_sysctl(name, value);
    // A kernel without IPv6 is as quiet as can be.
    const bool needed = ipv6 || !name.starts_with("net.ipv6.");
    if (!written && needed) return written;
  }
  if (auto allowed = allow_ping(); !allowed) return allowed;
  for (const auto& [name, value] : spec.sysctls) {
    // One of an interface cannot be set before the interface is there.
    if (name.contains(".eth")) continue;
    if (auto written = write_sysctl(name, value); !written) return written;
  }
  return bring_up("lo");
}

}  // namespace

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::make(const HostSpec& spec, bool ipv6) {
  auto network = make_network_namespace();
  if (!network) return std::unexpected(network.error());
  auto state = std::make_unique<State>();
  state->spec = spec;
  state->ipv6 = ipv6;
  state->network = std::move(*network);
  std::unique_ptr<Host> host{new Host(std::move(state))};
  auto quiet = host->inside([&] { return make_quiet(spec, ipv6); });
  if (!quiet) return std::unexpected(on_host(quiet.error(), spec.name));
  return host;
}

const std::string& Host::name() const { return state_->spec.name; }
const HostSpec& Host::spec() const { return state_->spec; }
int Host::namespace_fd() const { return state_->network.get(); }

Result<void> Host::inside(const std::function<Result<void>()>& function) const {
  const auto visit = NamespaceVisit::enter(namespace_fd());
  if (!visit) return std::unexpected(visit.error());
  return function();
}

Result<std::string> Host::run(const std::string& command) const {
  auto words = split_command_line(command);
  if (!words) return std::unexpected(on_host(words.error(), name()));
  auto output =
      run_command({.words = std::move(*words), .input = {}, .namespace_fd = namespace_fd()});
  if (!output) return std::unexpected(on_host(output.error(), name()));
  return output;
}

std::map<std::string, std::uint64_t> Host::counters() const {
  Counters counters;
  (void)inside([&]() -> Result<void> {
    // Of the thread: /proc/net is that of the process's first thread.
    const std::string folder = "/proc/thread-self/net/";
    for (const auto* file : {"snmp", "netstat"}) {
      if (const auto text = read_whole(folder + file)) read_snmp(*text, counters);
    }
    if (const auto text = read_whole(folder + "dev")) read_dev(*text, counters);
    if (!state_->ipv6) return {};
    if (const auto text = read_whole(folder + "snmp6")) read_snmp6(*text, counters);
    return {};
  });
  return counters;
}

}  // namespace slowpath::lab
