// SPDX-License-Identifier: Apache-2.0
// What is known about the data that one end of a connection sent to the other: the facts that most detectors
// read. Made by flow/; plain data. "Sender" and "receiver" are those of this direction's data; ACKs and windows
// in here are the ones that the receiver sent back for it. Seconds are doubles; sizes are bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "facts/frame_ref.h"
#include "facts/passage.h"
#include "facts/time_account.h"
#include "facts/timeline.h"
#include "facts/ways.h"

namespace slowpath {

enum class Direction : std::uint8_t { to_server, to_client };
constexpr Direction opposite(Direction d) { return d == Direction::to_server ? Direction::to_client : Direction::to_server; }

/// Where the capture was taken, seen from this direction's data.
enum class Vantage : std::uint8_t { unknown, sender, receiver, midpath, both };

/// How a range of bytes came to be sent again. Spurious is kept beside it: any class can turn out to be needless.
enum class ResendClass : std::uint8_t {
  fast,               // after duplicate ACKs or SACK (RFC 5681, 6675, 8985), or found by another resend's ACK
  timeout,            // first resend after a retransmission timeout's silence
  tail_probe,         // one resend about 2 SRTT after the last data (RFC 8985 section 7)
  go_back,            // further ranges resent after a timeout, in order, because all in flight was deemed lost
  keep_alive,         // 0 or 1 byte before the next byte expected
  zero_window_probe,  // sent against a closed window
  handshake,          // SYN or SYN-ACK
  unknown,
};
inline constexpr std::size_t kResendClassCount = 8;

struct ResendFacts {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  Exemplars frames;
};

/// Delivery of frames of one length class (IP total length, both bounds inclusive). First copies and resends apart.
/// "Delivered": some later ACK or SACK shows it arrived and no other copy can have caused that. "Lost": another copy
/// was needed. What is neither was still open at the end of the capture.
struct SizeClass {
  std::uint32_t min_len = 0, max_len = 0;
  std::uint64_t first_sent = 0, first_delivered = 0, first_lost = 0;
  std::uint64_t resent = 0, resent_delivered = 0, resent_lost = 0;
  Exemplars delivered, lost;
};

/// Super-frames of so many segments, the last one counted whole.
struct SuperframeSize {
  std::uint32_t segments = 0;
  std::uint64_t delivered = 0, lost_whole = 0;
};

/// Frames with more payload than one segment holds (left to the NIC to cut, or merged on arrival).
struct SuperframeFacts {
  std::uint64_t sent = 0;
  std::uint64_t unfinished = 0;       // of these: their checksum was left to the NIC that is to cut them
  std::uint64_t delivered = 0;        // any byte of the first copy arrived
  std::uint64_t lost_whole = 0;       // every byte had to be sent again
  std::uint64_t lost_then_pieces_delivered = 0;  // of these: resent in frames of one segment, which arrived
  std::uint64_t resent_sent = 0, resent_delivered = 0;  // super-frames that were resends
  std::uint32_t max_payload = 0;
  Exemplars delivered_frames, lost_frames, piece_frames;
  Exemplars stall_frames;             // resends that ended a timeout after lost super-frames
  double timeout_s = 0;               // timeout silence whose first unacknowledged frame was a super-frame
  std::vector<SuperframeSize> sizes;  // ascending, only those that occurred; a super-frame has 64 KiB at most
};

struct LossEvent {
  Time time{};                 // of the resend that repaired it
  FrameRef original;           // none when the original never passed the capture point
  FrameRef resend;
  std::uint64_t offset = 0;    // of the first lost byte in the stream, 0 = first byte after the SYN
  std::uint32_t len = 0;       // of a super-frame only what of it was sent again
  std::uint32_t original_ip_len = 0;  // IP total length of the lost frame; 0 unknown
  ResendClass how = ResendClass::unknown;
  bool before_capture = false; // lost between the sender and the capture point
  double rtt_before_s = 0;     // last RTT sample before the original was sent; 0 unknown
  std::uint64_t flight_bytes = 0;     // outstanding when the original was sent
  double waited_s = 0;         // from original (or the hole's discovery) to the resend
  std::uint32_t episode = 0;   // losses in one flight share a number
};

/// Silence of a direction with a cause. At least max(200 ms, 2 RTT) long unless it is named otherwise.
struct Stall {
  Time begin{};
  double seconds = 0;
  TimeOwner owner = TimeOwner::unknown;
  FrameRef before, after;      // the frames around it
  std::uint64_t outstanding_bytes = 0;
  std::uint32_t unanswered_sends = 0;  // transmissions of the same range without any answer, inside the stall
  bool replies_lost = false;   // away from the sender: what ended it had been acknowledged here long before, so the
                               // ACKs were lost; unanswered_sends is then what the sender's IP IDs and timer leave room for
  std::uint32_t smallest_unanswered_ip_len = 0, largest_unanswered_ip_len = 0;
  bool ended = true;           // false: the capture ended first
};

enum class ScaleKnowledge : std::uint8_t {
  negotiated,    // both SYNs seen, both carry the option
  not_in_use,    // both SYNs seen, at least one lacks it
  guessed,       // handshake not seen; what both ends did is explained by no other shift
  unknown,       // likewise, and by several; the least of them is taken
};

struct WindowFacts {
  ScaleKnowledge knowledge = ScaleKnowledge::unknown;
  std::uint8_t shift = 0;              // applied to the field
  std::uint16_t raw_max = 0, raw_min = 0;  // fields as sent, SYN/RST excluded
  std::uint64_t initial_bytes = 0;     // first scaled window after the handshake
  std::uint64_t max_bytes = 0;
  std::uint64_t median_bytes = 0;      // over packets that carried data ACKs
  double at_max_share = 0;             // of these packets: window within one segment of max_bytes
  double opening_s = 0;                // time at the edge while the window still opened: later it stood a third wider at least
  Exemplars at_edge;                   // data frames after which less than one segment of window was left
  Exemplars zero;                      // frames that advertised zero (no SYN, FIN, RST)
  std::uint64_t zero_episodes = 0;     // with data outstanding or pending
  double zero_s = 0, zero_longest_s = 0;
  FrameRef zero_longest_begin, zero_longest_end;
  bool zero_at_end = false;
  Exemplars zero_probes;
  Exemplars beyond;                    // data sent past the right edge: the window as read here cannot be the real one
  std::uint64_t beyond_max_bytes = 0;
  Exemplars shrunk;                    // right edge moved back
  // Segments shorter than a full one that end where the window does, after it opened by less than a segment (RFC 9293
  // section 3.8.6.2: the silly window syndrome, which both ends should avoid).
  Exemplars silly;
  std::uint64_t silly_bytes = 0;       // in these
  // A sender may not know of an agreed shift, and take the field as it stands (RFC 7323 section 2.2).
  std::uint64_t bare_sends = 0;        // data while a field was known, with a shift of three or more, or one that is not known
  std::uint64_t bare_stops = 0;        // of these, the ones that end where the field as it stands does
  std::uint64_t bare_beyond = 0;       // and those that pass it
  bool holds_bare = false;             // most stop there, and hardly any pass
};

struct RttFacts {
  std::uint64_t samples = 0;
  double min_s = 0, median_s = 0, p95_s = 0, max_s = 0;
};

/// Round-trip times. A capture point splits the trip in two legs; total = leg to the receiver + leg to the sender.
struct RttSet {
  RttFacts total;
  RttFacts receiver_leg;      // data passes the capture point until its ACK passes back
  RttFacts sender_leg;        // ACK passes until data that echoes or follows it
  std::optional<double> handshake_s;      // both legs of the handshake
  double idle_s = 0;          // median with at most two segments in flight; 0 = no such sample
  double loaded_s = 0;        // median with the flight above half its maximum; 0 = no such sample
  std::array<double, 21> quantiles_s{};   // 0, 5, ... 100 % of total
};

struct ChecksumFacts {
  std::uint64_t good = 0, partial = 0, partial_no_length = 0, zero = 0, unverifiable = 0, bad = 0;
  Exemplars bad_frames;                // TCP checksum wrong, in frames of one segment
  std::uint64_t bad_superframes = 0;   // merged on arrival: a wrong sum is normal there
  std::uint64_t bad_ip_headers = 0;    // IPv4 header checksum wrong as well: addresses rewritten in the file
  std::uint32_t bad_len_min = 0, bad_len_max = 0;  // payload lengths of bad frames
  std::uint64_t bad_needed_resend = 0;    // the receiver did not acknowledge it; a good copy followed
  std::uint64_t bad_resent_bad = 0;       // a further copy was bad as well
  std::uint64_t bad_but_acknowledged = 0; // acknowledged without another copy: the file or the capture is wrong
  Exemplars bad_acknowledged_frames;
  // Bad sums that were made with the length of a super-frame: their errors name a payload to which these frames, one
  // behind the other, add up exactly. Or with no length at all, as large sends leave the stack (Windows, RFC 1071 sums).
  std::uint64_t seeded_frames = 0, seeded_superframes = 0;
  std::uint32_t seeded_max_payload = 0;   // of a super-frame so named
  Exemplars seeded;
  std::uint64_t no_length_frames = 0;
  // Unfinished checksums are normal where they are made. Away from the sender they reach the receiver as they are:
  std::uint64_t partial_needed_resend = 0;   // segments whose unfinished copy was not taken
  std::uint64_t partial_resent_partial = 0;  // and whose further copy was unfinished as well
  std::uint64_t error_distinct = 0;       // distinct values of (stored - correct), at most 16 counted
  std::uint16_t error_value = 0;          // the first
  Exemplars good_twins;                   // good copies of ranges first seen bad
};

/// Bytes that were seen twice and compared.
struct PayloadDifference {
  FrameRef original, resend;
  std::uint64_t offset = 0;           // in the stream
  std::uint32_t compared = 0, differing = 0;
  std::uint32_t first_difference = 0; // within the compared stretch
  bool original_refused = false;      // the receiver had reported it missing: its checksum did not pass there
  std::uint32_t last_difference = 0;  // within the compared stretch
  bool sums_equal = false;            // of both copies of the stretch, by the Internet checksum
  bool original_bad = false, resend_bad = false;  // the checksum of that copy is wrong
  // Where the stretch begins in each frame's payload, and how much payload the frame carries.
  std::uint32_t at_original = 0, at_resend = 0;
  std::uint32_t original_payload = 0, resend_payload = 0;
  // Both copies from `excerpt_at` of the stretch on, as far as they differ; empty beyond the first few differences.
  static constexpr std::size_t kExcerptBytes = 1536;  // a segment of Ethernet's size
  std::uint32_t excerpt_at = 0;
  std::vector<std::byte> original_bytes, resend_bytes;
  // Where in the stream the differing bytes of a copy were seen, too.
  std::optional<std::uint64_t> original_found_at, resend_found_at;
};
struct PayloadCompareFacts {
  std::uint64_t compared_bytes = 0;       // captured in both copies
  std::uint64_t not_comparable_bytes = 0; // cut by the snap length or no longer at hand
  std::uint64_t differing_packets = 0;
  std::uint64_t differing_refused = 0;    // of these, originals that passed the tap and that the receiver refused
  Exemplars refused_frames, refused_twins;
  std::vector<PayloadDifference> differences;  // the first 16
  std::uint64_t damaged_packets = 0;      // one copy with a wrong checksum, the other with a good one, and they differ
  std::vector<PayloadDifference> damages; // the first 16 of these
};

/// Pauses in which nothing was outstanding, told apart by whose turn it was.
struct PauseFacts {
  std::uint64_t count = 0;
  double seconds = 0, longest_s = 0;
  FrameRef longest_before, longest_after;
  Exemplars ends;                      // frames that ended a pause
  // Of answers, those that somebody waited for: the client went on at once, or the connection ended, or they are long.
  // The others may be notifications, which nobody misses.
  std::uint64_t awaited = 0;
  double awaited_s = 0;
};

/// Small segment out, a pause of a delayed-ACK timer, a bare ACK, and the next small segment at once (RFC 896, 1122).
struct NagleFacts {
  std::uint64_t count = 0;
  double seconds = 0;
  double timer_median_s = 0;
  Exemplars ack_frames;
};

/// Data packets that left although no ACK had just come, with others still outstanding: the sender's own rhythm.
struct SpacingFacts {
  std::uint64_t gaps = 0;              // between such a packet and the one before it
  double p10_s = 0, median_s = 0, p90_s = 0;
  double median_bytes = 0;             // payload of the packet before the gap
};

/// Short trains of arrivals, at least six segments each: how fast data came where it was received. Those with a pause
/// of the sender in them are left out.
struct TrainFacts {
  std::uint64_t trains = 0;
  double median_bps = 0, p75_bps = 0, p90_bps = 0;  // payload
  // On which the gaps between single segments agree, the fastest such rate; 0: on none. And how many do, of all gaps.
  double pair_bps = 0, pair_share = 0;
};

struct ReorderFacts {
  std::uint64_t packets = 0;           // arrived after one sent later, original copies only
  double max_late_s = 0, median_late_s = 0;
  // From the late one to the end of the highest that came before it, as tcp_reordering of Linux counts.
  std::uint64_t max_distance_segments = 0;
  Exemplars frames;
  bool by_sack = false;                // seen only as SACKed-then-filled without a resend (sender side)
  // Further ones, sender side: SACK told of bytes behind them, so they were sent again, and both copies arrived.
  std::uint64_t taken_for_lost = 0;

