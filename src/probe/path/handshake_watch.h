// SPDX-License-Identifier: Apache-2.0
// What the headers of a handshake were: read from the wire of this host where a packet socket is
// allowed (cap_net_raw), or from the SYN that the kernel saved for a connection (tcp(7),
// TCP_SAVED_SYN), which needs nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/path_test.h"

namespace slowpath::probe {

/// The header of a TCP packet that begins with its IP header; not `known` where it is none.
HandshakeHeader read_handshake_header(Bytes ip_packet);

/// The SYN that opened an accepted connection; empty where the listener did not save it.
std::vector<std::byte> saved_syn(int socket);
/// Before listening.
bool save_syns(int listener);

/// Sees SYN and SYN-ACK packets of one local or remote port, from its making on.
class HandshakeWatch {
 public:
  static Result<HandshakeWatch> open(std::uint16_t port);

  /// The IP packet of the newest SYN (or SYN-ACK) between `port` and `other_port`, waiting for it;
  /// empty where none came.
  std::vector<std::byte> find(bool syn_ack, std::uint16_t other_port, Duration wait);

 private:
  void collect();
  Descriptor socket_;
  std::uint16_t port_ = 0;
  std::vector<std::vector<std::byte>> packets_;  // handshakes of the port, at most kMost
};

std::string to_hex(Bytes bytes);
/// Empty for what is no hexadecimal text.
std::vector<std::byte> from_hex(std::string_view text);

}  // namespace slowpath::probe
