// SPDX-License-Identifier: Apache-2.0
// Reads one direction of a connection in the order in which its sender lived through it: what the
// sender sent when it passed the tap, what the receiver replied when the sender can have seen it.
// Keeps the byte ledger, classes every resend, and gives every interval of time an owner. Copies
// from taps have been removed before.
//
// send.cc        what the sender does: new data, keep-alives, probes
// resend.cc      what it sends again, and why
// hole.cc        what the tap did not see: lost before it, missed, or late
// integrity.cc, compare_payload.cc   checksums, and copies of a range held against each other
// acknowledge.cc what the receiver replies: how far its ACKs reach
// settle.cc      what became of each range that is acknowledged
// sack.cc, sack_edges.cc, window.cc, rtt.cc   what else an ACK tells
// never_came.cc  what the sender counts as sent and the tap never saw
// attribution.cc who owned the time between two events
// account.cc     the time account, and waits that are settled by what ends them
// summary.cc     the facts, at the end
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "facts/connection.h"
#include "flow/bare_field.h"
#include "flow/checksum_seed.h"
#include "flow/edge_memory.h"
#include "flow/frame_labels.h"
#include "flow/ledger.h"
#include "flow/meters.h"
#include "flow/passage_log.h"
#include "flow/record.h"
#include "flow/sampler.h"
#include "flow/sender_rhythm.h"
#include "flow/train_meter.h"
#include "flow/way_meter.h"
#include "flow/witness.h"

namespace slowpath::flow {

struct SackList {
  std::array<SackBlock, kMaxSackBlocks> blocks{};
  std::uint8_t count = 0;
};

/// Bytes of an earlier frame of an input, or an empty span.
using BytesAt =
    std::function<Bytes(std::uint16_t input, std::uint64_t byte_offset, std::size_t len)>;

class DirectionAnalysis {
 public:
  /// `begin` is the connection's first packet; time is accounted from there.
  DirectionAnalysis(Direction direction, const Witness& witness, const HandshakeFacts& handshake,
                    Time begin);

  /// A packet of the data's sender, as it passed the tap. SYNs only move the clock.
  void on_send(const Record& record, const BytesAt& bytes_at);
  /// A packet of the data's receiver. `now` is when the sender sees it; record.time is when it
  /// passed the tap.
  void on_reply(const Record& record, const SackList* sack, Time now);
  /// An ICMP error about a packet of this direction. Fills what it can; the rest at finish().
  void on_icmp(IcmpFacts& icmp, std::uint32_t index, SeqNum quoted, Time now);
  /// The handshake is over: time belongs to it until `at`.
  void on_established(Time at);

  /// The facts. `icmp` are the connection's ICMP errors, completed here where they are about this
  /// direction.
  DirectionFacts finish(Time end, std::vector<IcmpFacts>& icmp);

  /// Where each frame is labelled; null (as at first) = nowhere. Outlives this.
  void set_labels(FrameLabels* labels) { labels_ = labels; }

  /// Who owned the interval that ended last.
  [[nodiscard]] TimeOwner newest_owner() const { return newest_owner_; }
  /// The window left room for less than a full segment: what is small then is small because of the
  /// window.
  [[nodiscard]] bool at_window_edge() const {
    return knows_window() && window_room() < static_cast<std::int64_t>(segment_size_);
  }
  /// The connection's last packet passes the tap at `end`: time beyond it belongs to nobody.
  void set_end(Time end) { end_ = end; }
  /// Bytes of memory it holds, about.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  /// What ended an interval.
  enum class Event : std::uint8_t {
    sent,
    resent,
    repaired,  // resent because its loss was reported
    timeout_resent,
    unheard_resent,
    probe,
    replied,
    spoke,  // one of the two, and not about this data
    ended
  };

  struct Sending {  // one data packet, in stream offsets
    const Record& record;
    std::int64_t begin, end;
    bool superframe;
  };

  struct Range {
    std::int64_t begin = 0, end = 0;
  };

