// SPDX-License-Identifier: Apache-2.0
// The first 32 bytes of every connection to a server, sent by the client: who speaks, in which
// version, and what the connection is for.
//
//    0       8       10      12     13        14        16                32
//    | SLOWPATH | major | minor | kind | reserved | stream | session (16 bytes) |
//
// All numbers in network order. The session is that of the welcome; zero for a control connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace slowpath::probe {

/// Another major version cannot be spoken to. A minor one may add message kinds and fields, which
/// the other side does not know and says so.
inline constexpr std::uint16_t kProtocolMajor = 1, kProtocolMinor = 1;

enum class ConnectionKind : std::uint8_t { control = 0, data = 1 };

struct Preamble {
  static constexpr std::size_t kBytes = 32;
  std::uint16_t major = kProtocolMajor, minor = kProtocolMinor;
  ConnectionKind kind = ConnectionKind::control;
  std::uint16_t stream = 0;
  std::string session;  // 32 hexadecimal digits; empty for a control connection
};

std::array<std::byte, Preamble::kBytes> encode(const Preamble& preamble);
/// Of kBytes; none where another program speaks, or the kind is unknown.
std::optional<Preamble> decode_preamble(Bytes bytes);
/// Whether what has arrived so far can become a preamble at all.
bool may_become_preamble(Bytes bytes);

}  // namespace slowpath::probe
