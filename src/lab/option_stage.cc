// SPDX-License-Identifier: Apache-2.0
// Strips and rewrites options with the checksum kept; the kinds say which option.
#include "lab/option_stage.h"

#include <utility>

#include <fmt/core.h>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"
#include "wire/packet.h"

namespace slowpath::lab {

Result<StagePair> make_option_strip(Settings& settings, std::uint8_t kind, OptionCarrier carrier,
                                    std::string_view what) {
  const auto applies = [kind, carrier](const Frame& frame, const PacketView& packet) {
    if (!packet.is_tcp) return false;
    if (carrier == OptionCarrier::syn_segments && !has_flag(packet, wire::kSyn)) return false;
    return find_tcp_option(frame, packet, kind) != 0;
  };
  const auto act = [kind, what](FramePtr frame, const PacketView& packet, StageContext& context) {
    if (blank_tcp_option(*frame, packet, kind)) context.touched(*frame, what);
    context.pass(std::move(frame));
  };
  return make_rule_stage(settings, applies, act);
}

Result<StagePair> make_option_rewrite(Settings& settings, std::uint8_t kind, std::uint8_t value_len,
                                      std::uint32_t value, bool only_lower, std::string_view what) {
  const auto applies = [=](const Frame& frame, const PacketView& packet) {
    if (!has_flag(packet, wire::kSyn)) return false;
    const auto old = read_tcp_option(frame, packet, kind, value_len);
    return old && (only_lower ? *old > value : *old != value);
  };
  const auto act = [=](FramePtr frame, const PacketView& packet, StageContext& context) {
    const std::uint32_t old = read_tcp_option(*frame, packet, kind, value_len).value_or(0);
    write_tcp_option(*frame, packet, kind, value_len, value);
    context.touched(*frame, what, fmt::format("{} -> {}", old, value));
    context.pass(std::move(frame));
  };
  return make_rule_stage(settings, applies, act);
}

}  // namespace slowpath::lab
