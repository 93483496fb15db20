// SPDX-License-Identifier: Apache-2.0
// The TCP sockets of the host with the kernel's own account of each: sock_diag(7), struct tcp_info.
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"
#include "facts/machine.h"

namespace slowpath::machine {

/// Of the payload of one answer (struct inet_diag_msg and attributes); none if it is cut. IPv4
/// mapped into IPv6 is told as IPv4.
std::optional<SocketFacts> parse_socket(Bytes payload);
/// Puts what struct tcp_info says there. Older kernels return a shorter one: what it lacks stays
/// absent, and so does what the kernel marks as not measured.
void apply_tcp_info(Bytes info, SocketFacts& socket);
/// "established", "syn-sent", "syn-recv", "fin-wait-1" ... as ss(8) says; "unknown" for other
/// numbers.
const char* tcp_state_name(unsigned state);

/// Fills machine.sockets, at most `most`.
void read_sockets(std::size_t most, MachineFacts& machine);

}  // namespace slowpath::machine
