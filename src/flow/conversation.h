// SPDX-License-Identifier: Apache-2.0
// Whose turn it was: pauses in which everything was acknowledged, and Nagle waiting for a delayed ACK. Works on
// packets as they pass the tap, both directions together.
#pragma once

#include <array>

#include "facts/direction.h"
#include "flow/record.h"
#include "flow/sampler.h"

namespace slowpath::flow {

class Conversation {
 public:
  /// What is known about the record's direction when it is sent.
  struct Context {
    double round_trip_s;          // the best known so far; 0 = unknown
    std::uint32_t segment_size;
    bool idle;                    // its sender had nothing outstanding and nothing to repair before it
    bool at_window_edge;          // the window leaves no room for a full segment
  };
  void add(const Record& record, const Context& context);
  /// `end` is the connection's last packet.
  void finish(Direction direction, Time end, DirectionFacts& facts);

 private:
  struct Side {
    SeqNum sent_end{}, acked{};
    bool have_sent = false, have_acked = false;
    Time last_data{};
    FrameRef last_data_frame;
    bool last_small = false;
    bool waiting_small = false;      // a small segment is out and nothing followed it
    Time ack_time{};                 // when it was acknowledged, bare
    FrameRef ack_frame;
    double ack_waited_s = 0;
    PauseFacts pauses, answers;
    NagleFacts nagle;
    Sampler timers;
  };
  void data(const Record& record, Side& own, Side& other, const Context& context);
  void ack(const Record& record, Side& data_sender, double round_trip_s);

  std::array<Side, 2> sides_{};
};

}  // namespace slowpath::flow
