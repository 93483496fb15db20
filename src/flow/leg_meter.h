// SPDX-License-Identifier: Apache-2.0
// The legs of the path on either side of the tap, from one chapter's packets. Where the tap is
// because of them, witness.cc judges.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/sequence.h"
#include "base/time.h"
#include "flow/record.h"

namespace slowpath::flow {

/// Takes a sample into account; one below zero is none.
inline void shorten(std::optional<Duration>& leg, Duration sample) {
  if (sample < Duration{0}) return;
  if (!leg || sample < *leg) leg = sample;
}

struct Mark {
  SeqNum value;
  Time time;
};

/// First in, first out; a few hundred at most. Room that became free in front is used again.
class MarkQueue {
 public:
  [[nodiscard]] bool empty() const { return begin_ == marks_.size(); }
  [[nodiscard]] std::size_t size() const { return marks_.size() - begin_; }
  [[nodiscard]] const Mark& front() const { return marks_[begin_]; }
  void clear() {
    marks_.clear();
    begin_ = 0;
  }
  void pop_front() {
    if (++begin_ == marks_.size()) clear();
  }
  void push_back(const Mark& mark) {
    if (marks_.size() == marks_.capacity()) {
      marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
      marks_.reserve(std::max(2 * marks_.size(), kFirst));
    }
    marks_.push_back(mark);
  }

 private:
  static constexpr std::size_t kFirst = 16;
  std::vector<Mark> marks_;
  std::size_t begin_ = 0;
};

/// Shortest time from a packet of one end until the other end's reaction to it passes the tap.
/// Data is matched with its ACK, timestamps with their echo.
class LegMeter {
 public:
  void add(const Record& r) {
    const std::size_t from = index(r.direction), to = 1 - from;
    match_data(r, to);
    match_echo(r, to);
    if (r.payload_len > 0 && !r.has(wire::kSyn)) {
      const SeqNum end = r.sequence + r.payload_len;
      if (!have_end_[from] || end > newest_end_[from]) {
        newest_end_[from] = end;
        have_end_[from] = true;
        if (waiting_[from].size() < 512) waiting_[from].push_back({end, r.time});
      } else {
        waiting_[from].clear();  // resent: an ACK would be ambiguous (Karn)
      }
    }
    if (r.has_timestamps && (!have_ts_[from] || r.ts_value != newest_ts_[from])) {
      newest_ts_[from] = r.ts_value;
      have_ts_[from] = true;
      if (stamps_[from].size() == 512) stamps_[from].pop_front();
      stamps_[from].push_back({SeqNum{r.ts_value}, r.time});
    }
  }
  /// leg[0]: tap to client, leg[1]: tap to server. Data to the server is answered by the server.
  [[nodiscard]] const std::array<std::optional<Duration>, 2>& legs() const { return leg_; }

 private:
  // An ACK travelling away from the end that received data: the data went `to`, so the leg is that
  // end's.
  void match_data(const Record& ack, std::size_t data_way) {
    MarkQueue& waiting = waiting_[data_way];
    while (ack.has(wire::kAck) && !waiting.empty() && waiting.front().value <= ack.acknowledgment) {
      if (waiting.front().value == ack.acknowledgment)
        shorten(leg_[1 - data_way], ack.time - waiting.front().time);
      waiting.pop_front();
    }
  }
  void match_echo(const Record& r, std::size_t other) {
    if (!r.has_timestamps) return;
    MarkQueue& stamps = stamps_[other];
    while (!stamps.empty() && stamps.front().value < SeqNum{r.ts_echo}) stamps.pop_front();
    if (stamps.empty() || !(stamps.front().value == SeqNum{r.ts_echo})) return;
    shorten(leg_[1 - other], r.time - stamps.front().time);
    stamps.pop_front();
  }

  std::array<MarkQueue, 2> waiting_, stamps_;
  std::array<SeqNum, 2> newest_end_{};
  std::array<std::uint32_t, 2> newest_ts_{};
  std::array<bool, 2> have_end_{}, have_ts_{};
  std::array<std::optional<Duration>, 2> leg_{};
};

}  // namespace slowpath::flow
