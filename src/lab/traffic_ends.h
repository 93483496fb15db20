// SPDX-License-Identifier: Apache-2.0
// What the processes at the ends of a transfer do, kind by kind. Each function is all that a
// process does: it returns when its part is over, at the limit at the latest.
#pragma once

#include "base/descriptor.h"
#include "lab/traffic_control.h"
#include "lab/traffic_message.h"
#include "lab/traffic_socket.h"

namespace slowpath::lab {

/// The client's socket has its options and is bound; the server's listens.
EndReport run_stream_client(Descriptor socket, const SocketAddress& server, TransferEnd end);
EndReport run_stream_server(const Descriptor& listener, TransferEnd end);
EndReport run_request_client(Descriptor socket, const SocketAddress& server, TransferEnd end);
EndReport run_request_server(const Descriptor& listener, TransferEnd end);
EndReport run_connections_client(const SocketAddress& server, TransferEnd end);
EndReport run_connections_server(const Descriptor& listener, TransferEnd end);
EndReport run_datagrams_client(const Descriptor& socket, const SocketAddress& server,
                               TransferEnd end);
EndReport run_datagrams_server(const Descriptor& socket, TransferEnd end);

// -- Shared by kinds

/// Waits for the start, notes it, connects. False: report.error says why.
bool connect_client(int socket, const SocketAddress& server, TransferEnd& end, EndReport& report);
/// The client's connection; none if the client gave up.
Descriptor accept_client(int listener, TransferEnd& end, EndReport& report);
/// How long a blocking call of a transfer waits before it looks at the limit again.
inline constexpr int kPatienceMs = 50;
inline constexpr Duration kPatience = std::chrono::milliseconds{kPatienceMs};
/// At the limit: the socket goes without a word once the peer sends no more.
void vanish_after(Descriptor socket, const TransferEnd& end, int incoming);

}  // namespace slowpath::lab
