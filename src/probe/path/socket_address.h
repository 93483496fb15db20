// SPDX-License-Identifier: Apache-2.0
// Addresses as the kernel wants them, without names and without DNS.
#pragma once

#include "facts/address.h"
#include "probe/socket.h"

namespace slowpath::probe {

/// `scope` is the interface's index where an IPv6 address is link-local.
SocketAddress to_socket_address(const Endpoint& endpoint, std::uint32_t scope = 0);

/// Version 0 for what is neither IPv4 nor IPv6.
Endpoint to_endpoint(const sockaddr* address);

}  // namespace slowpath::probe
