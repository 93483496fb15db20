// SPDX-License-Identifier: Apache-2.0
// A link of the path that is too narrow: its router reports it, keeps silent (a black hole), or
// reports nonsense.
#include <utility>

#include <fmt/core.h>

#include "lab/icmp_error.h"
#include "lab/ip4_fragments.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

class NarrowLink {
 public:
  explicit NarrowLink(Settings& settings)
      : mtu_(static_cast<std::uint32_t>(settings.number("mtu", 1500, 68, 65535))),
        reported_mtu_(mtu_),
        fragments_(settings.flag("fragment", true)) {
    const auto icmp = settings.choice("icmp", "true", {"true", "none", "bogus"});
    reports_ = icmp != "none";
    if (icmp == "bogus") {
      reported_mtu_ = static_cast<std::uint32_t>(settings.number("bogus_mtu", 0, 0, 65535));
    }
  }

  [[nodiscard]] bool is_too_big(const PacketView& packet) const {
    return packet.ip_version != 0 && packet.ip_len > mtu_;
  }

  void operator()(FramePtr frame, const PacketView& packet, StageContext& context) {
    if (packet.dont_fragment) {
      if (reports_) report(*frame, packet, context);
      context.drop(std::move(frame), "larger than the MTU of the link");
      return;
    }
    auto fragments = fragments_ ? cut_ip4_fragments(context.pool(), *frame, packet, mtu_)
                                : std::vector<FramePtr>{};
    if (fragments.empty()) {
      context.drop(std::move(frame), "larger than the MTU of the link, and not fragmented");
      return;
    }
    context.touched(*frame, "fragmented", fmt::format("into {}", fragments.size()));
    for (auto& fragment : fragments) context.pass(std::move(fragment));
  }

 private:
  void report(const Frame& frame, const PacketView& packet, StageContext& context) {
    const IpAddress router = default_router(ip_address(frame, packet, false));
    auto error = make_too_big(context.pool(), frame, packet, router, reported_mtu_, next_ip_id_++);
    if (!error) return;
    context.touched(*error, "reported too big",
                    fmt::format("{} bytes, MTU said {}", packet.ip_len, reported_mtu_));
    context.answer(std::move(error));
  }

  std::uint32_t mtu_, reported_mtu_;
  bool reports_ = true, fragments_;
  std::uint16_t next_ip_id_ = 1;
};

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"mtu"}); !given) return std::unexpected(given.error());
  NarrowLink link{settings};
  const auto applies = [link](const Frame&, const PacketView& packet) {
    return link.is_too_big(packet);
  };
  return make_rule_stage(settings, applies, link);
}

}  // namespace

extern const StageKind mtu_drop;
const StageKind mtu_drop{
    .name = "mtu-drop",
    .level = Level::middlebox,
    .summary =
        "drops IP packets above mtu that may not be fragmented, fragments the others; keys: "
        "mtu, icmp = true|none|bogus, bogus_mtu, fragment = true|false",
    .make = make};

}  // namespace slowpath::lab::stages