  // send.cc
  void send_data(const Record& record, const BytesAt& bytes_at);
  [[nodiscard]] bool belongs_to_stream(const Record& record);
  [[nodiscard]] bool is_stray(const Record& record);
  void follow_stream();
  void count_data(const Record& record, bool superframe);
  [[nodiscard]] bool is_keep_alive_or_probe(const Record& record, std::int64_t begin) const;
  void note_keep_alive_or_probe(const Record& record);
  [[nodiscard]] bool probes_closed_window(const Record& record, std::int64_t begin);
  void watch_silence(const Record& record);
  void send_new(const Sending& s);
  [[nodiscard]] Segment segment_of(const Sending& s) const;
  void remember(const Segment& segment);
  void begin_chunk();
  void note_pace(const Sending& s);
  void note_flight(const Sending& s, std::uint64_t flight_bytes);

  // resend.cc
  static Event event_of(ResendClass how);
  void send_again(const Sending& s, const BytesAt& bytes_at);
  [[nodiscard]] bool sends_probed_byte(const Sending& s);
  [[nodiscard]] ResendClass classify_resend(const Sending& s) const;
  void enter_recovery(ResendClass how);
  void count_resend(const Sending& s, ResendClass how);
  void resend_segment(Segment& segment, const Sending& s, ResendClass how);
  void resend_acknowledged(const Sending& s, const BytesAt& bytes_at);
  void note_passed_over(std::int64_t ack);
  void note_repeated_ack();
  [[nodiscard]] bool went_back_over(const Segment& segment) const;

  // hole.cc
  void open_hole(const Sending& s);
  [[nodiscard]] bool came_out_of_order(const Segment& hole, const Sending& s) const;
  void split_holes_at(const Sending& s);
  void send_unseen(const Sending& s);
  void fill_hole(Segment& hole, const Sending& s, bool late);
  void note_late(double late_s, std::int64_t behind, FrameRef frame);
  void note_lost_before_tap(const Segment& hole, const Record& resend);
  [[nodiscard]] bool was_recorded_late(const Sending& s);
  void note_ip_id(const Record& record);
  [[nodiscard]] bool ip_ids_tell() const;
  [[nodiscard]] bool follows_unseen_loss(const Record& record) const;
  void note_unseen_loss(const Sending& s);
  void settle_hole(const Segment& segment);

  // integrity.cc
  void note_checksum(const Record& record, bool superframe);

  // compare_payload.cc
  void compare_payload(const Segment& original, const Sending& s, const BytesAt& bytes_at);
  struct Copies;  // of one stretch
  void note_difference(const Segment& original, const Sending& s, const Copies& copies,
                       const BytesAt& bytes_at);
  void note_damage(const Segment& original, const Sending& s, const Copies& copies,
                   const BytesAt& bytes_at);
  [[nodiscard]] std::optional<std::uint64_t> find_elsewhere(Bytes bytes, std::int64_t own,
                                                            const BytesAt& bytes_at);
  [[nodiscard]] PayloadDifference describe_difference(const Segment& original, const Sending& s,
                                                      const Copies& copies, bool with_excerpt,
                                                      const BytesAt& bytes_at);
  void take_excerpt(PayloadDifference& difference, const Copies& copies, const BytesAt& bytes_at);

  // acknowledge.cc
  void read_syn_ack(const Record& record, Time now);
  void remember_stamp(const Record& record);
  [[nodiscard]] bool acknowledges_stream(const Record& record);
  [[nodiscard]] bool is_duplicate_ack(const Record& record, std::int64_t ack, bool has_sack) const;
  [[nodiscard]] bool repeats_ack(const Record& record, std::int64_t ack) const;
  void count_duplicate_ack(const Record& record);
  void end_silence(const Record& record, Time now);
  void advance_ack(std::int64_t ack, const Record& record, Time now);
  void note_spacing(const Record& record, std::int64_t bytes);
  void note_acked_unseen(std::int64_t ack, const Record& record);
  void settle_up_to(std::int64_t ack, const Record& record, Time now);
  /// An ACK that fills a hole comes late for everything behind it: it tells no round trip.
  [[nodiscard]] bool ack_waited_for_hole() const {
    return duplicate_acks_here_ > 0 || in_recovery_;
  }

  // settle.cc
  void settle(Segment& segment, const Record& record, Time now);
  void ask_whether_needless(Segment& segment, const Record& record);
  void settle_checksum(const Segment& segment);
  void settle_first_copy(const Segment& segment);
  static Range lost_part(const Segment& segment);
  void settle_lost(Segment& segment);
  void settle_lost_superframe(const Segment& segment);
  void take_back_loss(const Segment& segment);
  void take_back_lost_superframe(const Segment& segment);
  void note_delivered(const Segment& segment, bool arrived_first);
  SuperframeSize& superframe_size(const Segment& segment);
  void add_loss(LossEvent loss);

