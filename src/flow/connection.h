// SPDX-License-Identifier: Apache-2.0
// One connection while its packets arrive. A packet only becomes a record at first; records are
// noted a page at a time and read a chapter at a time, when what they are held against is in the
// cache for all of them. The first chapter tells where the tap is and how windows scale; later ones
// go by that.
//
// connection.cc           packets become records
// connection_notes.cc     what the connection itself keeps of them: ends, clock, handshake, resets
// connection_chapters.cc  both directions read them
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "facts/connection.h"
#include "flow/connection_watch.h"
#include "flow/conversation.h"
#include "flow/direction_analysis.h"
#include "flow/frame_labels.h"
#include "flow/handshake.h"
#include "flow/record.h"
#include "flow/way_lag.h"
#include "flow/witness.h"
#include "wire/packet.h"

namespace slowpath::flow {

class Connection {
 public:
  /// Records that wait for the moment when their sender sees them; beyond it the oldest are shown
  /// early.
  static constexpr std::size_t kMaxWaiting = std::size_t{1} << 16;

  /// `first` decides who is taken for the client: the sender of a SYN, else the end that spoke
  /// first, unless the ports say otherwise. `chapter` packets are read together; it may change and
  /// outlives the connection.
  Connection(std::uint32_t id, const wire::Packet& first, Time time, const std::size_t& chapter);

  /// Of its two ends, either way round.
  [[nodiscard]] bool has_ends(const wire::Packet& packet) const;
  /// A SYN that cannot belong to this connection: its four-tuple is used again.
  [[nodiscard]] bool is_new_use(const wire::Packet& packet, Time time);

  /// `verify` = check the TCP checksum over what was captured.
  void add(const wire::Frame& frame, const wire::Packet& packet, bool verify,
           const BytesAt& bytes_at);
  /// An ICMP error that quotes a packet of this connection.
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet, const BytesAt& bytes_at);
  /// Bring into the cache what the next add() reads, and then what it writes. They change nothing.
  void prefetch() const {
    __builtin_prefetch(&records_);
    __builtin_prefetch(&facts_.client);
  }
  void prefetch_add() const {
    const char* at = reinterpret_cast<const char*>(records_.data() + records_.size());
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + sizeof(Record) - 1, 1);
  }

  /// Reads what is left and gives the facts. The connection is spent afterwards.
  ConnectionFacts finish(const BytesAt& bytes_at);

  void set_reuse(std::uint32_t earlier, double since_s) {
    facts_.reuses = earlier, facts_.since_reused_s = since_s;
  }
  /// Tells `observer`, which outlives the connection, what was thought of each frame. Before the
  /// first add().
  void label_frames(const FrameObserver& observer) {
    labels_ = std::make_unique<FrameLabels>(observer);
  }
  void set_forgotten() { facts_.forgotten = true; }
  [[nodiscard]] std::uint32_t id() const { return facts_.id; }
  /// The newest packet's time, the capture's clock set right.
  [[nodiscard]] Time last();
  [[nodiscard]] const Endpoint& client() const { return facts_.client; }
  [[nodiscard]] const Endpoint& server() const { return facts_.server; }
  /// Bytes of memory it holds, about.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Analysis {
    Analysis(const Witness& seen, const HandshakeFacts& handshake, Time begin);
    Witness witness;
    Conversation conversation;
    std::array<DirectionAnalysis, 2> directions;
    std::array<Duration, 2> reply_leg{};  // of the data's direction
    double round_trip_s = 0;              // the best known at the chapter's begin; 0 = unknown
    std::array<std::size_t, 2> reply_cursor{};  // records below it were replied to that direction
    std::size_t read = 0;                       // records below it were read as sends
    std::array<bool, 2> established_told{};     // by direction
  };

  // connection.cc
  [[nodiscard]] Direction direction_of(const wire::Packet& packet) const;
  void fill(Record& record, const wire::Frame& frame, const wire::Packet& packet);
  void meet_syn(const wire::Packet& packet);
  [[nodiscard]] bool ports_tell_client() const;
  void swap_ends();

  // connection_notes.cc
  void note_new();
  /// `syn`: the packet, if it is a SYN: its options are no record's.
  void note_record(Record& record, const wire::Packet* syn = nullptr);
  void note_extent(const Record& record);
  void note_edges(const Record& record);
  void note_reset(const Record& record);
  void note_close(const Record& record);
  Time steady(Time time);

  // connection_chapters.cc
  void read_if_full(const BytesAt& bytes_at);
  void put_in_order(std::size_t from);
  void set_clock_right();
  void bring_ways_together();
  void read_chapter(bool last, const BytesAt& bytes_at);
  void read_record(std::size_t i, const BytesAt& bytes_at);
  void tell_established(Time now);
  [[nodiscard]] double round_trip_s() const;
  /// Those among the first `limit` records that the sender of `data` has seen by `until`.
  void deliver_replies(Direction data, Time until, std::size_t limit);
  void deliver_reply(Direction data, const Record& record, Time now);
  /// Shows the oldest replies to their sender before their time, so that not too many wait.
  void deliver_early();
  void drop_read_records();
  void release_labels(std::size_t count);

  // What every packet needs comes first, so that it lies together.
  std::vector<Record> records_;
  std::uint32_t noted_ = 0;  // records below it were noted
  bool several_taps_ = false;
  std::array<bool, 2> finished_{};
  const std::size_t* chapter_;
  ConnectionBasics facts_;
  Duration clock_shift_{0};  // added to times since the clock was set back
  Duration clock_ahead_{0};  // taken off since it was set forward
  WayLag lag_{};             // taken off since it was seen
  Time newest_{};
  HandshakeTracker handshake_;
  std::unique_ptr<ConnectionWatch> watch_;  // from the first packet that is no SYN
  std::vector<SackList> sacks_;
  std::unique_ptr<Analysis> analysis_;
  std::unique_ptr<FrameLabels> labels_;  // null unless asked for
  std::array<std::uint64_t, 2> packets_{};
  std::array<std::uint16_t, 2> newest_ip_id_{};
  std::array<SeqNum, 2> sent_end_{};
  std::array<SeqNum, 2> acked_{};
  std::array<std::uint16_t, 2> newest_window_{};
  std::array<bool, 2> have_sent_{}, have_acked_{};
};

}  // namespace slowpath::flow
