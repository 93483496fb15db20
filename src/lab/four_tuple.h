// SPDX-License-Identifier: Apache-2.0
// Who speaks to whom: the key of the tables that boxes with a memory keep.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "facts/address.h"
#include "lab/packet_edit.h"
#include "lab/packet_view.h"

namespace slowpath::lab {

/// As one direction's packets carry it.
struct FourTuple {
  Endpoint source, destination;
  std::uint8_t protocol = 0;  // TCP or UDP

  [[nodiscard]] FourTuple reversed() const { return {destination, source, protocol}; }
  friend constexpr auto operator<=>(const FourTuple&, const FourTuple&) = default;
};

/// Of TCP and UDP packets that show their ports.
inline std::optional<FourTuple> four_tuple(const Frame& frame, const PacketView& packet) {
  const bool has_ports =
      packet.is_tcp || (packet.protocol == kUdp && packet.fragment_offset == 0 &&
                        packet.ip_version != 0 && frame.len >= packet.l4_offset + 8U);
  if (!has_ports) return std::nullopt;
  return FourTuple{{ip_address(frame, packet, true), packet.source_port},
                   {ip_address(frame, packet, false), packet.destination_port},
                   packet.protocol};
}

/// "10.0.0.1:40000 > 10.0.0.2:80".
inline std::string to_string(const FourTuple& tuple) {
  return to_string(tuple.source) + " > " + to_string(tuple.destination);
}

}  // namespace slowpath::lab
