// SPDX-License-Identifier: Apache-2.0
// One connection while its packets arrive: a bounded chapter of records, read when it is full or when the
// connection ends. The first chapter tells where the tap is and how windows scale; later ones go by that.
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
#include "flow/witness.h"
#include "wire/packet.h"

namespace slowpath::flow {

class Connection {
 public:
  /// Records that wait for the moment when their sender sees them; beyond it the oldest are shown early.
  static constexpr std::size_t kMaxWaiting = std::size_t{1} << 16;

  /// `first` decides who is taken for the client: the sender of a SYN, else the end that spoke first, unless the
  /// ports say otherwise.
  /// `chapter` packets are read together.
  Connection(std::uint32_t id, const wire::Packet& first, Time time, std::size_t chapter);

  [[nodiscard]] Direction direction_of(const wire::Packet& packet) const;
  /// A SYN that cannot belong to this connection: its four-tuple is used again.
  [[nodiscard]] bool is_new_use(const wire::Packet& packet, Time time) const;

  /// `verify` = check the TCP checksum over what was captured.
  void add(const wire::Frame& frame, const wire::Packet& packet, bool verify, const BytesAt& bytes_at);
  /// An ICMP error that quotes a packet of this connection.
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet, const BytesAt& bytes_at);

  /// Reads what is left and gives the facts. The connection is spent afterwards.
  ConnectionFacts finish(const BytesAt& bytes_at);

  void set_reuse(std::uint32_t earlier, double since_s) { facts_.reuses = earlier, facts_.since_reused_s = since_s; }
  /// Tells `observer`, which outlives the connection, what was thought of each frame. Before the first add().
  void label_frames(const FrameObserver& observer) { labels_ = std::make_unique<FrameLabels>(observer); }
  void set_forgotten() { facts_.forgotten = true; }
  [[nodiscard]] std::uint32_t id() const { return facts_.id; }
  [[nodiscard]] Time last() const { return facts_.last; }
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
    std::array<std::size_t, 2> reply_cursor{};  // records below it were replied to that direction
    std::size_t read = 0;                       // records below it were read as sends
    bool established_told = false;
  };

  Record record_of(const wire::Frame& frame, const wire::Packet& packet, Direction direction);
  Time steady(Time time);
  void append(const Record& record, const BytesAt& bytes_at);
  void swap_ends();
  void note_reset(const wire::Packet& packet, const Record& record);
  void note_close(const wire::Packet& packet, Direction direction);
  void put_in_order(std::size_t from);
  void set_clock_right();
  void read_chapter(bool last, const BytesAt& bytes_at);
  void read_record(std::size_t i, const BytesAt& bytes_at);
  /// Those among the first `limit` records that the sender of `data` has seen by `until`.
  void deliver_replies(Direction data, Time until, std::size_t limit);
  void deliver_reply(Direction data, const Record& record, Time now);
  /// Shows the oldest replies to their sender before their time, so that not too many wait.
  void deliver_early();
  void drop_read_records();
  void release_labels(std::size_t count);

  ConnectionBasics facts_;
  std::size_t chapter_;
  Duration clock_shift_{0};                      // added to times since the clock was set back
  Duration clock_ahead_{0};                      // taken off since it was set forward
  Time newest_{};
  HandshakeTracker handshake_;
  std::unique_ptr<ConnectionWatch> watch_;   // from the first packet that is no SYN
  std::vector<Record> records_;
  std::vector<SackList> sacks_;
  std::unique_ptr<Analysis> analysis_;
  std::unique_ptr<FrameLabels> labels_;  // null unless asked for
  bool several_taps_ = false;
  std::array<bool, 2> finished_{};
  std::array<std::uint64_t, 2> packets_{};
  std::array<std::uint16_t, 2> newest_ip_id_{};
  std::array<SeqNum, 2> sent_end_{};
  std::array<SeqNum, 2> acked_{};
  std::array<std::uint16_t, 2> newest_window_{};
  std::array<bool, 2> have_sent_{}, have_acked_{};
};

}  // namespace slowpath::flow
