// SPDX-License-Identifier: Apache-2.0
// A host of the lab: a network namespace held by descriptors alone, so that nothing is left when
// the process ends, however it ends.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/endpoint.h"
#include "lab/scenario.h"

namespace slowpath::lab {

/// What this process may do, found out once before anything is made.
struct Privileges {
  bool can_make_namespaces = false;
  bool has_tun = false;            // /dev/net/tun can be opened: TAP; else AF_PACKET on veth
  bool in_user_namespace = false;  // entered one of our own because we are not root
  std::vector<std::string> missing_programs;  // "ethtool (Debian package ethtool)"
};
/// Enters a user namespace of our own where we are not root and the system allows it
/// (single-threaded caller). Errors: environment, one sentence with what is missing and how to
/// grant it.
Result<Privileges> gain_privileges();

class Host {
 public:
  /// Makes the namespace, with loopback up and quiet settings: no IPv6 autoconfiguration noise, no
  /// metrics saved, fixed buffers, ping allowed. Sysctls of the spec are set; those of an interface
  /// (".ethN.") when it is added. The spec's commands are left to the caller.
  static Result<std::unique_ptr<Host>> make(const HostSpec& spec, bool ipv6);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const HostSpec& spec() const;
  /// A descriptor of the namespace, for setns() in another process.
  [[nodiscard]] int namespace_fd() const;

  /// Adds the next interface ethN (fixed MAC address from host and link numbers, MTU, txqueuelen
  /// 10000, up), with addresses, a static neighbour for the peer, and a route with the spec's
  /// attributes. Returns the plane's side of it.
  struct Interface {
    std::uint32_t link = 0;  // number of the link; address 10.LINK.0.SIDE/24, fd00:LINK::SIDE/64
    std::uint32_t side = 1;  // 1 or 2
  };
  Result<std::unique_ptr<Endpoint>> add_interface(const Interface& interface,
                                                  const Privileges& privileges);
  /// Reaches other links through the neighbour on `link`: a default route.
  Result<void> add_default_route(std::uint32_t link);

  /// Runs a command line (split at blanks, quotes honoured, no shell) inside. Errors: environment,
  /// with what it printed.
  Result<std::string> run(const std::string& command) const;
  /// Runs a function with this thread inside the namespace, and comes back.
  Result<void> inside(const std::function<Result<void>()>& function) const;

  /// Kernel counters: "Tcp.RetransSegs", "TcpExt.TCPTimeouts", "eth0.tx_dropped" ... from snmp,
  /// netstat, dev.
  [[nodiscard]] std::map<std::string, std::uint64_t> counters() const;

 private:
  struct State;
  explicit Host(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "10.LINK.0.SIDE" or "fd00:LINK::SIDE".
std::string address_of(std::uint32_t link, std::uint32_t side, bool ipv6);

}  // namespace slowpath::lab
