// SPDX-License-Identifier: Apache-2.0
// TCP sockets for tests: names resolved, connections made, awaited and taken with a deadline, and
// the options that a test varies. Every failure is told in words. Sockets are non-blocking and
// closed on exec. Who says what over them is left to control.h and transfer.h.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/address.h"

namespace slowpath::probe {

/// An address as the socket calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

enum class IpFamily : std::uint8_t { any, ipv4, ipv6 };

/// What a name stands for, in the order to try. `host` may be an address, with %interface behind a
/// link-local one; empty stands for every address of this host. Waits for DNS.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port,
                                           IpFamily family = IpFamily::any);

/// Whether two addresses, IPv4 or IPv6, are of one host; ports and interfaces aside. nullptr is
/// nobody's.
bool same_host(const sockaddr* left, const sockaddr* right);

/// IPv4 mapped into IPv6 is told as IPv4.
Endpoint endpoint_of(const SocketAddress& address);
/// None where the socket has no such end.
std::optional<Endpoint> local_endpoint(int socket);
std::optional<Endpoint> remote_endpoint(int socket);

/// What a test may vary; absent = the system's default. Set before connecting or listening, because
/// the window scale and the MSS are settled by the handshake.
struct SocketOptions {
  std::optional<std::uint64_t> buffer_bytes = {};  // SO_SNDBUF and SO_RCVBUF; turns autotuning off
  std::optional<std::uint32_t> mss_bytes = {};     // TCP_MAXSEG
  std::string congestion_control = {};             // TCP_CONGESTION; empty = the default
  std::optional<std::uint64_t> pacing_rate_bps = {};  // SO_MAX_PACING_RATE
  std::optional<std::uint8_t> type_of_service = {};   // IP_TOS, IPV6_TCLASS
  bool no_delay = false;                              // TCP_NODELAY
  std::optional<std::uint32_t> flow_label = {};       // IPv6, 20 bits; of connections made, only
  std::optional<std::uint32_t> user_timeout_ms = {};  // TCP_USER_TIMEOUT
};
/// Applies what is present. An option that the kernel refuses is an error that names it.
Result<void> apply(const SocketOptions& options, int socket);
/// Only this interface from now on (SO_BINDTODEVICE, socket(7)); nothing where `device` is empty.
Result<void> bind_to_device(int socket, const std::string& device);

/// The buffer that the kernel made of it: getsockopt gives twice what was asked (socket(7)).
std::optional<std::uint64_t> send_buffer_bytes(int socket);
std::optional<std::uint64_t> receive_buffer_bytes(int socket);

struct Target {
  std::string host;
  std::uint16_t port = 0;
  IpFamily family = IpFamily::any;
  std::string bind_host = {};    // source address; empty = the routing table's choice
  std::string bind_device = {};  // SO_BINDTODEVICE; empty = none
  std::uint16_t bind_port = 0;   // source port; 0 = the system's choice
};

/// Tries the addresses in turn until one answers; the timeout is for all of them together. The
/// error tells the last refusal: "cannot connect to 10.0.0.2:5202: Connection refused; ...".
Result<Descriptor> connect_tcp(const Target& target, const SocketOptions& options,
                               Duration timeout);

/// Listens on `host` (empty: all addresses, IPv4 too where the system maps it), over interface
/// `device` alone where one is named. Port 0 lets the kernel choose: ask local_endpoint().
Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port, IpFamily family,
                              const SocketOptions& options, int backlog = 1024,
                              const std::string& device = {});

/// The next connection. None when nobody came in time; errors are those of this host (no
/// descriptors left), not of a peer that gave up meanwhile.
Result<std::optional<Descriptor>> accept_tcp(int listener, Duration timeout);

/// Waits until `socket` can be read (or written), or has failed; false after `timeout`. Returns
/// early, with false, on a signal.
bool wait_readable(int socket, Duration timeout);
bool wait_writable(int socket, Duration timeout);

/// The steady clock, which tests measure by.
std::int64_t steady_ns();

}  // namespace slowpath::probe
