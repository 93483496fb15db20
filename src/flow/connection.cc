// SPDX-License-Identifier: Apache-2.0
#include "flow/connection.h"

#include "flow/clock.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

constexpr std::size_t index(Direction d) { return static_cast<std::size_t>(d); }
constexpr std::size_t kKeptResets = 8, kKeptIcmp = 32;
// Records this little out of time order come from several receive queues; larger steps are a clock that was set.
constexpr Duration kQueueSkew = std::chrono::milliseconds(20);
// A clock set back again and again must not carry a connection out of what Time can hold.
constexpr Time kLatest = time_from_ns(std::int64_t{1} << 62);
// IANA's dynamic ports begin at 49152, Linux's ephemeral ones at 32768: the lower port is the service.
constexpr std::uint16_t kEphemeral = 32768;
// Hosts react this much faster at times than in the handshake.
constexpr Duration kReactionMargin = std::chrono::milliseconds(1);
// Records of the chapter before, to recognise copies of its last packets.
constexpr std::size_t kKeptForCopies = 64;
// Fewer packets than this, with no handshake trouble, tell nothing: totals only.
constexpr std::uint64_t kLightPackets = 3;

bool sender_is_client(const wire::Packet& first) {
  const bool syn = (first.tcp_flags & wire::kSyn) != 0, ack = (first.tcp_flags & wire::kAck) != 0;
  if (syn) return !ack;
  const bool source_service = first.source_port < kEphemeral, destination_service = first.destination_port < kEphemeral;
  if (source_service != destination_service) return destination_service;
  if (first.source_port < 1024 || first.destination_port < 1024) return first.source_port > first.destination_port;
  return true;
}

}  // namespace

Connection::Analysis::Analysis(const Witness& seen, const HandshakeFacts& handshake, Time begin)
    : witness(seen),
      directions{DirectionAnalysis(Direction::to_server, seen, handshake, begin),
                 DirectionAnalysis(Direction::to_client, seen, handshake, begin)} {}

Connection::Connection(std::uint32_t id, const wire::Packet& first, Time time, std::size_t chapter)
    : chapter_(chapter), newest_(time) {
  facts_.id = id;
  const Endpoint source{first.source, first.source_port}, destination{first.destination, first.destination_port};
  const bool client_first = sender_is_client(first);
  facts_.client = client_first ? source : destination;
  facts_.server = client_first ? destination : source;
  facts_.client_known = (first.tcp_flags & wire::kSyn) != 0;
  facts_.first = facts_.last = time;
}

Direction Connection::direction_of(const wire::Packet& packet) const {
  const bool from_client = packet.source == facts_.client.address && packet.source_port == facts_.client.port;
  return from_client ? Direction::to_server : Direction::to_client;
}

bool Connection::is_new_use(const wire::Packet& packet, Time time) const {
  if ((packet.tcp_flags & (wire::kSyn | wire::kAck)) != wire::kSyn) return false;
  const HandshakeFacts& handshake = handshake_.facts();
  if (handshake.syn && handshake.syn->initial_sequence == packet.sequence) return false;
  if (!handshake.syn && handshake.syn_ack) return false;  // its SYN comes after its SYN-ACK in the file
  if (!handshake.syn && packets_[0] + packets_[1] > 0 && time <= facts_.first) return false;
  return true;
}

void Connection::swap_ends() {
  if (labels_) labels_->swap_ends();
  std::swap(facts_.client, facts_.server);
  for (Record& record : records_) record.direction = opposite(record.direction);
  std::swap(packets_[0], packets_[1]);
  if (watch_) watch_->swap_ends();
  std::swap(facts_.ttl_min[0], facts_.ttl_min[1]);
  std::swap(facts_.ttl_max[0], facts_.ttl_max[1]);
  std::swap(sent_end_[0], sent_end_[1]);
  std::swap(acked_[0], acked_[1]);
  std::swap(have_sent_[0], have_sent_[1]);
  std::swap(have_acked_[0], have_acked_[1]);
  std::swap(finished_[0], finished_[1]);
  std::swap(newest_ip_id_[0], newest_ip_id_[1]);
  std::swap(newest_window_[0], newest_window_[1]);
}

