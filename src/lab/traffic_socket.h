// SPDX-License-Identifier: Apache-2.0
// Sockets of transfers: made in the namespace that the thread is in, with the options of a plan.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "lab/traffic_plan.h"

namespace slowpath::lab {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// A numeric address; empty `text`: any. Errors: usage.
Result<SocketAddress> socket_address(const std::string& text, std::uint16_t port, bool ipv6);
/// The socket's own address as "10.1.0.2:40112" or "[fd00:1::2]:40112"; empty if it has none.
std::string own_name(int socket);

/// A TCP or UDP socket with the plan's options of a sender, of a receiver or of both, before it is
/// connected or listens: buffers and the MSS count from the handshake on. Errors: environment, with
/// the option that the kernel refused.
Result<Descriptor> make_socket(int family, int type);
Result<void> set_sender_options(int socket, const SenderPlan& plan,
                                const std::string& congestion_control);
Result<void> set_receiver_options(int socket, const ReceiverPlan& plan);
/// Waits of read, write, connect and accept give up after this long, so that limits are seen.
void set_patience(int socket, Duration patience);

/// Bound to the port on every address, and listening.
Result<void> listen_at(int socket, std::uint16_t port, bool ipv6, int backlog);
Result<void> bind_to(int socket, std::uint16_t port, bool ipv6);

/// Closes a TCP socket without a packet, as if the machine were gone: a transfer that ends at its
/// limit leaves no FIN and no reset in the capture. tcp(7), TCP_REPAIR.
void vanish(Descriptor socket);
/// Closes a TCP socket with a RST: what an application does that has seen enough.
void reset_connection(Descriptor socket);
/// RFC 7413, of a listening socket or of one that is about to connect; sysctl net.ipv4.tcp_fastopen
/// decides whether it happens. Errors: environment.
Result<void> allow_fast_open(int socket, bool listens);
/// From now on next to nothing that is in the send buffer goes out; what is under way is still
/// acknowledged.
void hold_back(int socket);

}  // namespace slowpath::lab
