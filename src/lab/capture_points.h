// SPDX-License-Identifier: Apache-2.0
// The places of a world where a capture can be taken, by name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lab/plane.h"
#include "lab/scenario.h"

namespace slowpath::lab {

/// A direction's frames at one of its viewpoints.
struct Sight {
  std::uint32_t direction = 0;
  Viewpoint viewpoint{};
};

/// A point: what leaves a host over one link and what comes in.
struct CapturePoint {
  std::string name;       // "server", "server-wire"; with several links "gateway.eth1"
  std::string interface;  // "eth0"
  std::uint32_t link = 0;
  bool is_wire = false;  // beside the host's NIC, on the cable; else what its own tcpdump sees
  Sight out, in;
};

/// All points of a world: for each host in order, for each of its links in order, the guest's view
/// and the wire's. Link i has the directions 2i (a to b) and 2i+1, as in the plane.
std::vector<CapturePoint> capture_points(const World& world);

}  // namespace slowpath::lab
