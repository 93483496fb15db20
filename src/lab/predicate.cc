// SPDX-License-Identifier: Apache-2.0
// Frames chosen by kind, flow, size, time, number and chance, in this order.
#include "lab/predicate.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "wire/packet.h"

namespace slowpath::lab {

enum class Predicate::Only : std::uint8_t {
  any,
  tcp,
  data,
  pure_ack,
  syn,
  synack,
  fin,
  rst,
  gso,
  not_gso,
  udp,
  icmp,
  fragment,
  data_not_gso,
};

namespace {

// In the order of Predicate::Only.
const std::vector<std::string> kOnlyNames{"any",    "tcp",  "data",     "pure-ack",    "syn",
                                          "synack", "fin",  "rst",      "gso",         "not-gso",
                                          "udp",    "icmp", "fragment", "data-not-gso"};
constexpr std::uint8_t kProtocolIcmp = 1, kProtocolUdp = 17, kProtocolIcmp6 = 58;

bool has_flags(const PacketView& packet, unsigned mask, unsigned wanted) {
  return packet.is_tcp && (packet.tcp_flags & mask) == wanted;
}

}  // namespace

bool is_pure_ack(const PacketView& packet) {
  using namespace wire;
  return packet.payload_len == 0 && has_flags(packet, kAck | kSyn | kFin | kRst, kAck);
}

Predicate Predicate::read(Settings& settings) {
  Predicate predicate;
  const auto only = settings.choice("only", "any", kOnlyNames);
  predicate.only_ = static_cast<Only>(std::ranges::find(kOnlyNames, only) - kOnlyNames.begin());
  predicate.probability_ = settings.share("probability", 1);
  predicate.port_ = static_cast<std::uint16_t>(settings.number("port", 0, 1, UINT16_MAX));
  const auto size = [&](const char* key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(settings.bytes(key, fallback), UINT32_MAX));
  };
  predicate.min_size_ = size("min_size", 0);
  predicate.max_size_ = size("max_size", UINT32_MAX);
  predicate.min_payload_ = size("min_payload", 0);
  predicate.from_ = settings.duration("from");
  if (settings.has("until")) predicate.until_ = settings.duration("until");
  predicate.after_bytes_ = settings.bytes("after_bytes");

  const auto number = [&](const char* key, std::uint64_t fallback) {
    return settings.has(key) ? static_cast<std::uint64_t>(settings.number(key, 1, 1)) : fallback;
  };
  const bool stepped = settings.has("every");
  predicate.every_ = number("every", 1);
  predicate.nth_ = number("nth", predicate.every_);
  predicate.count_ = number("count", settings.has("nth") && !stepped ? 1 : UINT64_MAX);
  // Asked for even where absent, so that the message for an unknown key lists them.
  for (const char* key : {"every", "nth", "count", "until"}) (void)settings.text(key);
  return predicate;
}

bool Predicate::is_kind(const Frame& frame, const PacketView& packet) const {
  using namespace wire;
  switch (only_) {
    case Only::any:
      return true;
    case Only::tcp:
      return packet.is_tcp;
    case Only::data:
      return packet.is_tcp && packet.payload_len > 0;
    case Only::pure_ack:
      return is_pure_ack(packet);
    case Only::syn:
      return has_flags(packet, kSyn | kAck, kSyn);
    case Only::synack:
      return has_flags(packet, kSyn | kAck, kSyn | kAck);
    case Only::fin:
      return has_flags(packet, kFin, kFin);
    case Only::rst:
      return has_flags(packet, kRst, kRst);
    case Only::gso:
      return frame.is_super_frame();
    case Only::not_gso:
      return !frame.is_super_frame();
    case Only::udp:
      return packet.protocol == kProtocolUdp;
    case Only::icmp:
      return packet.protocol == kProtocolIcmp || packet.protocol == kProtocolIcmp6;
    case Only::fragment:
      return packet.is_fragment;
    case Only::data_not_gso:
      return packet.is_tcp && packet.payload_len > 0 && !frame.is_super_frame();
  }
  return false;
}

bool Predicate::fits(const Frame& frame, const PacketView& packet) const {
  if (!is_kind(frame, packet)) return false;
  if (port_ != 0 && packet.source_port != port_ && packet.destination_port != port_) return false;
  const bool asks_size = min_size_ > 0 || max_size_ < UINT32_MAX;
  if (asks_size && packet.ip_version == 0) return false;
  return packet.ip_len >= min_size_ && packet.ip_len <= max_size_ &&
         packet.payload_len >= min_payload_;
}

bool Predicate::holds(const Frame& frame, const PacketView& packet, Time now, Random& random) {
  if (!first_) first_ = now;
  const auto since = now - *first_;
  const bool late_enough = payload_seen_ >= after_bytes_;
  payload_seen_ += packet.payload_len;

  if (!late_enough || since < from_ || (until_ && since >= *until_)) return false;
  if (!fits(frame, packet)) return false;
  ++seen_;
  if (seen_ < nth_ || (seen_ - nth_) % every_ != 0 || (seen_ - nth_) / every_ >= count_)
    return false;
  return probability_ >= 1 || random.chance(probability_);
}

void Predicate::pass_over(const PacketView& packet, Time now) {
  if (!first_) first_ = now;
  payload_seen_ += packet.payload_len;
}

}  // namespace slowpath::lab