  // sack.cc
  void read_sack(const SackList& sack, std::int64_t ack, const Record& record, Time now);
  void mark_sacked(std::int64_t from, std::int64_t to, Range block, const Record& record, Time now);
  void read_dsack(std::int64_t begin, std::int64_t end, const Record& record);
  void mark_spurious(Segment& segment, const Record& proof);
  void note_taken_for_lost(const Segment& segment);
  void note_reneged(const Record& record);
  void note_count_ahead(const Record& record);  // never_came.cc
  void settle_count_ahead(Time end);
  bool note_impossible_sack(std::int64_t begin, std::int64_t end, std::int64_t ack,
                            const Record& record);  // sack_edges.cc

  // window.cc
  void read_window(const Record& record, std::int64_t ack, Time now);
  void watch_closing(const Record& record, Time now);
  void count_closing();
  void decide_closing(std::optional<Time> next_data);
  void note_silly_segment(const Sending& s);
  [[nodiscard]] std::int64_t useful_room() const;
  [[nodiscard]] std::int64_t room_at_edge() const;
  [[nodiscard]] double shown_early_s() const;
  [[nodiscard]] double still_full_s() const;
  [[nodiscard]] bool is_window_full(Time now) const;
  [[nodiscard]] bool window_is_filling() const;
  [[nodiscard]] bool window_leaves_less_than(std::int64_t room) const;
  [[nodiscard]] bool slow_start_ends_flight() const;

  // rtt.cc
  void take_rtt(const Segment& segment, const Record& record, Time now);
  /// What was in flight for a round trip, and the most that ever was; in bytes.
  struct Load {
    std::int64_t flight = 0, most = 0;
  };
  void take_total_rtt(double total_s, Load load, Time now);
  void echo_sample(const Record& record);
  [[nodiscard]] bool away_from_sender() const;

  // attribution.cc
  [[nodiscard]] TimeOwner owner_of_wait(Time now, Event event) const;
  [[nodiscard]] TimeOwner owner_of_idle(Time now, Event event, bool window_full) const;
  [[nodiscard]] bool away() const;
  [[nodiscard]] double clock_s() const;
  [[nodiscard]] bool is_clocked(Time now) const;
  [[nodiscard]] bool window_fills_queue() const;
  [[nodiscard]] bool waits_for_timer(double waited_s) const;
  [[nodiscard]] bool path_queues() const;
  // With its queue: on a slow link segments follow each other within it, and not within the shortest.
  [[nodiscard]] double round_trip_s() const { return srtt_s_ > 0 ? srtt_s_ : rtt_min_s_; }
  [[nodiscard]] bool queue_stands() const;
  [[nodiscard]] double stall_threshold_s() const;

  // account.cc
  double account(Time now, Event event, FrameRef frame);
  void account_new_data(const Sending& s);
  void charge(TimeOwner owner, double seconds);
  void set_beside(Event event, double seconds);
  double take_back_to_timeout();
  void note_timeout(double seconds, FrameRef frame);
  void note_unheard(double seconds, FrameRef frame);
  [[nodiscard]] std::uint32_t timeouts_in(double silence_s) const;
  void note_stall(TimeOwner owner, double seconds, FrameRef frame, bool ended);
  void note_idle(double seconds, FrameRef before, FrameRef after);
  [[nodiscard]] bool may_be_probe(const Sending& s, double waited_s) const;
  void settle_probe(bool finds_loss);
  double settle_wait(const Sending& s);
  double wait_was_application(bool all);
  void next_round(Time now);

  // summary.cc
  void count_flights_that_lost();
  void settle_open_end();
  void summarise_rtt();
  void summarise_ways();
  void summarise_flight();
  void summarise_windows();
  void summarise_icmp(std::vector<IcmpFacts>& icmp);
  [[nodiscard]] bool is_quiet() const;
  void relabel_flat_flight();
  void relabel_full_path();
  void disown_half();

