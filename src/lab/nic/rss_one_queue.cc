// SPDX-License-Identifier: Apache-2.0
// A receiving NIC with several queues, a core for each, that spreads flows over too few of them
// (one): those cores set the pace, the others idle. With `used` = `queues` it is healthy.
#include <vector>

#include "lab/make_stage.h"
#include "lab/packet_view.h"
#include "lab/virtual_queue.h"

namespace slowpath::lab::stages {
namespace {

/// FNV-1a over addresses and ports: the same queue for all packets of a flow. What is not IP has
/// no flow and takes the first queue.
std::uint64_t flow_hash(const Frame& frame, const PacketView& packet) {
  if (packet.ip_version == 0) return 0;
  const auto ip = frame.bytes().subspan(packet.ip_offset);
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const auto byte : packet.ip_version == 4 ? ip.subspan(12, 8) : ip.subspan(8, 32)) {
    add(std::to_integer<std::uint8_t>(byte));
  }
  for (const auto port : {packet.source_port, packet.destination_port}) {
    add(static_cast<std::uint8_t>(port >> 8));
    add(static_cast<std::uint8_t>(port));
  }
  return hash ^ (hash >> 32);
}

class RssOneQueue final : public Stage {
 public:
  explicit RssOneQueue(Settings& settings)
      : queues_(settings.number("queues", 4, 1, 1024)), used_(settings.number("used", 1, 1, 1024)) {
    const auto pps = static_cast<double>(settings.number("pps", 1, 1));
    const auto ring = static_cast<double>(settings.number("ring", 256, 1));
    served_.assign(static_cast<std::size_t>(used_), VirtualQueue{pps, ring});
  }

  [[nodiscard]] std::string complaint() const {
    return used_ > queues_ ? "used must not be above queues" : "";
  }

  void take(FramePtr frame, StageContext& context) override {
    auto& queue = served_[flow_hash(*frame, view(*frame)) % served_.size()];
    if (const auto leaves = queue.admit(context.now(), 1)) {
      context.pass_at(*leaves, std::move(frame));
    } else {
      context.drop(std::move(frame), "receive queue full");
    }
  }

 private:
  std::int64_t queues_, used_;
  std::vector<VirtualQueue> served_;
};

}  // namespace

extern const StageKind rss_one_queue;
const StageKind rss_one_queue{
    .name = "rss-one-queue",
    .level = Level::nic_rx,
    .needs_segments = true,
    .summary =
        "flows land on `used` (1) of `queues` (4) receive queues, each of `ring` frames "
        "(256) emptied at `pps` frames a second",
    .make = [](Settings& settings) { return make_stage<RssOneQueue>(settings, {"pps"}); },
};

}  // namespace slowpath::lab::stages
