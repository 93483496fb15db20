// SPDX-License-Identifier: Apache-2.0
#include "flow/connection.h"

#include <algorithm>
#include <cstring>

namespace slowpath::flow {
namespace {

constexpr std::size_t kKeptIcmp = 32;
// IANA's dynamic ports begin at 49152, Linux's ephemeral ones at 32768: the lower port is the
// service.
constexpr std::uint16_t kEphemeral = 32768;
// Below it are nearly all services, and of ephemeral ports those of old Windows alone (1025 to
// 5000), or a NAT's.
constexpr std::uint16_t kService = 10000;
// Records are noted so many at a time: enough to pay for fetching the connection, few enough to be
// in the cache still.
constexpr std::size_t kPage = 64;
// Around a shorter inner packet, padding of the frame counts as overhead.
constexpr std::uint32_t kLongInner = 200;
constexpr std::uint32_t kEthernetHeader = 14, kVlanTag = 4;

bool sender_is_client(const wire::Packet& first) {
  const bool syn = (first.tcp_flags & wire::kSyn) != 0, ack = (first.tcp_flags & wire::kAck) != 0;
  if (syn) return !ack;
  const bool source_service = first.source_port < kEphemeral,
             destination_service = first.destination_port < kEphemeral;
  if (source_service != destination_service) return destination_service;
  if (first.source_port < 1024 || first.destination_port < 1024)
    return first.source_port > first.destination_port;
  return true;
}

bool is_end(const IpAddress& address, std::uint16_t port, const Endpoint& end) {
  return std::memcmp(address.bytes.data(), end.address.bytes.data(), sizeof address.bytes) == 0 &&
         address.version == end.address.version && port == end.port;
}

void read_tunnel(const wire::Packet& packet, Record& record) {
  if (packet.tunnel_depth == 0 || packet.ip_total_len < kLongInner) return;
  const std::uint32_t around = kEthernetHeader + kVlanTag * packet.vlan_count + packet.ip_total_len;
  const std::uint32_t overhead = packet.frame_len > around ? packet.frame_len - around : 0;
  record.tunnel_depth = packet.tunnel_depth & 0xfU;
  record.tunnel_overhead = static_cast<std::uint8_t>(std::min<std::uint32_t>(overhead, 0xff));
}

}  // namespace

Connection::Connection(std::uint32_t id, const wire::Packet& first, Time time,
                       const std::size_t& chapter)
    : chapter_(&chapter), newest_(time) {
  facts_.id = id;
  const Endpoint source{first.source, first.source_port},
      destination{first.destination, first.destination_port};
  const bool client_first = sender_is_client(first);
  facts_.client = client_first ? source : destination;
  facts_.server = client_first ? destination : source;
  facts_.client_known = (first.tcp_flags & wire::kSyn) != 0;
  facts_.first = facts_.last = time;
}

Direction Connection::direction_of(const wire::Packet& packet) const {
  return is_end(packet.source, packet.source_port, facts_.client) ? Direction::to_server
                                                                  : Direction::to_client;
}

bool Connection::has_ends(const wire::Packet& packet) const {
  const bool to_server = is_end(packet.source, packet.source_port, facts_.client) &&
                         is_end(packet.destination, packet.destination_port, facts_.server);
  return to_server || (is_end(packet.source, packet.source_port, facts_.server) &&
                       is_end(packet.destination, packet.destination_port, facts_.client));
}

bool Connection::is_new_use(const wire::Packet& packet, Time time) {
  if ((packet.tcp_flags & (wire::kSyn | wire::kAck)) != wire::kSyn) return false;
  note_new();
  const HandshakeFacts& handshake = handshake_.facts();
  if (handshake.syn && handshake.syn->initial_sequence == packet.sequence) return false;
  if (!handshake.syn && handshake.syn_ack)
    return false;  // its SYN comes after its SYN-ACK in the file
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

void Connection::fill(Record& record, const wire::Frame& frame, const wire::Packet& packet) {
  record.time = frame.time;
  record.frame = FrameRef(frame.input, frame.number);
  record.sequence = packet.sequence;
  record.acknowledgment = packet.acknowledgment;
  record.payload_len = packet.payload_len;
  record.captured_len = static_cast<std::uint32_t>(packet.payload.size());
  if (!packet.payload.empty()) {
    record.payload_at =
        frame.byte_offset + static_cast<std::uint64_t>(packet.payload.data() - frame.bytes.data());
  }
  record.ip_len = packet.ip_total_len;
  record.link_tag = static_cast<std::uint32_t>(packet.link_hash ^ (packet.link_hash >> 32)) ^
                    (frame.interface << 24);
  record.window = packet.tcp_window;
  record.ip_id = static_cast<std::uint16_t>(packet.ip_id);
  record.flags = packet.tcp_flags;
  record.ttl = packet.ttl;
  record.ecn = packet.ecn & 3U;
  record.direction = direction_of(packet);
  record.dont_fragment = packet.dont_fragment;
  record.ip_header_bad = packet.ip_header_checksum_bad;
  record.was_fragmented = packet.is_fragment;
  record.authenticated = packet.options.has_md5 || packet.options.has_ao;
  record.len_beyond_frame = packet.ip_len_beyond_frame;
  record.has_timestamps = packet.options.has_timestamps;
  record.options_cut = packet.options.cut;
  record.ts_value = packet.options.ts_value;
  record.ts_echo = packet.options.ts_echo;
  read_tunnel(packet, record);
  if (packet.options.sack_count == 0) return;
  record.sack_index = static_cast<std::uint32_t>(sacks_.size());
  sacks_.push_back({packet.options.sack, packet.options.sack_count});
  for (std::size_t i = 0; i < packet.options.sack_count; ++i) {
    const SackBlock& block = packet.options.sack[i];
    record.sack_sum = (record.sack_sum * 31 + block.begin.value) * 31 + block.end.value;
  }
}

void Connection::add(const wire::Frame& frame, const wire::Packet& packet, bool verify,
                     const BytesAt& bytes_at) {
  const bool syn = (packet.tcp_flags & wire::kSyn) != 0;
  if (syn) meet_syn(packet);
  Record& record = records_.emplace_back();
  fill(record, frame, packet);
  if (verify) {
    record.checksum = wire::verify_checksum(packet);
    if (record.checksum == wire::ChecksumState::bad)
      record.checksum_error = wire::checksum_error(packet);
  }
  if (syn) note_record(records_[noted_++], &packet);
  if (records_.size() - noted_ >= kPage) note_new();
  read_if_full(bytes_at);
}

bool Connection::ports_tell_client() const {
  return facts_.client.port >= kEphemeral && facts_.server.port < kService;
}

// Who is the client is settled before anything else is made of a SYN.
void Connection::meet_syn(const wire::Packet& packet) {
  note_new();
  if (facts_.client_known) return;
  facts_.client_known = true;
  const bool syn_ack = (packet.tcp_flags & wire::kAck) != 0;
  if ((direction_of(packet) == Direction::to_server) == syn_ack && !analysis_) swap_ends();
}

void Connection::add_icmp(const wire::Frame& frame, const wire::Packet& packet,
                          const BytesAt& bytes_at) {
  note_new();
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
    if (known.time + std::chrono::milliseconds(1) > icmp.time &&
        known.quoted_ip_len == icmp.quoted_ip_len && known.from == icmp.from && several_taps_) {
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
  if (!packet.quote.has_sequence) return;
  records_.push_back(record);
  noted_ = static_cast<std::uint32_t>(records_.size());
  read_if_full(bytes_at);
}

std::size_t Connection::memory_bytes() const {
  return sizeof *this + records_.capacity() * sizeof(Record) +
         sacks_.capacity() * sizeof(SackList) +
         (watch_ ? sizeof *watch_ + QuietFacts::kKept * sizeof(QuietFacts) : 0) +
         (analysis_ ? sizeof(Analysis) + analysis_->directions[0].memory_bytes() +
                          analysis_->directions[1].memory_bytes()
                    : 0);
}

}  // namespace slowpath::flow
