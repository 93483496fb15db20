// SPDX-License-Identifier: Apache-2.0
// A router that clears the ECN bits as if they were still part of the type of service, or forges
// congestion marks (RFC 3168).
#include <cstdint>
#include <utility>

#include <fmt/core.h>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "wire/packet.h"

namespace slowpath::lab::stages {
namespace {

constexpr std::uint8_t kNotEct = 0, kCe = 3;

std::uint8_t read_ecn(const Frame& frame, const PacketView& packet) {
  const std::byte* ip = frame.data + packet.ip_offset;
  if (packet.ip_version == 4) return load_u8(ip + 1) & 3U;
  return packet.ip_version == 6 ? (load_be16(ip) >> 4) & 3U : kNotEct;
}

void write_ecn(Frame& frame, const PacketView& packet, std::uint8_t ecn) {
  std::byte* ip = frame.data + packet.ip_offset;
  if (packet.ip_version == 4) {
    store_u8(ip + 1, static_cast<std::uint8_t>((load_u8(ip + 1) & ~3U) | ecn));
    finish_ip_header(frame, packet);
  } else {
    store_be16(ip, static_cast<std::uint16_t>((load_be16(ip) & ~0x30U) | unsigned{ecn} << 4U));
  }
}

bool has_ecn_setup(const PacketView& packet) {
  return has_flag(packet, wire::kSyn) && has_flag(packet, wire::kEce | wire::kCwr);
}

void clear_ecn_setup(Frame& frame, const PacketView& packet) {
  const auto at = static_cast<std::uint16_t>(packet.l4_offset + 12);
  const std::uint16_t field = load_be16(frame.data + at);
  set_l4_field16(frame, packet, at,
                 static_cast<std::uint16_t>(field & ~unsigned{wire::kEce | wire::kCwr}));
}

Result<StagePair> make(Settings& settings) {
  const bool of_syn = settings.flag("syn");
  const std::uint8_t mark =
      settings.choice("mark", "not-ect", {"not-ect", "ce"}) == "ce" ? kCe : kNotEct;
  const auto changes_ip = [mark](const Frame& frame, const PacketView& packet) {
    const std::uint8_t ecn = read_ecn(frame, packet);
    return ecn != kNotEct && ecn != mark;
  };
  const auto applies = [=](const Frame& frame, const PacketView& packet) {
    return changes_ip(frame, packet) || (of_syn && has_ecn_setup(packet));
  };
  const auto act = [=](FramePtr frame, const PacketView& packet, StageContext& context) {
    if (changes_ip(*frame, packet)) {
      context.touched(*frame, "ECN field rewritten",
                      fmt::format("{} -> {}", read_ecn(*frame, packet), mark));
      write_ecn(*frame, packet, mark);
    }
    if (of_syn && has_ecn_setup(packet)) {
      clear_ecn_setup(*frame, packet);
      context.touched(*frame, "ECE and CWR cleared in a SYN");
    }
    context.pass(std::move(frame));
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace

extern const StageKind ecn_bleach;
const StageKind ecn_bleach{
    .name = "ecn-bleach",
    .level = Level::middlebox,
    .summary =
        "clears ECT and CE in IP headers; keys: syn = true (ECE and CWR of SYN and SYN-ACK "
        "too), mark = not-ect (default) | ce (forged on every ECT packet)",
    .make = make};

}  // namespace slowpath::lab::stages
