// SPDX-License-Identifier: Apache-2.0
// A sender that does not know of an agreed shift (RFC 7323 section 2.2) takes the receiver's window
// field as it stands. Where the SYNs say that the window is wide, only what the sender does tells:
// it sends to the field's very edge, waits there for an ACK, and never goes beyond. That wait is
// the window's, as the sender reads it.
#pragma once

#include <cstdint>

#include "facts/direction.h"

namespace slowpath::flow {

class BareField {
 public:
  /// `shift` as the SYNs tell it. The smallest that hosts use is 3: below it nobody would notice.
  /// Where no SYN tells, any may have been agreed, and how long a full segment is is not known:
  /// then only what ends at the very edge stops there.
  BareField(std::uint8_t shift, ScaleKnowledge knowledge)
      : is_unknown_(knowledge == ScaleKnowledge::unknown), is_watched_(is_unknown_ || shift >= 3) {}

  /// The field of an ACK up to the stream's offset `ack`.
  void on_window(std::int64_t ack, std::uint16_t field) { edge_ = ack + field; }

  /// New data up to `end`, in a segment that is full or not.
  void on_data(std::int64_t end, bool full, std::uint32_t segment_size) {
    if (!is_watched_ || edge_ < 0) return;
    ++sends_;
    if (end > edge_) {
      ++beyond_;
    } else if (end == edge_ || (full && !is_unknown_ && edge_ - end < segment_size)) {
      ++stops_;
      exact_ += end == edge_;
    }
  }

  /// The account gave `owner` these seconds while the sender had sent up to `next`.
  void on_wait(std::int64_t next, std::uint32_t segment_size, TimeOwner owner, double seconds) {
    // Where no SYN tells how long a full segment is, one as long as the field may be cut to it.
    const std::int64_t too_little = is_unknown_ ? segment_size : std::int64_t{segment_size} - 1;
    if (is_watched_ && edge_ >= 0 && edge_ - next <= too_little) waited_[owner] += seconds;
  }

  /// Says what was seen, and gives the waits at the edge to the window, where it held the sender;
  /// losses keep theirs.
  void settle(DirectionFacts& facts) const {
    facts.window.bare_sends = sends_;
    facts.window.bare_stops = stops_;
    facts.window.bare_beyond = beyond_;
    facts.window.holds_bare = holds_sender();
    if (facts.window.holds_bare) give_waits(facts.time);
  }

 private:
  static constexpr std::uint64_t kSends = 20, kSendsToTheByte = 10;

  /// Most sends end at the edge, and hardly any beyond it: the SYN's own window, which nobody
  /// scales, lets some pass at first. Messages end there by chance, and seldom.
  [[nodiscard]] bool holds_sender() const {
    const bool most = sends_ >= kSends && stops_ * 2 >= sends_;
    const bool most_to_the_byte = sends_ >= kSendsToTheByte && exact_ * 2 >= sends_;
    return (most || most_to_the_byte) && beyond_ * 10 <= sends_;
  }

  void give_waits(TimeAccount& time) const {
    double missing_s = 0;
    for (const TimeOwner owner :
         {TimeOwner::application, TimeOwner::pacing_or_cpu, TimeOwner::delayed_ack,
          TimeOwner::bottleneck, TimeOwner::slow_start, TimeOwner::congestion_window,
          TimeOwner::unknown}) {
      missing_s += waited_[owner] - give(time, owner, waited_[owner]);
    }
    // What waited for an ACK at first, and was found to be the application's afterwards.
    give(time, TimeOwner::application, missing_s);
  }

  /// As much as that owner has.
  static double give(TimeAccount& time, TimeOwner owner, double seconds) {
    const double moved = time[owner] < seconds ? time[owner] : seconds;
    time[owner] -= moved;
    time[TimeOwner::receive_window] += moved;
    return moved;
  }

  bool is_unknown_, is_watched_;
  std::int64_t edge_ = -1;                                        // none known yet
  std::uint64_t sends_ = 0, stops_ = 0, exact_ = 0, beyond_ = 0;  // exact: to the byte
  TimeAccount waited_;
};

}  // namespace slowpath::flow
