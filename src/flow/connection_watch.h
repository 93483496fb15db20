// SPDX-License-Identifier: Apache-2.0
// What a connection shows beside its data, packet by packet as they arrive: long silences and what
// became of them, whose FIN came first, options and marks on its segments, timestamps that nobody
// sent, tunnels around it. Knows no stream offsets and no losses.
#pragma once

#include <array>

#include "facts/connection.h"
#include "flow/record.h"

namespace slowpath::flow {

class ConnectionWatch {
 public:
  /// Any packet of the connection, in the order of the file.
  void add(const Record& record, const HandshakeFacts& handshake);
  /// Client and server turn out to be the other way round.
  void swap_ends();
  /// The facts. Spent afterwards.
  BesideFacts finish();

 private:
  struct Side {
    SeqNum sent_end{}, data_end{}, acked{};
    bool have_sent = false, have_data = false, have_acked = false;
    std::uint32_t oldest_stamp = 0;
    std::uint32_t before_leap =
        0;  // the newest stamp before one that leapt ahead, until another follows
    bool have_stamp = false, leapt = false;
  };

  void read_marks(const Record& record, MarkFacts& marks);
  void read_stamps(const Record& record, const HandshakeFacts& handshake);
  void adopt(std::uint32_t stamp, std::size_t way);
  void take_back_leap(std::uint32_t stamp, std::size_t way);
  void read_silence(const Record& record);
  void close_quiet();

  /// Nothing is outstanding.
  [[nodiscard]] bool is_settled() const;

  BesideFacts facts_;
  std::array<Side, 2> sides_{};
  Time newest_{};
  FrameRef newest_frame_;
  QuietFacts quiet_;  // the one whose end waits for an answer
  Time quiet_ended_{};
  bool have_packet_ = false, quiet_open_ = false;
};

}  // namespace slowpath::flow