  [[nodiscard]] std::uint64_t late() const { return packets + taken_for_lost; }
};

struct DuplicateFacts {
  std::uint64_t packets = 0;           // same bytes, same IP ID, no new transmission
  Exemplars frames;
  std::uint64_t dsack_without_resend = 0;  // the receiver reports copies that the sender never made
  Exemplars dsack_frames;
};

struct SpuriousFacts {
  std::uint64_t packets = 0;           // resends of bytes that had arrived
  std::uint64_t by_dsack = 0, by_eifel = 0, by_acked_before = 0;
  std::uint64_t timeouts = 0;          // spurious resends that a timeout made
  double seconds = 0;                  // silence before them that was no silence of the path
  Exemplars frames, proof;             // resends; ACKs that prove them needless
};

/// The receiver threw away what it had reported by SACK (RFC 2018 section 8).
struct RenegeFacts {
  std::uint64_t count = 0;             // ACKs that stop right before bytes that the receiver had reported as arrived
  std::uint64_t bytes = 0;             // such bytes
  Exemplars frames;                    // these ACKs
};

/// SACK blocks that cannot be true: of bytes that were never sent, far from anything in flight (RFC 2018 section 3).
struct SackEdgeFacts {
  std::uint64_t impossible = 0;
  Exemplars frames;
  std::int64_t offset_min = 0, offset_max = 0;  // of their left edges, from the ACK number beside them
};

/// What the sender's packets without data count as sent (RFC 9293 section 3.4), and what was neither captured nor
/// acknowledged until the end: lost before it came here, resends and all, or missed by the capture.
struct NeverCameFacts {
  std::uint64_t bytes = 0;
  Exemplars frames;                    // the packets that count them
  double seconds = 0;                  // from the first of these to the connection's last packet
};

/// Data that this end sent between two messages of the other end: an answer, or a request. What Flach and others
/// (SIGCOMM 2016) judge one by one, as "segments" of a connection.
struct ChunkFacts {
  static constexpr std::uint64_t kEnoughLosses = 15;  // for their detector to say anything
  std::uint64_t count = 0;
  std::uint64_t lossy = 0;             // of these: something was sent again
  std::uint64_t lossy_enough = 0;      // of these: at least kEnoughLosses times
};

struct DirectionFacts {
  Vantage vantage = Vantage::unknown;
  bool seen = false;                   // at least one packet of the sender was captured
  bool acks_seen = false;              // at least one packet of the receiver was captured

