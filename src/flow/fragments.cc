// SPDX-License-Identifier: Apache-2.0
#include "flow/fragments.h"

#include <netinet/in.h>

#include <algorithm>

namespace slowpath::flow {
namespace {

// Pieces of one datagram come closer together; later its ID stands for another one (RFC 1122
// section 3.3.2: 60 s).
constexpr Duration kReassembly = std::chrono::seconds(60);
// Linux waits this long for the rest of a datagram (ip_sysctl ipfrag_time); others 15 to 60 s.
constexpr Duration kReceiverWaits = std::chrono::seconds(30);
// Of a piece so many bytes tell datagrams apart: of a first one a sequence number, or a length and
// a checksum.
constexpr std::size_t kHeadBytes = 8;
// Of a whole datagram so many pieces are remembered, to know those of another one under its
// identification.
constexpr std::size_t kPiecesOfWhole = 4;
// 64 KiB in the smallest fragments.
constexpr std::size_t kMaxPieces = 8192;

// An echo request without an answer costs its sender about this long (ping's interval).
constexpr double kEchoWait_s = 1.0;

bool is_echo_request(const wire::Packet& p) {
  return p.kind == wire::PacketKind::icmp &&
         (p.source.version == 4 ? p.icmp_type == 8 : p.icmp_type == 128);
}
bool is_echo_reply(const wire::Packet& p) {
  return p.kind == wire::PacketKind::icmp &&
         (p.source.version == 4 ? p.icmp_type == 0 : p.icmp_type == 129);
}
/// Identifier and sequence number of an echo message (RFC 792).
std::optional<std::uint32_t> echo_id(const wire::Packet& p) {
  if (p.transport.size() < 8) return std::nullopt;
  return load_be32(p.transport.data() + 4);
}

/// 0 = too little was captured.
std::uint64_t head_of(const wire::Packet& p) {
  // A later fragment has no transport header: it is payload from its first byte on.
  const auto bytes = p.kind == wire::PacketKind::fragment ? p.payload : p.transport;
  if (bytes.size() < kHeadBytes) return 0;
  return std::uint64_t{load_be32(bytes.data())} << 32 | load_be32(bytes.data() + 4);
}

}  // namespace

std::optional<wire::Packet> Fragments::add(const wire::Frame& frame, const wire::Packet& packet) {
  ++fragments_;
  const Key key{packet.source, packet.destination, packet.ip_id, packet.protocol};
  auto [at, fresh] = open_.try_emplace(key);
  Datagram& datagram = at->second;
  if (fresh) {
    order_.push_back(key);
  } else if (frame.time - datagram.begin > kReassembly) {
    start_anew(key, datagram);
    fresh = true;
  } else if (is_another(datagram, packet)) {
    note_reuse(frame, packet, datagram);
    start_anew(key, datagram);
    fresh = true;
  }
  if (fresh) {
    datagram.begin = frame.time;
    datagram.first_frame = FrameRef(frame.input, frame.number);
  }
  if (datagram.complete || !take_piece(datagram, packet)) return std::nullopt;
  ++facts_of({packet.source, packet.destination}).facts.fragments;
  if (datagram.whole == 0 || datagram.received < datagram.whole) {
    make_room();
    return std::nullopt;
  }
  close(key, datagram, true);
  datagram.complete = true;
  datagram.completed = frame.time;
  forget_pieces(datagram, kPiecesOfWhole);
  return joined(datagram);
}

void Fragments::forget_pieces(Datagram& datagram, std::size_t kept) {
  if (datagram.pieces.size() <= kept) return;
  open_pieces_ -= datagram.pieces.size() - kept;
  datagram.pieces.resize(kept);
  datagram.pieces.shrink_to_fit();
}

void Fragments::start_anew(const Key& key, Datagram& datagram) {
  if (!datagram.complete) close(key, datagram, false);
  forget_pieces(datagram, 0);
  datagram = Datagram{};
}

std::vector<Fragments::Piece>::const_iterator Fragments::find_piece(const Datagram& datagram,
                                                                    std::uint32_t offset) {
  return std::ranges::lower_bound(datagram.pieces, offset, {}, &Piece::offset);
}

// A piece of another datagram under the same identification: it stands where one with other bytes
// was.
bool Fragments::is_another(const Datagram& datagram, const wire::Packet& packet) {
  const auto known = find_piece(datagram, packet.fragment_offset);
  if (known == datagram.pieces.end() || known->offset != packet.fragment_offset) return false;
  const std::uint64_t head = head_of(packet);
  return head != 0 && known->head != 0 && head != known->head;
}

void Fragments::note_reuse(const wire::Frame& frame, const wire::Packet& packet,
                           const Datagram& earlier) {
  if (frame.time - earlier.begin > kReceiverWaits) return;
  FragmentFacts& facts = facts_of({packet.source, packet.destination}).facts;
  ++facts.id_reuses;
  // What was completed by a first piece that came last, and now its own rest comes, had been
  // another's rest before. It follows at once, while the other's lay there since identifications
  // last came round.
  const bool follows_at_once = frame.time - earlier.completed < earlier.completed - earlier.begin;
  const bool was_mixed =
      earlier.complete && earlier.out_of_order && packet.fragment_offset != 0 && follows_at_once;
  if (earlier.complete && !was_mixed) return;
  ++facts.id_reuses_open;
  note(facts.id_reuse_frames, FrameRef(frame.input, frame.number));
  const double after_s = to_seconds(frame.time - earlier.begin);
  const double shortest_s = facts.id_reuse_shortest_s;
  facts.id_reuse_shortest_s = shortest_s > 0 ? std::min(shortest_s, after_s) : after_s;
}

// False for a copy of a piece that is there already.
bool Fragments::take_piece(Datagram& datagram, const wire::Packet& packet) {
  const auto known = find_piece(datagram, packet.fragment_offset);
  if (known != datagram.pieces.end() && known->offset == packet.fragment_offset) return false;
  if (datagram.pieces.size() >= kMaxPieces) return false;
  datagram.pieces.insert(known, Piece{packet.fragment_offset, head_of(packet)});
  ++open_pieces_;
  const std::uint64_t len =
      packet.ip_total_len > packet.ip_header_len ? packet.ip_total_len - packet.ip_header_len : 0;
  datagram.out_of_order |= packet.fragment_offset != datagram.next_offset;
  datagram.next_offset = packet.fragment_offset + len;
  datagram.received += len;
  datagram.garbled |= packet.ip_header_checksum_bad;
  if (!packet.more_fragments) datagram.whole = packet.fragment_offset + len;
  if (packet.fragment_offset == 0) {
    if (packet.kind == wire::PacketKind::tcp) datagram.first = packet;
    if (is_echo_request(packet)) datagram.echo_request = echo_id(packet);
    if (is_echo_reply(packet)) datagram.echo_reply = echo_id(packet);
  }
  return true;
}

std::optional<wire::Packet> Fragments::joined(Datagram& datagram) {
  std::optional<wire::Packet> whole = std::move(datagram.first);
  datagram.first.reset();
  if (!whole) return whole;
  const auto header = static_cast<std::uint64_t>(whole->tcp_header_len);
  whole->payload_len =
      static_cast<std::uint32_t>(datagram.whole > header ? datagram.whole - header : 0);
  whole->ip_total_len = static_cast<std::uint32_t>(datagram.whole + whole->ip_header_len);
  whole->payload = {};  // bytes of other frames: not at hand
  whole->transport = {};
  whole->is_fragment = true;
  return whole;
}

void Fragments::make_room() {
  while (open_.size() > kMaxOpen || open_pieces_ > kMaxOpenPieces) {
    const auto oldest = open_.find(order_.front());
    if (!oldest->second.complete) close(oldest->first, oldest->second, false);
    forget_pieces(oldest->second, 0);
    open_.erase(oldest);
    order_.pop_front();
  }
}

Fragments::PairFacts& Fragments::facts_of(const Pair& pair) {
  const auto known = pairs_.find(pair);
  if (known != pairs_.end()) return known->second;
  return pairs_.size() < kMaxPairs ? pairs_[pair] : rest_;
}

void Fragments::close(const Key& key, Datagram& datagram, bool complete) {
  const Pair pair{std::get<0>(key), std::get<1>(key)};
  FragmentFacts& facts = facts_of(pair).facts;
  ++facts.datagrams;
  facts.complete += complete;
  if (!complete && datagram.garbled) {
    ++facts.garbled;
  } else if (!complete) {
    ++facts.incomplete;
    facts.first_only += std::get<3>(key) == IPPROTO_UDP && datagram.pieces.size() == 1 &&
                        datagram.pieces.front().offset == 0;
    note(facts.incomplete_frames, datagram.first_frame);
  }
  if (datagram.out_of_order) {
    ++facts.out_of_order;
    note(facts.out_of_order_frames, datagram.first_frame);
  }
  if (datagram.echo_request)
    note_echo(pair, *datagram.echo_request,
              {true, datagram.out_of_order, false, datagram.begin, datagram.first_frame});
  if (datagram.echo_reply && complete)
    note_answer({pair.second, pair.first}, *datagram.echo_reply, datagram.first_frame);
}

void Fragments::note_echo(const Pair& pair, std::uint32_t id, const Echo& echo) {
  if (echo_count_ >= kMaxEchoes) return;
  echo_count_ += facts_of(pair).echoes.try_emplace(id, echo).second;
}

void Fragments::note_answer(const Pair& request_pair, std::uint32_t id, FrameRef frame) {
  const auto pair = pairs_.find(request_pair);
  if (pair == pairs_.end()) return;
  const auto echo = pair->second.echoes.find(id);
  if (echo == pair->second.echoes.end()) return;
  echo->second.answered = true;
  if (echo->second.fragmented) note(pair->second.facts.answered_frames, frame);
}

void Fragments::add_icmp(const wire::Frame& frame, const wire::Packet& packet) {
  const Pair pair{packet.source, packet.destination};
  const FrameRef ref(frame.input, frame.number);
  const bool v4 = packet.source.version == 4;
  if (is_echo_request(packet)) {
    if (const auto id = echo_id(packet))
      note_echo(pair, *id, {false, false, false, frame.time, ref});
  } else if (is_echo_reply(packet)) {
    if (const auto id = echo_id(packet)) note_answer({pair.second, pair.first}, *id, ref);
  } else if ((v4 && packet.icmp_type == 11 && packet.icmp_code == 1) ||
             (!v4 && packet.icmp_type == 3 && packet.icmp_code == 1)) {
    FragmentFacts& facts = facts_of({packet.destination, packet.source}).facts;
    ++facts.reassembly_timeouts;
    note(facts.timeout_frames, ref);
  }
}

void Fragments::finish(std::vector<PathFacts>& paths) {
  for (auto& [key, datagram] : open_) {
    if (!datagram.complete) close(key, datagram, false);
  }
  open_.clear();
  order_.clear();
  open_pieces_ = 0;
  std::map<Pair, std::size_t> known;
  for (auto& [pair, learnt] : pairs_) {
    for (const auto& [id, echo] : learnt.echoes) {
      if (!echo.fragmented) {
        ++learnt.small_requests;
        learnt.small_answered += echo.answered;
        continue;
      }
      FragmentFacts& facts = learnt.facts;
      ++facts.answerable;
      facts.answered += echo.answered;
      facts.out_of_order_answerable += echo.out_of_order;
      facts.out_of_order_answered += echo.out_of_order && echo.answered;
      if (echo.answered) continue;
      note(facts.unanswered_frames, echo.frame);
      facts.answer_wait_s += kEchoWait_s;
    }
    if (learnt.facts.fragments == 0 && learnt.small_requests == 0) continue;
    const Pair ends = std::minmax(pair.first, pair.second);
    const auto [at, fresh] = known.try_emplace(ends, paths.size());
    if (fresh)
      paths.push_back(
          {.a = ends.first, .b = ends.second, .connections = {}, .fragments = {}, .outages = {}});
    PathFacts& path = paths[at->second];
    const std::size_t way = pair.first == path.a ? 0 : 1;
    path.fragments[way] = learnt.facts;
    path.small_requests[way] = learnt.small_requests;
    path.small_answered[way] = learnt.small_answered;
  }
  pairs_.clear();
}

}  // namespace slowpath::flow
