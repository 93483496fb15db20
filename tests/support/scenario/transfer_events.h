// SPDX-License-Identifier: Apache-2.0
// What the parts of the transfer model tell each other, and when. Events of the same time happen in
// the order in which they were made.
#pragma once

#include <cstdint>
#include <queue>
#include <utility>
#include <vector>

#include "base/time.h"
#include "support/scenario/connection.h"

namespace slowpath::test::scenario {

struct DataPacket {
  ByteRange data{0, 0};
  Timestamps stamps;
};

struct AckPacket {
  std::int64_t acknowledged = 0;
  std::uint64_t window_bytes = 0;
  std::vector<ByteRange> sack;
  Timestamps stamps;
};

struct Event {
  enum class Kind : std::uint8_t { data, ack, retransmit, tail_probe, delayed_ack, write, read };
  Duration at{0};
  std::uint64_t order = 0;
  Kind kind = Kind::data;
  std::uint64_t timer = 0;  // generation: a timer set anew makes the older one void
  DataPacket data;
  AckPacket reply;

  bool operator<(const Event& later) const {  // std::priority_queue wants the largest first
    return std::pair(later.at, later.order) < std::pair(at, order);
  }
};

class EventQueue {
 public:
  void push(Event event) {
    event.order = ++order_;
    events_.push(std::move(event));
  }
  void set_timer(Duration at, Event::Kind kind, std::uint64_t generation) {
    Event event;
    event.at = at;
    event.kind = kind;
    event.timer = generation;
    push(std::move(event));
  }
  bool pop(Event& event) {
    if (events_.empty()) return false;
    event = events_.top();
    events_.pop();
    return true;
  }

 private:
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
};

}  // namespace slowpath::test::scenario
