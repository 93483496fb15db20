// SPDX-License-Identifier: Apache-2.0
// Wireshark's rules for tcp.analysis.*, as documented in its User's Guide (section 7.5) and
// measured against tshark 4.0: one pass in file order, the highest sequence number seen for memory,
// fixed thresholds. We do not judge by them; we say where they say something else than we do.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/sequence.h"
#include "base/time.h"
#include "flow/record.h"

namespace slowpath::flow {

/// Marks of one frame, ours and Wireshark's in the same words.
enum FrameFlag : std::uint32_t {
  kResend = 1u << 0,  // data, SYN or FIN sent before (tcp.analysis.retransmission and its variants)
  kOutOfOrder = 1u << 1,  // first sending, overtaken by later bytes
  kDuplicateAck = 1u << 2,
  kZeroWindow = 1u << 3,
  kLostSegment = 1u << 4,  // bytes before it have not been captured (yet)
  kKeepAlive = 1u << 5,
  kWindowProbe = 1u << 6,
  kSpurious = 1u << 7,  // a resend of what was acknowledged already
  kTapCopy = 1u << 8,
  kNetworkCopy = 1u << 9,
  // Evidence that the analysis leaves for the reasons:
  kSentBefore = 1u << 16,  // its bytes passed the tap before
  kSentLater =
      1u << 17,  // IP ID, timestamp or time since the hole: sent after the packet behind the hole
  kSentEarlier = 1u << 18,         // likewise: sent before it
  kNothingOutstanding = 1u << 19,  // no unacknowledged data of the other end when this ACK came
  kWithSack = 1u << 20,
  kNotBelieved =
      1u << 21,  // its checksum fails and its place in the stream is impossible or was not judged
};
/// The marks that are compared frame by frame.
inline constexpr std::uint32_t kComparedFlags =
    kResend | kOutOfOrder | kDuplicateAck | kZeroWindow | kLostSegment;

/// What the rules say about one frame, and what they went by.
struct WiresharkView {
  std::uint32_t flags = 0;         // FrameFlag
  FrameRef measured_by;            // the frame that set the next sequence number expected
  bool measured_by_empty = false;  // that frame carried no data, SYN or FIN
  bool measured_by_cut = false;    // it was stored cut, and its lost bytes make up the difference
  bool measured_by_bad = false;    // its TCP checksum fails
  bool before_measure = false;     // this frame's time is before that frame's
  bool after_probe = false;        // begins on the last byte seen and goes on beyond it
  bool keep_alive_answer = false;  // kept from being a duplicate ACK
  bool window_changed = false;     // against the sender's packet before
  bool checksum_bad = false;       // of this frame
  bool overtaken_in_file = false;  // a frame before it in the file is later in time
};

class WiresharkRules {
 public:
  /// The next packet in file order. `cut`: the file holds less of it than its IP length says, and
  /// does not mark it as cut (Wireshark then believes the shorter length).
  WiresharkView judge(const Record& record, bool cut);
  /// The two directions change places.
  void swap_ends();

 private:
  struct Side {
    std::optional<SeqNum> next;     // highest sequence number seen, plus length
    std::optional<SeqNum> ackable;  // highest without a gap
    SeqNum base{};
    bool have_base = false;
    Time next_time{};
    FrameRef next_frame;
    std::uint32_t next_missing = 0;  // bytes that the frame in next_frame had lost in the file
    bool next_empty = false, next_bad = false;
    std::optional<SeqNum> last_ack;
    Time last_time{};
    std::uint16_t window = 0;
    bool have_window = false;
    int duplicates = 0;
    std::uint32_t last_flags = 0;  // of its newest packet
  };
  struct Segment {  // what the rules are asked about
    const Record& record;
    SeqNum begin;
    std::uint32_t len;
    std::uint32_t space;  // len, and one for SYN or FIN
    bool plain;           // no SYN, FIN, RST
  };

  void note_round_trip(const Segment& s, Side& forward, Side& reverse);
  std::uint32_t mark_windows_and_acks(const Segment& s, Side& forward, const Side& reverse,
                                      WiresharkView& view) const;
  void note_ack(const Segment& s, Side& forward, Side& reverse) const;
  std::uint32_t mark_resend(const Segment& s, const Side& forward, const Side& reverse,
                            WiresharkView& view) const;
  void remember(const Segment& s, Side& forward, const WiresharkView& view,
                std::uint32_t missing) const;

  std::array<Side, 2> sides_;
  Time newest_{Time::min()};
  std::optional<Time> syn_time_;
  Duration initial_rtt_{0};
  bool have_rtt_ = false;
};

}  // namespace slowpath::flow
