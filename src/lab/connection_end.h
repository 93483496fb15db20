// SPDX-License-Identifier: Apache-2.0
// How a box that sees both directions knows that a TCP connection is over.
#pragma once

#include <optional>

#include "base/time.h"
#include "lab/packet_view.h"
#include "wire/packet.h"

namespace slowpath::lab {

/// Over once both directions have sent a FIN, or either a RST.
class ConnectionEnd {
 public:
  void see(const PacketView& packet, bool is_forward, Time now) {
    if (!packet.is_tcp) return;
    if ((packet.tcp_flags & wire::kFin) != 0) (is_forward ? fin_forward_ : fin_backward_) = true;
    const bool is_over = (packet.tcp_flags & wire::kRst) != 0 || (fin_forward_ && fin_backward_);
    if (is_over && !ended_) ended_ = now;
  }
  [[nodiscard]] bool is_older_than(Duration age, Time now) const {
    return ended_ && now - *ended_ >= age;
  }

 private:
  bool fin_forward_ = false, fin_backward_ = false;
  std::optional<Time> ended_;
};

}  // namespace slowpath::lab