  // --- totals
  std::uint64_t packets = 0, data_packets = 0;
  std::uint64_t bytes = 0;             // distinct payload bytes: seen here or acknowledged
  std::uint64_t bytes_seen = 0;        // distinct payload bytes that were captured
  std::uint64_t acked_bytes = 0;
  Time first_data{}, last_data{}, last_ack{};
  Time last_reply{};                   // newest packet of the receiver, of any kind
  double transfer_s = 0;               // first data to the last ACK of data (or last data)
  double goodput_bps = 0;              // bytes * 8 / transfer_s
  std::uint32_t segment_size = 0;      // most payload in one segment by the handshake's MSS and the options in use; 0 unknown
  std::uint32_t largest_payload = 0, largest_ip_len = 0;
  bool dont_fragment = false;          // on the data packets

  // --- loss and resends
  std::array<ResendFacts, kResendClassCount> resends{};  // by ResendClass
  std::uint64_t resent_packets = 0, resent_bytes = 0;    // without keep-alives, probes, handshake
  std::uint64_t recut_packets = 0;     // resends whose boundaries differ from the original's
  std::uint64_t lost_packets = 0;      // originals that another copy had to replace (spurious ones not counted)
  std::uint64_t lost_before_capture = 0;
  std::uint64_t loss_episodes = 0;     // flights with at least one loss
  std::uint64_t lost_resends = 0;      // a resend was lost too
  ChunkFacts chunks;
  std::vector<LossEvent> losses;       // bounded: the first 1024
  PassageFacts passage;
  std::uint64_t duplicate_acks = 0;
  std::uint64_t sack_blocks = 0, dsacks = 0;
  SackEdgeFacts sack_edges;
  RenegeFacts reneged;
  NeverCameFacts never_came;
  std::uint64_t unseen_acked_bytes = 0;   // acknowledged but never captured: the capture lost packets
  /// What was carried, as the ACKs know it where no data was captured.
  [[nodiscard]] std::uint64_t carried_bytes() const { return bytes > unseen_acked_bytes ? bytes : unseen_acked_bytes; }
  std::uint64_t unseen_acked_holes = 0;
  Exemplars unseen_acked;
  SpuriousFacts spurious;
  ReorderFacts reorder;
  DuplicateFacts duplicates;
  std::vector<SizeClass> sizes;        // ascending, only classes that occurred
  std::uint32_t largest_delivered_ip_len = 0;  // any copy
  FrameRef largest_delivered_frame;
  SuperframeFacts superframes;

