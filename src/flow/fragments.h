// SPDX-License-Identifier: Apache-2.0
// IP fragments: joins the lengths of a fragmented TCP packet so that the flow engine sees one
// packet, and keeps per host pair what became of fragmented datagrams (RFC 791, RFC 8200
// section 4.5).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "facts/path.h"
#include "wire/packet.h"

namespace slowpath::flow {

class Fragments {
 public:
  /// Datagrams remembered at a time; the oldest incomplete ones are given up (and counted) beyond
  /// it.
  static constexpr std::size_t kMaxOpen = 4096;
  /// Pieces remembered of all of them together: 32 of each, or a few datagrams in crumbs.
  static constexpr std::size_t kMaxOpenPieces = std::size_t{1} << 17;
  /// Host pairs and echo requests of which facts are kept. Further ones are counted with their
  /// capture only.
  static constexpr std::size_t kMaxPairs = std::size_t{1} << 14, kMaxEchoes = std::size_t{1} << 17;

  /// A fragment. When it completes a datagram that begins with a TCP header, gives the joined
  /// packet: lengths of the whole, payload bytes of the first fragment only, checksum not
  /// verifiable.
  std::optional<wire::Packet> add(const wire::Frame& frame, const wire::Packet& packet);
  /// An unfragmented ICMP echo request or reply, or an ICMP error about reassembly time.
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet);
  /// Gives up what is still open and adds what was learnt to `paths`, making new entries where
  /// needed.
  void finish(std::vector<PathFacts>& paths);

  [[nodiscard]] std::uint64_t fragments() const { return fragments_; }
  /// Pieces that are remembered now.
  [[nodiscard]] std::size_t open_pieces() const { return open_pieces_; }

 private:
  using Key = std::tuple<IpAddress, IpAddress, std::uint32_t,
                         std::uint8_t>;          // source, destination, id, protocol
  using Pair = std::pair<IpAddress, IpAddress>;  // from, to
  struct Piece {
    std::uint32_t offset = 0;
    std::uint64_t head = 0;  // its first bytes; 0 where too few were captured
  };
  struct Datagram {
    std::optional<wire::Packet> first;
    FrameRef first_frame;
    Time begin{}, completed{};
    std::uint64_t received = 0;  // payload bytes
    std::uint64_t whole = 0;     // payload bytes of the datagram; 0 until the last fragment came
    std::uint64_t next_offset = 0;
    std::vector<Piece> pieces;  // seen, by offset; copies of a fragment count once
    bool out_of_order = false;
    bool garbled = false;   // the IP header of a piece fails its checksum
    bool complete = false;  // kept for a while, so that copies from another tap open nothing new
    std::optional<std::uint32_t> echo_request, echo_reply;  // ICMP id and sequence
  };
  struct Echo {
    bool fragmented = false, out_of_order = false, answered = false;
    Time time{};
    FrameRef frame;
  };
  struct PairFacts {
    FragmentFacts facts;
    std::uint64_t small_requests = 0, small_answered = 0;
    std::map<std::uint32_t, Echo> echoes;  // by ICMP id and sequence; bounded
  };
  [[nodiscard]] static bool is_another(const Datagram& datagram, const wire::Packet& packet);
  void note_reuse(const wire::Frame& frame, const wire::Packet& packet, const Datagram& earlier);
  static std::vector<Piece>::const_iterator find_piece(const Datagram& datagram,
                                                       std::uint32_t offset);
  bool take_piece(Datagram& datagram, const wire::Packet& packet);
  void forget_pieces(Datagram& datagram, std::size_t kept);
  void start_anew(const Key& key, Datagram& datagram);
  static std::optional<wire::Packet> joined(Datagram& datagram);
  void make_room();
  PairFacts& facts_of(const Pair& pair);
  void close(const Key& key, Datagram& datagram, bool complete);
  void note_echo(const Pair& pair, std::uint32_t id, const Echo& echo);
  void note_answer(const Pair& request_pair, std::uint32_t id, FrameRef frame);

  std::map<Key, Datagram> open_;
  std::deque<Key> order_;  // of open_, oldest first
  std::map<Pair, PairFacts> pairs_;
  PairFacts rest_;  // of pairs beyond kMaxPairs
  std::size_t echo_count_ = 0;
  std::size_t open_pieces_ = 0;  // of open_
  std::uint64_t fragments_ = 0;
};

}  // namespace slowpath::flow
