// SPDX-License-Identifier: Apache-2.0
// Sockets that take part in one interface only.
#pragma once

#include <string>

#include "base/result.h"
#include "probe/socket.h"

namespace slowpath::probe {

/// SO_BINDTODEVICE (socket(7)); nothing where `device` is empty. Errors: environment.
Result<void> bind_to_device(int socket, const std::string& device);

/// listen_tcp() over one interface from the first moment on; empty: over all.
Result<Descriptor> listen_tcp_on(const std::string& device, const std::string& host,
                                 std::uint16_t port, IpFamily family);

}  // namespace slowpath::probe