  // --- time
  TimeAccount time;
  double outstanding_s = 0;            // with data sent and not acknowledged, or held back by a closed window (TCP_INFO: busy)
  std::vector<Stall> stalls;           // bounded: the costliest 256, in time order
  std::uint64_t timeouts = 0;          // retransmission timeouts (silences ended by one)
  double timeout_s = 0;
  std::uint64_t tail_timeouts = 0;     // of these: only the end of a burst was lost, nothing behind it could report it
  double tail_timeout_s = 0;
  Exemplars timeout_frames, tail_timeout_frames;
  RttSet rtt;
  WayFacts ways;
  Timeline timeline;

  // --- windows and flight (flight corrected to the sender where the capture is elsewhere)
  WindowFacts window;
  std::uint64_t flight_max_bytes = 0;
  std::uint64_t flight_plateau_bytes = 0;   // median of the flight's maxima, one a round trip, after slow start
  double flight_plateau_spread = 0;         // interquartile range of these maxima over their median
  double flight_growth_bytes = 0;           // how much these maxima grow, a round trip; negative: they shrink
  std::uint64_t flight_rounds = 0;          // round trips counted for the plateau
  // Of a round trip (median): the longest pause between data packets, beyond three times the even spacing of segments. Near 0
  // while the path's own rate clocks the sender; a flight that leaves at once and then waits comes near 1.
  double flight_idle_share = 0;
  double app_data_ready_share = 0;          // of ACK-clocked sends: a full segment followed the ACK at once
  std::uint64_t small_segments = 0;         // data frames below segment_size
  std::uint64_t pushed_small_segments = 0;  // with PSH and followed by a pause with nothing outstanding

  // --- integrity
  ChecksumFacts checksums;
  PayloadCompareFacts payload;

  // --- the application behind the sender
  PauseFacts pauses;                   // nothing outstanding, then this sender speaks without being asked
  PauseFacts idle;                     // of any length over a millisecond, with data outstanding or not: it had run dry, and
                                       // neither a request nor an ACK ended the pause. A slow producer's rhythm
  PauseFacts answers;                  // the other side's request was acknowledged, then this sender answers late
  NagleFacts nagle;
  NagleFacts lone;                     // likewise, but the segment that waited was a full one, alone in flight (RFC 5681 section 4.2)
  SpacingFacts spacing;
  TrainFacts trains;
  double unanswered_s = 0;             // this sender never said a byte, although the other side's data was acknowledged;
                                       // from that data to the connection's last packet
  FrameRef unanswered_request;
};

}  // namespace slowpath