Record Connection::record_of(const wire::Frame& frame, const wire::Packet& packet, Direction direction) {
  Record record;
  record.time = steady(frame.time);
  record.frame = FrameRef(frame.input, frame.number);
  record.sequence = packet.sequence;
  record.acknowledgment = packet.acknowledgment;
  record.payload_len = packet.payload_len;
  record.captured_len = static_cast<std::uint32_t>(packet.payload.size());
  if (!packet.payload.empty()) {
    record.payload_at = frame.byte_offset + static_cast<std::uint64_t>(packet.payload.data() - frame.bytes.data());
  }
  record.ip_len = packet.ip_total_len;
  record.link_tag = static_cast<std::uint32_t>(packet.link_hash ^ (packet.link_hash >> 32)) ^ (frame.interface << 24);
  record.window = packet.tcp_window;
  record.ip_id = static_cast<std::uint16_t>(packet.ip_id);
  record.flags = packet.tcp_flags;
  record.ttl = packet.ttl;
  record.direction = direction;
  record.dont_fragment = packet.dont_fragment;
  record.ip_header_bad = packet.ip_header_checksum_bad;
  record.was_fragmented = packet.is_fragment;
  record.has_timestamps = packet.options.has_timestamps;
  record.ts_value = packet.options.ts_value;
  record.ts_echo = packet.options.ts_echo;
  if (packet.options.sack_count > 0) {
    record.sack_index = static_cast<std::uint32_t>(sacks_.size());
    sacks_.push_back({packet.options.sack, packet.options.sack_count});
    for (std::size_t i = 0; i < packet.options.sack_count; ++i) {
      const SackBlock& block = packet.options.sack[i];
      record.sack_sum = (record.sack_sum * 31 + block.begin.value) * 31 + block.end.value;
    }
  }
  return record;
}

// A clock that was set back goes on from where it was, until it passes that instant by itself.
Time Connection::steady(Time time) {
  time -= clock_ahead_;
  if (time >= newest_) clock_shift_ = Duration{0};
  time = clock_shift_ > kLatest - time ? newest_ : time + clock_shift_;
  if (time < newest_ - kQueueSkew) {
    clock_shift_ += newest_ - time;
    time = newest_;
  }
  newest_ = std::max(newest_, time);
  // Once time is being accounted for, its beginning stands.
  return analysis_ ? std::max(time, facts_.first) : time;
}

void Connection::add(const wire::Frame& frame, const wire::Packet& packet, bool verify, const BytesAt& bytes_at) {
  const bool syn = (packet.tcp_flags & wire::kSyn) != 0, ack = (packet.tcp_flags & wire::kAck) != 0;
  if (syn && !facts_.client_known) {
    facts_.client_known = true;
    if ((direction_of(packet) == Direction::to_server) == ack) {
      if (!analysis_) swap_ends();
    }
  }
  const Direction direction = direction_of(packet);
  const std::size_t way = index(direction);
  Record record = record_of(frame, packet, direction);
  if (verify) {
    record.checksum = wire::verify_checksum(packet);
    if (record.checksum == wire::ChecksumState::bad) record.checksum_error = wire::checksum_error(packet);
  }
  if (packets_[0] + packets_[1] == 0) facts_.first_frame = record.frame;
  facts_.last_frame = record.frame;
  facts_.first = std::min(facts_.first, record.time);
  facts_.last = std::max(facts_.last, record.time);
  if (syn) {
    handshake_.add_syn(packet, record.time, record.frame, direction == Direction::to_server);
  } else if ((packet.tcp_flags & wire::kRst) == 0) {
    handshake_.add_ack(packet, record.time, record.frame, direction == Direction::to_server);
  }
  if ((packet.tcp_flags & wire::kRst) != 0) note_reset(packet, record);
  note_close(packet, direction);
  if (!watch_ && !syn) watch_ = std::make_unique<ConnectionWatch>();
  if (watch_) watch_->add(packet, record, handshake_.facts());
  if (facts_.timestamps_in_use && !record.has_timestamps && (packet.tcp_flags & wire::kRst) == 0 && !syn) {
    ++facts_.middlebox_option_drops;
  }
  facts_.timestamps_in_use |= record.has_timestamps && !syn;
  facts_.sack_in_use |= packet.options.sack_count > 0;
  facts_.ttl_min[way] = packets_[way] == 0 ? packet.ttl : std::min(facts_.ttl_min[way], packet.ttl);
  facts_.ttl_max[way] = std::max(facts_.ttl_max[way], packet.ttl);
  ++packets_[way];
  newest_ip_id_[way] = record.ip_id;
  if (!syn) newest_window_[way] = record.window;
  const SeqNum end = packet.sequence + packet.payload_len;
  if (!have_sent_[way] || end > sent_end_[way]) sent_end_[way] = end;
  have_sent_[way] = true;
  if (ack && (!have_acked_[1 - way] || packet.acknowledgment > acked_[1 - way])) {
    acked_[1 - way] = packet.acknowledgment;
    have_acked_[1 - way] = true;
  }
  if (labels_) labels_->add(record, packet.options.sack_count > 0, packet.ip_len_beyond_frame);
  append(record, bytes_at);
}