  [[nodiscard]] std::int64_t offset_of(SeqNum sequence) const {
    return anchor_ + (sequence - anchor_sequence_);
  }
  [[nodiscard]] std::int64_t flight() const { return next_ - una_ - sacked_bytes_; }
  [[nodiscard]] bool window_closed() const { return have_window_ && window_bytes_ == 0; }
  /// By a scale that is not known only a window of zero is what it seems.
  [[nodiscard]] bool knows_window() const {
    return have_window_ && (facts_.window.knowledge != ScaleKnowledge::unknown || window_bytes_ == 0);
  }
  [[nodiscard]] bool ends_at_known_edge(std::int64_t end, Time now) const;
  [[nodiscard]] std::int64_t window_room() const { return right_edge_ - next_; }
  void label(const Record& record, std::uint32_t flags) const {
    if (labels_ != nullptr) labels_->mark(record.frame, flags);
  }
  void label_send(const Record& record);

  Direction direction_;
  FrameLabels* labels_ = nullptr;
  bool syn_sent_ = false, fin_sent_ = false;  // of frames read, for labels
  std::int64_t named_end_ = 0;                // likewise: end of what empty packets told of
  std::int64_t acked_unseen_end_ = -1;  // end of the newest range acknowledged and never captured
  std::uint32_t segment_size_;
  std::uint32_t path_segment_size_;  // what is shorter than both is no full segment
  std::uint8_t window_shift_;
  Duration receiver_leg_min_{};
  Duration sender_leg_min_{};
  bool begun_late_;  // no SYN was captured
  bool established_;
  DirectionFacts facts_;

  // --- sequence space
  std::int64_t anchor_ = 0;  // offset of anchor_sequence_
  SeqNum anchor_sequence_{};
  bool anchored_ = false;
  bool from_syn_ = false;              // the stream's beginning is known by its SYN
  std::uint32_t strays_ = 0;           // data packets in a row that lie beyond any window
  std::uint32_t syn_payload_len_ = 0;  // Fast Open
  std::int64_t una_ = 0, next_ = 0;    // oldest unacknowledged byte; one past the newest sent
  bool saw_ack_ = false;
  std::optional<std::int64_t> fin_at_;
  Ledger ledger_;
  std::int64_t sacked_bytes_ = 0, sacked_high_ = 0;
  std::array<Range, kMaxSackBlocks>
      sack_read_{};    // blocks of the newest SACK: their ranges are marked
  Time hole_since_{};  // first SACK or duplicate ACK above the present una_
  std::uint32_t duplicate_acks_here_ = 0;

  // --- recovery
  bool in_recovery_ = false, after_timeout_ = false;
  std::int64_t recovery_point_ = 0;
  std::int64_t episode_end_ = -1;
  std::uint32_t episode_ = 0;
  std::uint64_t chunk_resends_ = 0;  // in the newest chunk
  FrameRef superseded_frame_;        // last resend already counted as lost
  FrameRef credited_frame_;          // last resend already counted as delivered
  std::int64_t resent_end_ = 0;      // of what was sent again, the furthest
  Range passed_over_{};              // what the newest ACK moved over
  std::uint32_t went_back_ = 0;      // segments in it that went back for nothing, if ACKs say so
  std::uint32_t repeated_acks_ = 0;  // since

  // --- silence of the receiver while data is outstanding
  Time silence_begin_{};
  FrameRef silence_frame_;
  bool silence_open_ = false;
  std::uint32_t silence_sends_ = 0;
  std::uint32_t silence_len_min_ = 0, silence_len_max_ = 0;
  double silence_timeout_s_ = 0;
  std::int64_t silence_outstanding_ = 0;

  // --- time
  TimeOwner newest_owner_ = TimeOwner::unknown;
  Time last_event_{}, last_send_{}, last_reply_{}, last_data_{};
  Time last_answer_{};  // the newest reply that was about this data
  TimeAccount beside_;  // waited since then or since the newest sending, until other replies
  bool has_beside_ = false;
  Time end_ = Time::max();
  FrameRef last_frame_, last_reply_frame_;
  bool last_short_ = false;     // the newest data ended in less than a full segment
  bool sent_to_edge_ = false;   // the newest data left no room for a segment
  bool filled_window_ = false;  // the newest data left less room than a sender waits for
  Time window_full_until_{};    // the newest reply or data that found or left it full
  SenderRhythm rhythm_;
  struct Undecided {  // waited since the newest data: for an ACK, and after it
    double before_ack_s = 0, after_ack_s = 0;
  };
  std::array<Undecided, 2> undecided_{};            // in slow start, and beyond
  TimeOwner waiting_for_ = TimeOwner::application;  // while data was last outstanding
  struct TailProbe {  // new data that may be one, until it is answered; see tail_probe.cc
    std::int64_t begin = 0, end = 0;
    double waited_s = 0, idle_s = 0;  // before it, and what of that was the application's; 0: none
    Time since{};
    TimeOwner owner = TimeOwner::unknown;
    FrameRef before, frame;
  };
  std::optional<TailProbe> probe_;
  bool slow_start_ = true;
  bool peer_spoke_ = false;  // the other side sent data since this one's last
  StallLog stalls_;
  PassageLog passage_;
  TimelineRecorder timeline_;

