// SPDX-License-Identifier: Apache-2.0
// The receiver's window: what it allows, when it was full, and when it was closed.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// A window that closed so often belongs to a slow reader.
constexpr std::uint64_t kCloses = 3;
// A window below this share of its largest is being filled by data that nobody reads.
constexpr double kOpenShare = 0.75;
// The largest frame that a host hands to its NIC at once (Linux: GSO_LEGACY_MAX_SIZE).
constexpr double kSuperframe = 65536;
// Of a round trip: an ACK that comes later was held up, and that is no business of the window's.
constexpr double kEarlyMost = 0.25;

}  // namespace

void DirectionAnalysis::read_window(const Record& record, std::int64_t ack, Time now) {
  const std::uint64_t window = std::uint64_t{record.window} << window_shift_;
  WindowFacts& facts = facts_.window;
  if (!have_window_) {
    facts.initial_bytes = window;
    facts.raw_min = facts.raw_max = record.window;
  }
  facts.raw_max = std::max(facts.raw_max, record.window);
  facts.raw_min = std::min(facts.raw_min, record.window);
  const std::int64_t edge = ack + static_cast<std::int64_t>(window);
  if (have_window_ && edge + (std::int64_t{1} << window_shift_) <= right_edge_ && window > 0)
    note(facts.shrunk, record.frame);
  if (edge != right_edge_) newest_opening_ = have_window_ ? edge - right_edge_ : 0;
  have_window_ = true;
  window_bytes_ = window;
  right_edge_ = edge;
  edges_.moved(edge, now);
  bare_field_.on_window(ack, record.window);
  facts.max_bytes = std::max(facts.max_bytes, window);
  TimelineBin& bin = timeline_.bin(now);
  if (window > 0)
    bin.window_min_bytes =
        bin.window_min_bytes == 0 ? window : std::min(bin.window_min_bytes, window);
  if (record.payload_len == 0 || next_ > una_) windows_.add(static_cast<double>(window));
  watch_closing(record, now);
}

// From the first packet that closes the window to the one that opens it again.
void DirectionAnalysis::watch_closing(const Record& record, Time now) {
  if (window_bytes_ == 0 && !record.has(wire::kFin)) {
    note(facts_.window.zero, record.frame);
    label(record, kZeroWindow);
    if (!zero_open_) {
      zero_open_ = true;
      zero_since_ = now;
      zero_frame_ = record.frame;
      zero_mattered_ = false;
    }
    zero_mattered_ |= next_ > una_;
  } else if (zero_open_) {
    zero_open_ = false;
    zero_until_ = now;
    zero_end_frame_ = record.frame;
    // Nothing outstanding and no probe: only data that follows at once shows that somebody waited.
    zero_undecided_ = !zero_mattered_;
    if (zero_mattered_) count_closing();
  }
}

void DirectionAnalysis::count_closing() {
  WindowFacts& facts = facts_.window;
  const double seconds = to_seconds(zero_until_ - zero_since_);
  ++facts.zero_episodes;
  facts.zero_s += seconds;
  if (seconds < facts.zero_longest_s) return;
  facts.zero_longest_s = seconds;
  facts.zero_longest_begin = zero_frame_;
  facts.zero_longest_end = zero_end_frame_;
}

// A closing that nobody waited for was the application's time.
void DirectionAnalysis::decide_closing(std::optional<Time> next_data) {
  if (!zero_undecided_) return;
  zero_undecided_ = false;
  constexpr double kReactionRoundTrips = 2, kReactionFloor_s = 0.02;
  const double soon_s = std::max(kReactionRoundTrips * srtt_s_, kReactionFloor_s);
  if (next_data && to_seconds(*next_data - zero_until_) <= soon_s) return count_closing();
  double& closed = facts_.time[TimeOwner::zero_window];
  const double moved = std::clamp(to_seconds(zero_until_ - zero_since_), 0.0, closed);
  closed -= moved;
  facts_.time[TimeOwner::application] += moved;
}