void Connection::add_icmp(const wire::Frame& frame, const wire::Packet& packet, const BytesAt& bytes_at) {
  ++facts_.icmp_count;
  if (facts_.icmp.size() >= kKeptIcmp) return;
  IcmpFacts icmp;
  icmp.frame = FrameRef(frame.input, frame.number);
  icmp.time = steady(frame.time);
  icmp.from = packet.source;
  icmp.about = packet.quote.source == facts_.client ? Direction::to_server : Direction::to_client;
  icmp.version = packet.source.version;
  icmp.type = packet.icmp_type;
  icmp.code = packet.icmp_code;
  icmp.next_hop_mtu = packet.icmp_mtu;
  icmp.quoted_ip_len = packet.quote.ip_total_len;
  for (const IcmpFacts& known : facts_.icmp) {  // the same message at another tap
    if (known.time + std::chrono::milliseconds(1) > icmp.time && known.quoted_ip_len == icmp.quoted_ip_len &&
        known.from == icmp.from && several_taps_) {
      return;
    }
  }
  Record record;
  record.time = icmp.time;
  record.frame = icmp.frame;
  record.sequence = packet.quote.sequence;
  record.direction = icmp.about;
  record.icmp_index = static_cast<std::uint32_t>(facts_.icmp.size());
  facts_.icmp.push_back(icmp);
  if (packet.quote.has_sequence) append(record, bytes_at);
}

void Connection::append(const Record& record, const BytesAt& bytes_at) {
  records_.push_back(record);
  if (records_.size() - (analysis_ ? analysis_->read : 0) < chapter_) return;
  read_chapter(false, bytes_at);
}

void Connection::note_reset(const wire::Packet& packet, const Record& record) {
  handshake_.add_reset(record.frame, record.direction == Direction::to_server);
  const std::size_t way = index(record.direction);
  ++facts_.reset_count;
  if (facts_.close == CloseKind::open || facts_.close == CloseKind::half_closed) facts_.close = CloseKind::reset;
  if (facts_.resets.size() >= kKeptResets) return;
  ResetFacts reset;
  reset.frame = record.frame;
  reset.time = record.time;
  reset.direction = record.direction;
  reset.ttl = record.ttl;
  reset.ip_id = record.ip_id;
  reset.window = record.window;
  reset.has_ack = (packet.tcp_flags & wire::kAck) != 0;
  reset.has_timestamps = record.has_timestamps;
  // Acceptable: what the other end expects next, or within its window (RFC 5961 section 3).
  const bool have_edge = have_acked_[way];
  const std::int32_t ahead = record.sequence - acked_[way];
  reset.sequence_in_window = have_edge ? ahead >= 0 && ahead < (1 << 30) : true;
  reset.answers_syn = !handshake_.facts().completed && handshake_.facts().syn_count > 0;
  reset.after_fin = finished_[0] || finished_[1];
  const auto settled = [&](std::size_t d) { return !have_sent_[d] || (have_acked_[d] && acked_[d] >= sent_end_[d]); };
  reset.all_acknowledged = settled(0) && settled(1);
  reset.sender_ttl_min = packets_[way] > 0 ? facts_.ttl_min[way] : 0;
  reset.sender_ttl_max = packets_[way] > 0 ? facts_.ttl_max[way] : 0;
  reset.sender_uses_timestamps = facts_.timestamps_in_use;
  reset.ip_id_copied_from_other_side = packets_[1 - way] > 0 && record.ip_id != 0 && record.ip_id == newest_ip_id_[1 - way];
  reset.since_previous_s = records_.empty() ? 0 : to_seconds(record.time - records_.back().time);
  facts_.resets.push_back(reset);
}

