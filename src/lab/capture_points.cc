// SPDX-License-Identifier: Apache-2.0
#include "lab/capture_points.h"

#include <algorithm>

#include <fmt/format.h>

namespace slowpath::lab {
namespace {

void add_points(std::vector<CapturePoint>& points, const std::string& name, std::size_t interface,
                std::uint32_t link, bool is_a) {
  const std::uint32_t out = 2 * link + (is_a ? 0 : 1), in = 2 * link + (is_a ? 1 : 0);
  const CapturePoint guest{.name = name,
                           .interface = fmt::format("eth{}", interface),
                           .link = link,
                           .is_wire = false,
                           .out = {out, Viewpoint::guest_out},
                           .in = {in, Viewpoint::guest_in}};
  auto wire = guest;
  wire.name += "-wire";
  wire.is_wire = true;
  wire.out.viewpoint = Viewpoint::wire_near;
  wire.in.viewpoint = Viewpoint::wire_far;
  points.push_back(guest);
  points.push_back(wire);
}

}  // namespace

std::vector<CapturePoint> capture_points(const World& world) {
  std::vector<CapturePoint> points;
  for (const auto& host : world.hosts) {
    const auto is_end = [&](const WorldLink& link) {
      return link.a == host.name || link.b == host.name;
    };
    const bool has_several = std::ranges::count_if(world.links, is_end) > 1;
    std::size_t interface = 0;
    for (std::uint32_t link = 0; link < world.links.size(); ++link) {
      if (!is_end(world.links[link])) continue;
      const auto name = has_several ? fmt::format("{}.eth{}", host.name, interface) : host.name;
      add_points(points, name, interface++, link, world.links[link].a == host.name);
    }
  }
  return points;
}

}  // namespace slowpath::lab
