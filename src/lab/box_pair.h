// SPDX-License-Identifier: Apache-2.0
// A box with a memory that sees both directions: its two halves, and which flows it concerns itself
// with. A predicate would not do for the latter: both halves must choose the same packets.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "lab/packet_view.h"
#include "lab/stage.h"

namespace slowpath::lab {

/// Key `port`: TCP or UDP flows with that port at either end; without it all.
class FlowFilter {
 public:
  static FlowFilter read(Settings& settings) {
    FlowFilter filter;
    if (settings.has("port")) {
      filter.port_ = static_cast<std::uint16_t>(settings.number("port", 0, 1, UINT16_MAX));
    } else {
      (void)settings.text("port");  // known, for the message about unknown keys
    }
    return filter;
  }
  [[nodiscard]] bool holds(const PacketView& packet) const {
    return port_ == 0 || packet.source_port == port_ || packet.destination_port == port_;
  }

 private:
  std::uint16_t port_ = 0;
};

/// One half of a box that both directions share.
template <typename Box, void (Box::*kTake)(FramePtr, StageContext&)>
class BoxHalf final : public Stage {
 public:
  explicit BoxHalf(std::shared_ptr<Box> box) : box_(std::move(box)) {}
  void take(FramePtr frame, StageContext& context) override {
    (*box_.*kTake)(std::move(frame), context);
  }

 private:
  std::shared_ptr<Box> box_;
};

/// The last step of make() of a box with `take_forward` and `take_backward`. Errors: usage.
template <typename Box>
Result<StagePair> make_box_pair(const Settings& settings, Box box) {
  if (auto read = settings.check(); !read) return std::unexpected(read.error());
  const auto shared = std::make_shared<Box>(std::move(box));
  return StagePair{.forward = std::make_unique<BoxHalf<Box, &Box::take_forward>>(shared),
                   .backward = std::make_unique<BoxHalf<Box, &Box::take_backward>>(shared)};
}

}  // namespace slowpath::lab