void Connection::note_close(const wire::Packet& packet, Direction direction) {
  const std::size_t way = index(direction);
  if ((packet.tcp_flags & wire::kFin) != 0) {
    finished_[way] = true;
    if (facts_.close != CloseKind::reset) {
      facts_.close = finished_[0] && finished_[1] ? CloseKind::finished : CloseKind::half_closed;
    }
  }
  if ((packet.tcp_flags & wire::kRst) != 0) return;
  // A real reset ends its sender: whatever it still says besides resets speaks against it.
  for (ResetFacts& reset : facts_.resets) {
    if (reset.direction != direction) continue;
    const bool same_moment = reset.time == facts_.last;
    if (!same_moment && reset.sender_packets_after++ == 0) reset.sender_packet_after = facts_.last_frame;
    // The alleged sender's looks may only be known afterwards.
    if (reset.sender_ttl_max == 0) reset.sender_ttl_min = reset.sender_ttl_max = packet.ttl;
  }
}

// Puts records of several receive queues back into time order; a SYN-ACK recorded before its SYN as well.
void Connection::put_in_order(std::size_t from) {
  std::uint64_t back = 0;
  for (std::size_t i = from + 1; i < records_.size(); ++i) back += records_[i].time < records_[i - 1].time;
  if (back == 0) return;
  facts_.reordered_by_capture += back;
  std::stable_sort(records_.begin() + static_cast<std::ptrdiff_t>(from), records_.end(),
                   [](const Record& a, const Record& b) { return a.time < b.time; });
}

// What the first chapter's clock was set forward, it stays ahead.
void Connection::set_clock_right() {
  const ClockJumps jumps = remove_clock_jumps(records_);
  facts_.clock_jumps = jumps.count;
  clock_ahead_ = jumps.forward;
  newest_ -= jumps.forward;
  facts_.last = std::max(facts_.first, facts_.last - jumps.forward);
}

void Connection::read_chapter(bool last, const BytesAt& bytes_at) {
  const std::size_t from = analysis_ ? analysis_->read : 0;
  put_in_order(from);
  if (!analysis_) set_clock_right();
  const std::size_t look_back = from > kKeptForCopies ? from - kKeptForCopies : 0;
  mark_copies(std::span(records_).subspan(look_back), several_taps_);
  if (!analysis_) {
    analysis_ = std::make_unique<Analysis>(examine(records_, handshake_.facts()), handshake_.facts(), facts_.first);
    for (DirectionAnalysis& direction : analysis_->directions) direction.set_labels(labels_.get());
  }
  if (last) {
    for (DirectionAnalysis& direction : analysis_->directions) direction.set_end(facts_.last);
  }
  for (std::size_t i = from; i < records_.size(); ++i) read_record(i, bytes_at);
  analysis_->read = records_.size();
  if (last) {
    const Time forever = facts_.last + std::chrono::hours(1000);
    deliver_replies(Direction::to_server, forever, records_.size());
    deliver_replies(Direction::to_client, forever, records_.size());
    release_labels(records_.size());
  } else {
    deliver_early();
    drop_read_records();
  }
}

void Connection::read_record(std::size_t i, const BytesAt& bytes_at) {
  const Record& record = records_[i];
  if (record.tap_copy) {
    ++facts_.tap_copies;
    return;
  }
  Analysis& analysis = *analysis_;
  deliver_replies(Direction::to_server, record.time, i + 1);
  deliver_replies(Direction::to_client, record.time, i + 1);
  if (!analysis.established_told && handshake_.facts().completed && record.time >= handshake_.completed_at()) {
    analysis.established_told = true;
    for (DirectionAnalysis& direction : analysis.directions) direction.on_established(handshake_.completed_at());
  }
  const std::size_t way = index(record.direction);
  if (record.icmp_index != kNone) {
    analysis.directions[way].on_icmp(facts_.icmp[record.icmp_index], record.icmp_index, record.sequence, record.time);
    return;
  }
  const double round_trip_s = handshake_.facts().legs_known
                                  ? handshake_.facts().client_leg_s + handshake_.facts().server_leg_s
                                  : to_seconds(analysis.witness.leg[0].value_or(Duration{0}) +
                                               analysis.witness.leg[1].value_or(Duration{0}));
  analysis.directions[way].on_send(record, bytes_at);
  if (record.network_copy) return;
  const DirectionAnalysis& own = analysis.directions[way];
  analysis.conversation.add(record, {round_trip_s, analysis.witness.segment_size[way],
                                     own.newest_owner() == TimeOwner::application, own.at_window_edge()});
}

