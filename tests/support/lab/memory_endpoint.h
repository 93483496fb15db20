// SPDX-License-Identifier: Apache-2.0
// An endpoint without a kernel: frames that a test put in come out of it, frames that it is sent
// are kept. For plane tests without root.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "lab/endpoint.h"
#include "support/packet_builder.h"

namespace slowpath::test {

class MemoryEndpoint final : public lab::Endpoint {
 public:
  struct Kept {
    Buffer bytes;
    lab::VnetHeader vnet;
  };

  /// What the host sends: read by the plane in this order.
  void host_sends(const lab::Frame& frame) { waiting_.push_back(keep(frame)); }
  /// What the host got.
  std::vector<Kept> received;
  /// Called after each frame that the host got.
  std::function<void()> on_received;

  [[nodiscard]] int fd() const override { return -1; }

  bool receive(lab::Frame& frame) override {
    if (waiting_.empty()) return false;
    const Kept next = std::move(waiting_.front());
    waiting_.pop_front();
    std::memcpy(frame.data, next.bytes.data(), next.bytes.size());
    frame.len = static_cast<std::uint32_t>(next.bytes.size());
    frame.vnet = next.vnet;
    count_received(frame);
    return true;
  }

  void send(const lab::Frame& frame) override {
    received.push_back(keep(frame));
    count_sent(frame, true);
    if (on_received) on_received();
  }

 private:
  static Kept keep(const lab::Frame& frame) {
    return {{frame.bytes().begin(), frame.bytes().end()}, frame.vnet};
  }

  std::deque<Kept> waiting_;
};

}  // namespace slowpath::test
