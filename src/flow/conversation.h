// SPDX-License-Identifier: Apache-2.0
// Whose turn it was: pauses in which everything was acknowledged, and Nagle waiting for a delayed
// ACK. Works on packets as they pass the tap, both directions together.
#pragma once

#include <array>
#include <optional>

#include "facts/connection.h"
#include "flow/record.h"
#include "flow/sampler.h"

namespace slowpath::flow {

class Conversation {
 public:
  /// What is known about the record's direction when it is sent.
  struct Context {
    double round_trip_s;         // the best known so far; 0 = unknown
    double sender_leg_s;         // of it from the tap to the sender and back; 0 = none, or unknown
    std::uint32_t segment_size;  // what is shorter is a message
    bool idle;            // its sender had nothing outstanding and nothing to repair before it
    bool at_window_edge;  // the window leaves no room for a full segment
  };
  void add(const Record& record, const Context& context);
  /// `end` is the connection's last packet.
  void finish(Direction direction, Time end, DirectionFacts& facts);
  [[nodiscard]] const ExchangeFacts& exchanges() const { return exchanges_; }

 private:
  struct Side {
    SeqNum sent_end{}, acked{};
    bool have_sent = false, have_acked = false;
    Time last_data{};
    FrameRef last_data_frame;
    bool last_small = false;
    bool waiting_small = false;  // a small segment is out and nothing followed it
    Time ack_time{};             // when it was acknowledged, bare
    FrameRef ack_frame;
    std::optional<std::uint32_t> ack_stamp;  // its timestamp
    double ack_waited_s = 0;
    PauseFacts pauses, answers;
    double open_answer_s = 0;          // a late answer that nobody has reacted to yet; 0 = none
    std::uint64_t answered_bytes = 0;  // of it
    NagleFacts nagle;
    Sampler timers;
    bool waiting_lone = false;  // a full segment is out, alone, and nothing followed it
    double lone_waited_s = 0;   // a timer's time, until its bare ACK came
    NagleFacts lone;
    Sampler lone_timers;
  };
  void data(const Record& record, Side& own, Side& other, const Context& context);
  void ack(const Record& record, Side& data_sender, double round_trip_s);
  static void note_ack(const Record& record, Side& data_sender);
  static bool ack_called_for(const Record& record, const Side& own, const Context& context);
  void take_turn(const Record& record, const Side& own, const Side& other, double round_trip_s);
  static void react(Side& answering, Time time, double round_trip_s);
  static void await(Side& answering);
  void lone_segment(const Record& record, Side& own, bool own_done, const Context& context);

  std::array<Side, 2> sides_{};
  ExchangeFacts exchanges_;
  bool answered_ = false;         // the server's data came last
  double turn_waited_s_ = 0;      // between the client's block and the answer to it
  std::uint64_t turn_bytes_ = 0;  // that both sent since the exchange before
};

}  // namespace slowpath::flow