// Replies reach the sender of `data` one leg later than they pass the tap.
void Connection::deliver_replies(Direction data, Time until, std::size_t limit) {
  Analysis& analysis = *analysis_;
  std::size_t& cursor = analysis.reply_cursor[index(data)];
  // The shortest leg seen, less a margin: the sender's answer to an ACK must not seem to come before it.
  const Duration shortest = analysis.witness.sender_leg(data);
  const Duration leg = shortest - std::min<Duration>(shortest / 10, kReactionMargin);
  while (cursor < limit) {
    const Record& record = records_[cursor];
    const Time seen = record.time + leg;
    if (seen > until) return;
    ++cursor;
    deliver_reply(data, record, seen);
  }
}

void Connection::deliver_reply(Direction data, const Record& record, Time now) {
  if (record.direction == data || record.tap_copy || record.network_copy || record.icmp_index != kNone) return;
  const SackList* sack = record.sack_index == kNone ? nullptr : &sacks_[record.sack_index];
  analysis_->directions[index(data)].on_reply(record, sack, now);
}

void Connection::deliver_early() {
  if (records_.size() <= kMaxWaiting) return;
  const std::size_t limit = records_.size() - kMaxWaiting;
  for (Direction data : {Direction::to_server, Direction::to_client}) {
    std::size_t& cursor = analysis_->reply_cursor[index(data)];
    for (; cursor < limit; ++cursor) deliver_reply(data, records_[cursor], records_.back().time);
  }
}

// Nothing can be learnt any more about the first `count` records.
void Connection::release_labels(std::size_t count) {
  if (!labels_) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (records_[i].icmp_index == kNone) labels_->release(records_[i]);
  }
}

void Connection::drop_read_records() {
  Analysis& analysis = *analysis_;
  // Keep some to recognise copies by, and the replies that are still on their way to the sender.
  const std::size_t keep_from = std::min({analysis.reply_cursor[0], analysis.reply_cursor[1],
                                          records_.size() > kKeptForCopies ? records_.size() - kKeptForCopies : 0});
  release_labels(keep_from);
  records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(keep_from));
  analysis.read -= keep_from;
  std::vector<SackList> kept;
  for (Record& record : records_) {
    if (record.sack_index == kNone) continue;
    kept.push_back(sacks_[record.sack_index]);
    record.sack_index = static_cast<std::uint32_t>(kept.size() - 1);
  }
  sacks_ = std::move(kept);
  for (std::size_t& cursor : analysis.reply_cursor) cursor -= keep_from;
}

ConnectionFacts Connection::finish(const BytesAt& bytes_at) {
  read_chapter(true, bytes_at);
  facts_.handshake = handshake_.facts();
  facts_.light = packets_[0] + packets_[1] < kLightPackets;
  ConnectionFacts out;
  out.syn_copies = handshake_.take_copies();
  if (watch_) out.beside = watch_->finish();
  for (Direction direction : {Direction::to_server, Direction::to_client}) {
    DirectionFacts facts = analysis_->directions[index(direction)].finish(facts_.last, facts_.icmp);
    analysis_->conversation.finish(direction, facts_.last, facts);
    out[direction] = std::move(facts);
  }
  out.beside.exchanges = analysis_->conversation.exchanges();
  analysis_.reset();
  static_cast<ConnectionBasics&>(out) = std::move(facts_);
  return out;
}

std::size_t Connection::memory_bytes() const {
  return sizeof *this + records_.capacity() * sizeof(Record) + sacks_.capacity() * sizeof(SackList) +
         (watch_ ? sizeof *watch_ + QuietFacts::kKept * sizeof(QuietFacts) : 0) +
         (analysis_ ? sizeof(Analysis) + analysis_->directions[0].memory_bytes() + analysis_->directions[1].memory_bytes() : 0);
}

}  // namespace slowpath::flow
