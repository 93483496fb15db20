// SPDX-License-Identifier: Apache-2.0
#include "flow/wireshark_rules.h"

#include <algorithm>
#include <utility>

namespace slowpath::flow {
namespace {

// Thresholds of Wireshark: how soon after the newest segment a packet counts as out of order where
// the handshake was not seen, and how recent the duplicate ACKs must be for a fast retransmission.
constexpr Duration kOutOfOrderWithoutRtt = std::chrono::milliseconds(3);
constexpr Duration kFastWindow = std::chrono::milliseconds(20);

// Wireshark reckons without a sign: what lies behind in time is very far ahead.
bool is_within(Duration age, Duration limit) { return age >= Duration{0} && age < limit; }

constexpr std::uint8_t kSpecial = wire::kSyn | wire::kFin | wire::kRst;

}  // namespace

void WiresharkRules::swap_ends() { std::swap(sides_[0], sides_[1]); }

WiresharkView WiresharkRules::judge(const Record& record, bool cut) {
  Side& forward = sides_[index(record.direction)];
  Side& reverse = sides_[1 - index(record.direction)];
  const std::uint32_t len = cut ? record.captured_len : record.payload_len;
  const bool counts = record.has(wire::kSyn | wire::kFin);
  const Segment s{record, record.sequence, len, len + (counts ? 1 : 0), !record.has(kSpecial)};
  for (std::optional<SeqNum>* number :
       {&forward.next, &forward.ackable, &reverse.next, &reverse.ackable}) {
    if (*number == SeqNum{0}) number->reset();  // to Wireshark, 0 is "not seen yet"
  }
  WiresharkView view;
  view.measured_by = forward.next_frame;
  view.measured_by_empty = forward.next_empty;
  view.measured_by_bad = forward.next_bad;
  view.before_measure = forward.next && record.time < forward.next_time;
  view.measured_by_cut = forward.next && forward.next_missing > 0 &&
                         s.begin - *forward.next <= static_cast<std::int64_t>(forward.next_missing);
  view.checksum_bad = record.checksum == wire::ChecksumState::bad;
  view.overtaken_in_file = record.time < newest_;
  newest_ = std::max(newest_, record.time);

  note_round_trip(s, forward, reverse);
  view.flags = mark_windows_and_acks(s, forward, reverse, view);
  note_ack(s, forward, reverse);
  if (s.space > 0 && (view.flags & kKeepAlive) == 0)
    view.flags |= mark_resend(s, forward, reverse, view);
  remember(s, forward, view, record.payload_len - len);
  return view;
}

// From the SYN to the first ACK that ends the handshake; the threshold of "out of order".
void WiresharkRules::note_round_trip(const Segment& s, Side& forward, Side& reverse) {
  const Record& r = s.record;
  if (!forward.have_base) {
    forward.base = r.has(wire::kSyn) ? s.begin : SeqNum{s.begin.value - 1};
    forward.have_base = true;
  }
  if (!reverse.have_base && r.has(wire::kAck)) {
    reverse.base = SeqNum{r.acknowledgment.value - 1};
    reverse.have_base = true;
  }
  if (r.has(wire::kSyn)) {
    if (!r.has(wire::kAck)) syn_time_ = r.time;
  } else if (!have_rtt_ && syn_time_ && r.has(wire::kAck) && s.len == 0 &&
             s.begin == forward.base + 1 && r.acknowledgment == reverse.base + 1) {
    initial_rtt_ = r.time - *syn_time_;
    have_rtt_ = true;
  }
}

std::uint32_t WiresharkRules::mark_windows_and_acks(const Segment& s, Side& forward,
                                                    const Side& reverse,
                                                    WiresharkView& view) const {
  const Record& r = s.record;
  const bool at_next = forward.next && s.begin == *forward.next;
  if (s.len == 1 && at_next && reverse.have_window && reverse.window == 0) return kWindowProbe;
  std::uint32_t flags = 0;
  if (r.window == 0 && s.plain) flags |= kZeroWindow;
  if (forward.next && s.begin > *forward.next && !r.has(wire::kRst)) flags |= kLostSegment;
  if (s.len <= 1 && forward.next && s.begin + 1 == *forward.next && s.plain) flags |= kKeepAlive;
  const bool same_window = r.window == forward.window;
  view.window_changed = !same_window;
  const bool repeats =
      s.len == 0 && at_next && s.plain && forward.last_ack && r.acknowledgment == *forward.last_ack;
  if (!repeats || !same_window) return flags;
  if (r.window > 0 && (reverse.last_flags & kKeepAlive) != 0) {
    view.keep_alive_answer = true;
    return flags;
  }
  if (r.window == 0) return flags;
  forward.duplicates = forward.duplicates < 0 ? 1 : forward.duplicates + 1;
  return flags | kDuplicateAck;
}

// An ACK beyond what was seen of the other end spoils that end's count of duplicate ACKs.
void WiresharkRules::note_ack(const Segment& s, Side& forward, Side& reverse) const {
  const Record& r = s.record;
  if (!forward.last_ack || r.acknowledgment != *forward.last_ack) forward.duplicates = 0;
  if (!reverse.ackable || !r.has(wire::kAck) || r.acknowledgment <= *reverse.ackable) return;
  if (reverse.next && reverse.ackable->value > reverse.next->value) {
    reverse.ackable = reverse.next;
  } else {
    reverse.duplicates = -1;
  }
}

std::uint32_t WiresharkRules::mark_resend(const Segment& s, const Side& forward,
                                          const Side& reverse, WiresharkView& view) const {
  const Record& r = s.record;
  bool behind = forward.next && s.begin < *forward.next;
  view.after_probe = behind && s.len > 1 && s.begin + 1 == *forward.next;
  if (view.after_probe) behind = false;
  if (s.len > 0 && reverse.last_ack && s.begin + s.len <= *reverse.last_ack)
    return kResend | kSpurious;
  if (!behind) return 0;
  const bool asked_for =
      reverse.duplicates >= 2 && reverse.last_ack && *reverse.last_ack == s.begin;
  const Duration since_ack = r.time - reverse.last_time, since_next = r.time - forward.next_time;
  if (asked_for && is_within(since_ack, kFastWindow)) return kResend;
  const Duration window =
      have_rtt_ && initial_rtt_ != Duration{0} ? initial_rtt_ : kOutOfOrderWithoutRtt;
  if (is_within(since_next, window) && *forward.next != s.begin + s.space) return kOutOfOrder;
  return kResend;
}

void WiresharkRules::remember(const Segment& s, Side& forward, const WiresharkView& view,
                              std::uint32_t missing) const {
  const Record& r = s.record;
  const SeqNum end = s.begin + s.space;
  const bool probe = (view.flags & kWindowProbe) != 0;
  if (!probe && (!forward.next || end > *forward.next)) {
    forward.next = end;
    forward.next_time = r.time;
    forward.next_frame = r.frame;
    forward.next_missing = missing;
    forward.next_empty = s.space == 0;
    forward.next_bad = r.checksum == wire::ChecksumState::bad;
  }
  if (!probe && (!forward.ackable || *forward.ackable == s.begin)) forward.ackable = forward.next;
  forward.window = r.window;
  forward.have_window = true;
  if (r.has(wire::kAck)) forward.last_ack = r.acknowledgment;
  forward.last_time = r.time;
  forward.last_flags = view.flags;
}

}  // namespace slowpath::flow