  // --- RTT
  double srtt_s_ = 0, rttvar_s_ = 0, rtt_min_s_ = 0, rtt_last_s_ = 0;
  double receiver_leg_typical_s_ = 0, sender_leg_typical_s_ = 0;
  double round_rtt_min_s_ = 0, earlier_round_rtt_min_s_ =
                                   0;  // shortest of this round trip's samples and the one's before
  Sampler rtt_total_, rtt_receiver_, rtt_sender_, rtt_idle_, rtt_loaded_;
  struct Stamp {
    std::uint32_t value;
    SeqNum acknowledged;
    Time time;
  };
  WayMeter receiver_ways_, sender_ways_;
  std::vector<Stamp> stamps_;  // of replies whose echo is awaited
  std::size_t stamp_head_ = 0;
  std::int64_t echo_flight_max_ = 0;  // the largest that an echo came with

  // --- windows and flight
  bool have_window_ = false;
  std::uint64_t window_bytes_ = 0;
  std::int64_t right_edge_ = 0;
  EdgeMemory edges_;
  std::int64_t counted_ahead_ = 0;  // the furthest that the sender counts, in packets without data
  Time ahead_since_{};
  std::int64_t newest_opening_ = 0;  // by how much the right edge moved last
  Time zero_since_{};
  FrameRef zero_frame_;
  bool zero_open_ = false;
  bool zero_mattered_ = false;   // data was outstanding, pending or probed meanwhile
  bool zero_undecided_ = false;  // it opened, and whether anybody waited is not known yet
  Time zero_until_{};
  FrameRef zero_end_frame_;
  Sampler windows_;
  WidthSeconds edge_s_by_widest_;  // time at the edge, by the widest window so far
  BareField bare_field_;
  std::uint64_t windows_seen_ = 0, windows_at_max_ = 0;
  Sampler round_maxima_, round_idle_;
  std::int64_t round_end_ = 0, round_max_ = 0, round_best_ = 0;
  Time round_begin_{};
  double round_ack_pause_s_ = 0,
         ack_pause_share_ = 0;  // longest between two ACKs of data: this round's, the one's before
  double round_pause_s_ = 0;    // longest between two data packets
  std::uint64_t round_bytes_ = 0;
  std::uint32_t rounds_without_growth_ = 0;
  std::int64_t slow_start_most_ = 0;  // no congestion window in slow start is larger
  std::uint64_t clocked_sends_ = 0, unclocked_sends_ = 0;
  Sampler spacing_, spacing_bytes_;  // of unclocked packets behind others that are outstanding
  std::uint32_t previous_payload_ = 0;
  TrainMeter trains_;

  // --- delivery, integrity
  SizeTable sizes_;
  std::array<std::uint16_t, 16> error_values_{};
  ChecksumSeeds seeds_;
  std::uint32_t largest_single_ip_len_ = 0;
  Sampler reorder_late_;
  std::uint32_t newest_ts_ = 0;
  std::uint16_t newest_ip_id_ = 0;
  std::uint32_t newest_payload_len_ = 0;
  Time newest_ip_id_time_{};
  std::uint16_t missing_ids_ = 0;
  std::uint32_t ip_id_steps_ = 0, ip_id_odd_steps_ = 0, ip_id_ones_ = 0;

  // --- ICMP
  struct IcmpWatch {
    std::uint32_t index;
    std::int64_t offset;
    Time time;
    std::uint32_t largest_after = 0;
    std::uint64_t sent_after = 0;
    std::optional<Time> resent;
  };
  std::vector<IcmpWatch> icmp_watch_;
};

}  // namespace slowpath::flow
