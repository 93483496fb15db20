// SPDX-License-Identifier: Apache-2.0
// A proxy or application gateway that changes what it carries and computes the checksum anew: TCP
// cannot notice.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

struct Place {
  bool is_random = true;
  std::uint32_t offset = 0;  // within the payload
};

/// Changes `count` bytes in a row; each becomes another one.
void rewrite(Frame& frame, const PacketView& packet, Place place, std::uint32_t count,
             StageContext& context) {
  count = std::min(count, packet.payload_len);
  const std::uint32_t last = packet.payload_len - count;
  const auto offset = place.is_random ? static_cast<std::uint32_t>(context.random().below(last + 1))
                                      : std::min(place.offset, last);
  std::string before, after;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::byte& byte = frame.data[packet.payload_offset + offset + i];
    before += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    byte ^= static_cast<std::byte>(1 + context.random().below(255));
    after += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  }
  finish_l4_checksum(frame, packet);
  context.touched(frame, "payload rewritten",
                  fmt::format("byte {}: {} -> {}", offset, before, after));
}

Result<StagePair> make(Settings& settings) {
  const auto count = static_cast<std::uint32_t>(settings.number("bytes", 1, 1, 1024));
  Place place;
  place.is_random = settings.text("at", "random") == "random";
  if (!place.is_random) {
    place.offset = static_cast<std::uint32_t>(settings.number("at", 0, 0, 65535));
  }
  const auto applies = [](const Frame&, const PacketView& packet) {
    const bool has_transport = packet.is_tcp || (packet.ip_version != 0 && packet.protocol == kUdp);
    return has_transport && !packet.is_fragment && packet.payload_len > 0;
  };
  const auto act = [place, count](FramePtr frame, const PacketView& packet, StageContext& context) {
    rewrite(*frame, packet, place, count, context);
    context.pass(std::move(frame));
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind payload_rewrite;
const StageKind payload_rewrite{
    .name = "payload-rewrite",
    .level = Level::middlebox,
    .summary =
        "changes payload bytes and makes the checksum good; keys: bytes (default 1), "
        "at = random (default) | offset",
    .make = make};

}  // namespace slowpath::lab::stages
