// SPDX-License-Identifier: Apache-2.0
// Which options a connection uses, as its kernel tells (TCP_INFO): what can be said of a handshake
// without looking at its packets.
#pragma once

#include "facts/path_test.h"
#include "probe/message.h"

namespace slowpath::probe {

/// The SYN-ACK's options as one end knows them: what came (`as_client`), or what was sent.
HandshakeHeader negotiated_header(int socket, bool as_client);

/// As fields "options" and "window_scale" of a message, and back.
void put_negotiated(int socket, Json& message);
HandshakeHeader negotiated_from(const Json& message);

}  // namespace slowpath::probe
