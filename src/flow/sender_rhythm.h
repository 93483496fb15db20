// SPDX-License-Identifier: Apache-2.0
// Does a sender pause because it has nothing to send? Two things tell. A stack with more data fills
// its segments and marks the last byte it has with PSH (RFC 9293 section 3.9.1.2), so a short,
// pushed end is the end of what there was. And one that waits for ACKs sends when they come, while
// one whose application writes now and then lets them pass.
#pragma once

#include <algorithm>
#include <cstdint>

namespace slowpath::flow {

class SenderRhythm {
 public:
  /// New data left. `short_end`: it does not end with a full segment, and the window is not what
  /// cut it.
  void sent(bool pushed, bool short_end) {
    ++packets_;
    pushed_packets_ += pushed;
    last_pushed_ = pushed;
    drained_ = short_end && (pushed || pushed_packets_ == 0);
    short_ends_ += drained_;
  }

  /// New data after a pause: at an ACK, or by itself. Nagle holds a short segment back until an ACK
  /// comes, so that one (not `full`) does not show what the sender waited for.
  void burst(bool clocked, bool full) {
    if (clocked) {
      clocked_ += full;
    } else {
      ++own_;
      own_after_push_ += last_pushed_;
      newest_after_push_ = last_pushed_;
    }
    if (own_ + clocked_ <= kRemembered) return;
    for (std::uint32_t* count : {&own_, &clocked_, &own_after_push_, &short_ends_}) *count /= 2;
  }

  /// The newest burst, by itself, was none: a timer sent it.
  void take_back_own() {
    if (own_ > 0) --own_;
    if (newest_after_push_ && own_after_push_ > 0) --own_after_push_;
    newest_after_push_ = false;
  }

  /// The newest data was the last that the sender had.
  [[nodiscard]] bool drained() const { return drained_; }

  /// It pauses because it has nothing to send: it is drained, or short ends come as often as pauses
  /// of its own, or those begin where writes end, and few other packets carry PSH.
  [[nodiscard]] bool runs_dry() const {
    if (drained_) return true;
    if (own_ < kEnough) return false;
    if (short_ends_ * kPausesPerShortEnd >= own_) return true;
    return own_after_push_ * kPushedOf >= own_ * kPushed && pushed_packets_ * kPushShare < packets_;
  }

  /// Its bursts begin by themselves: where an ACK came just before one, that was chance
  /// (nearly_all_own).
  [[nodiscard]] bool mostly_own() const { return own_ >= kMostly * clocked_; }
  [[nodiscard]] bool nearly_all_own() const { return own_ > kNearlyAll * clocked_; }

 private:
  static constexpr std::uint32_t kRemembered = 128;  // bursts; older ones count half
  static constexpr std::uint32_t kEnough = 8;
  static constexpr std::uint32_t kPausesPerShortEnd = 3, kPushedOf = 5, kPushed = 4, kMostly = 2,
                                 kNearlyAll = 3;
  static constexpr std::uint64_t kPushShare = 4;

  std::uint64_t packets_ = 0, pushed_packets_ = 0;
  std::uint32_t own_ = 0, clocked_ = 0, own_after_push_ = 0, short_ends_ = 0;
  bool last_pushed_ = false, drained_ = false;
  bool newest_after_push_ = false;  // the newest burst by itself
};

}  // namespace slowpath::flow