// The room for which a sender does not wait any longer: a segment, or the super-frame that it hands
// to its NIC at once, but a third of the window at most (Linux: tcp_tso_win_divisor).
std::int64_t DirectionAnalysis::useful_room() const {
  const auto segment = static_cast<std::int64_t>(std::max(segment_size_, 1u));
  const std::int64_t useful =
      std::min<std::int64_t>(segment, std::max<std::int64_t>(facts_.largest_payload, 1));
  if (facts_.vantage != Vantage::sender) return useful;
  const auto third = static_cast<std::int64_t>(window_bytes_ / 3);
  return std::max(useful, std::min<std::int64_t>(facts_.superframes.max_payload, third));
}

// By how much an ACK is shown before the sender has it, away from there: its fastest ones tell
// when.
double DirectionAnalysis::shown_early_s() const {
  return std::max(0.0, sender_leg_typical_s_ - to_seconds(sender_leg_min_));
}

// For so long a window that was full still is, as the sender sees it.
double DirectionAnalysis::still_full_s() const {
  return std::max(clock_s(), std::min(kEarlyMost * rtt_min_s_, 2 * shown_early_s()));
}

// Away from the sender ACKs are shown as early as its fastest ones come, so that the room of later
// ones seems to stay unused for a while: as much of the window as the delay is of a round trip. And
// a super-frame that the sender waits to send whole does not show. Never more than an eighth.
std::int64_t DirectionAnalysis::room_at_edge() const {
  // Who stopped before the edge was stopped by something else, and waits for no super-frame's room.
  if (!away()) return sent_to_edge_ ? useful_room() : std::max<std::int64_t>(segment_size_, 1);
  const auto eighth = static_cast<double>(window_bytes_) / 8;
  double room = eighth;
  if (rtt_min_s_ > 0 && sender_leg_typical_s_ > 0) {
    room = std::min(
        eighth, kSuperframe + static_cast<double>(window_bytes_) * shown_early_s() / rtt_min_s_);
  }
  return std::max(useful_room(), static_cast<std::int64_t>(room));
}

bool DirectionAnalysis::is_window_full(Time now) const {
  // Who went beyond it by a whole window reads another one than is written here.
  if (!knows_window() || facts_.window.beyond_max_bytes > facts_.window.max_bytes) return false;
  if (slow_start_ends_flight()) return false;
  return window_room() < room_at_edge() ||
         (away() && to_seconds(now - window_full_until_) <= still_full_s());
}

// A reader that falls behind closes the window; a window that only fills a queue stands wide open.
// The slow reader also delays ACKs, so that the round trip alone would accuse the path.
bool DirectionAnalysis::window_is_filling() const {
  // A path that is full keeps the reader waiting: then the window never closes.
  if (facts_.window.zero.count >= kCloses) return true;
  return static_cast<double>(window_bytes_) <
         kOpenShare * static_cast<double>(facts_.window.max_bytes);
}

bool DirectionAnalysis::window_leaves_less_than(std::int64_t room) const {
  return knows_window() && window_room() < room && !slow_start_ends_flight();
}

// At the newest edge that the sender may have known, to the byte.
bool DirectionAnalysis::ends_at_known_edge(std::int64_t end, Time now) const {
  return knows_window() && edges_.was_edge(end, now, round_trip_s());
}

// In slow start the congestion window grows by what is acknowledged, never by more (RFC 5681
// section 3.1). A flight that has come so far ends there, whatever the receiver leaves; Linux asks
// in this order too (tcp_write_xmit).
bool DirectionAnalysis::slow_start_ends_flight() const {
  return slow_start_ && next_ - una_ + static_cast<std::int64_t>(segment_size_) > slow_start_most_;
}

// Shorter than a full one, to the very edge of a window that moved by less than a segment.
void DirectionAnalysis::note_silly_segment(const Sending& s) {
  if (window_room() > 0 || s.record.payload_len >= segment_size_) return;
  if (newest_opening_ <= 0 || newest_opening_ >= static_cast<std::int64_t>(segment_size_)) return;
  note(facts_.window.silly, s.record.frame);
  facts_.window.silly_bytes += s.record.payload_len;
}

}  // namespace slowpath::flow
