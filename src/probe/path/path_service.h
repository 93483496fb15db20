// SPDX-License-Identifier: Apache-2.0
// The far end of the path tests: one object for each session of the server. Opens a UDP and a TCP
// port for this one client, whose address the control connection has proved; sends datagrams to
// nobody else; everything that a request may ask for is bounded.
//
// Requests are messages of type "path" with an "op":
//   open                              ports and token; "udp_port", "tcp_port", "token"
//   send   run sizes count rate_bps   sends counted datagrams to the client; what became of them
//   tally  run sent                   what came of the client's run
//   came   run count wait_ms          which of its first datagrams came, as a list of booleans
//   segments port singles             single segments and a burst on the client's connection
//   load   ports ms                   sends on them as fast as it goes; "bytes", "seconds"
//   watch                             looks at handshakes from now on, where allowed
//   headers port                      SYN as it came, SYN-ACK as it left, as hexadecimal packets
//   counters                          what its kernel counts
//   close                             ends it (answered by who owns the session)
// Each is answered by a message of type "path", or by one of type "error".
#pragma once

#include <memory>

#include "facts/address.h"
#include "probe/message.h"

namespace slowpath::probe {

class PathService {
 public:
  /// The two ends of the session's control connection. Nothing is sent faster than `most_rate_bps`;
  /// 0 = no limit but those of path_messages.h.
  PathService(const IpAddress& local, const IpAddress& peer, double most_rate_bps = 0);
  ~PathService();
  PathService(const PathService&) = delete;
  PathService& operator=(const PathService&) = delete;

  /// Takes as long as what is asked for: at most about 20 s. Not to be called by two threads at
  /// once.
  Json answer(const Json& request);

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace slowpath::probe
