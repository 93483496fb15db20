// SPDX-License-Identifier: Apache-2.0
// A switch hardened against fragment attacks: a fragment that comes before its predecessor is
// dropped, and the rest of its datagram with it.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

constexpr Duration kForget = std::chrono::seconds{30};  // RFC 791: reassembly gives up by then

class Datagrams {
 public:
  void operator()(FramePtr frame, const PacketView& packet, StageContext& context) {
    forget_old(context.now());
    const auto found = find_or_begin(*frame, packet, context.now());
    Datagram& datagram = found->second;
    const std::uint32_t end = packet.fragment_offset + length_of(packet);
    if (packet.fragment_offset != datagram.next_offset) datagram.is_spoilt = true;
    datagram.next_offset = end;
    datagram.seen += length_of(packet);
    if (!packet.more_fragments) datagram.total = end;
    const bool is_spoilt = datagram.is_spoilt;
    if (datagram.total && datagram.seen >= *datagram.total) datagrams_.erase(found);
    if (is_spoilt) {
      context.drop(std::move(frame), "fragment before its predecessor");
    } else {
      context.pass(std::move(frame));
    }
  }

 private:
  using Key = std::tuple<IpAddress, IpAddress, std::uint8_t, std::uint16_t>;
  struct Datagram {
    Time began;
    std::uint32_t next_offset = 0, seen = 0;  // bytes behind the IP header
    std::optional<std::uint32_t> total{};
    bool is_spoilt = false;
  };

  static std::uint32_t length_of(const PacketView& packet) {
    return packet.ip_len - (packet.l4_offset - std::uint32_t{packet.ip_offset});
  }

  std::map<Key, Datagram>::iterator find_or_begin(const Frame& frame, const PacketView& packet,
                                                  Time now) {
    const Key key{ip_address(frame, packet, true), ip_address(frame, packet, false),
                  packet.protocol, packet.ip_id};
    return datagrams_.try_emplace(key, Datagram{.began = now}).first;
  }

  void forget_old(Time now) {
    if (now < next_look_) return;
    next_look_ = now + kForget;
    std::erase_if(datagrams_,
                  [now](const auto& entry) { return now - entry.second.began > kForget; });
  }

  std::map<Key, Datagram> datagrams_;
  Time next_look_{};
};

Result<StagePair> make(Settings& settings) {
  const auto applies = [](const Frame&, const PacketView& packet) { return packet.is_fragment; };
  return make_rule_stage(settings, applies, Datagrams{});
}

}  // namespace

extern const StageKind fragment_ooo_drop;
const StageKind fragment_ooo_drop{
    .name = "fragment-ooo-drop",
    .level = Level::middlebox,
    .summary = "drops an IP fragment that comes before its predecessor, and the datagram's rest",
    .make = make};

}  // namespace slowpath::lab::stages
