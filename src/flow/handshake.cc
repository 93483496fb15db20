// SPDX-License-Identifier: Apache-2.0
#include "flow/handshake.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

SynFacts facts_of(const wire::Packet& packet, Time time, FrameRef frame) {
  SynFacts syn;
  syn.frame = frame;
  syn.time = time;
  syn.initial_sequence = packet.sequence;
  syn.window = packet.tcp_window;
  syn.ttl = packet.ttl;
  syn.ip_id = static_cast<std::uint16_t>(packet.ip_id);
  const bool both = (packet.tcp_flags & (wire::kEce | wire::kCwr)) == (wire::kEce | wire::kCwr);
  syn.ecn_setup =
      (packet.tcp_flags & wire::kAck) != 0 ? (packet.tcp_flags & wire::kEce) != 0 : both;
  syn.payload_len = packet.payload_len;
  syn.options = packet.options;
  return syn;
}

bool same_options(const TcpOptions& a, const TcpOptions& b) {
  if (a.cut || b.cut) return true;  // as far as is known
  return a.has_mss == b.has_mss && a.mss == b.mss && a.has_window_scale == b.has_window_scale &&
         a.window_scale == b.window_scale && a.sack_permitted == b.sack_permitted &&
         a.has_timestamps == b.has_timestamps && a.has_md5 == b.has_md5 &&
         a.has_fast_open == b.has_fast_open;
}

constexpr std::size_t kKeptCopies = 16, kKeptAltered = 4;

// The same SYN at another tap: equal in IP ID and options' timestamp, and far too soon for a retry
// (RFC 6298: 1 s). A box between the taps may have taken the timestamp out.
bool same_copy(const SynFacts& earlier, Time last, const wire::Packet& packet, Time time) {
  const bool stamps_comparable = earlier.options.has_timestamps && packet.options.has_timestamps;
  return time - last < std::chrono::milliseconds(100) &&
         earlier.initial_sequence == packet.sequence &&
         (earlier.options.ts_value == packet.options.ts_value ||
          (!stamps_comparable && earlier.ip_id == packet.ip_id));
}

void keep_copy(std::vector<SynFacts>& copies, const SynFacts& before, const SynFacts& syn) {
  if (copies.empty()) copies.push_back(before);
  if (copies.size() < kKeptCopies) copies.push_back(syn);
}

}  // namespace

SynCopyFacts& HandshakeTracker::copies() {
  if (!copies_) copies_ = std::make_unique<SynCopyFacts>();
  return *copies_;
}

void HandshakeTracker::add_syn(const wire::Packet& packet, Time time, FrameRef frame,
                               bool from_client) {
  auto& kept = from_client ? facts_.syn : facts_.syn_ack;
  Time& last = from_client ? last_syn_ : last_syn_ack_;
  if (!seen()) first_ = time;
  if (kept) {
    const SynFacts& newest = newest_copy(*kept, from_client);
    const SynFacts syn = facts_of(packet, time, frame);
    if (same_copy(newest, last, packet, time)) return note_altered(newest, syn, from_client);
    keep_copy(from_client ? copies().syns : copies().syn_acks, *kept, syn);
  }
  if (from_client) {
    ++facts_.syn_count;
    note(facts_.syn_frames, frame);
    if (facts_.syn_times.size() < 16) facts_.syn_times.push_back(time);
    facts_.options_differ_between_syns |= kept && !same_options(kept->options, packet.options);
  } else {
    ++facts_.syn_ack_count;
    note(facts_.syn_ack_frames, frame);
    if (client_acked_) note(copies().syn_acks_after_ack, frame);
    // Unambiguous only while one SYN can have caused it.
    if (facts_.syn_count == 1 && facts_.syn_ack_count == 1)
      facts_.server_leg_s = std::max(0.0, to_seconds(time - last_syn_));
  }
  last = time;
  facts_.duration_s = std::max(facts_.duration_s, to_seconds(time - first_));
  if (!kept || !facts_.completed) {
    if (!kept || from_client == false || facts_.syn_ack_count == 0)
      kept = facts_of(packet, time, frame);
  }
}

// A SYN sent again after its answer does not take the place of the first.
const SynFacts& HandshakeTracker::newest_copy(const SynFacts& kept, bool from_client) const {
  if (!copies_) return kept;
  const std::vector<SynFacts>& list = from_client ? copies_->syns : copies_->syn_acks;
  return list.empty() ? kept : list.back();
}

void HandshakeTracker::note_altered(const SynFacts& earlier, const SynFacts& copy,
                                    bool from_client) {
  const bool same =
      same_options(earlier.options, copy.options) && earlier.ecn_setup == copy.ecn_setup;
  if (!same && copies().altered.size() < kKeptAltered)
    copies().altered.push_back({earlier, copy, from_client});
}

void HandshakeTracker::add_ack(const Record& record) {
  const bool from_client = record.direction == Direction::to_server;
  const bool bare_ack = record.has(wire::kAck) && record.payload_len == 0;
  if (!from_client && bare_ack && facts_.syn_count > 0 && facts_.syn_ack_count == 0) {
    note(copies().challenge_acks, record.frame);
  }
  client_acked_ |=
      from_client && facts_.syn_ack && record.acknowledgment - facts_.syn_ack->initial_sequence > 0;
  if (facts_.completed || !seen() || !record.has(wire::kAck)) return;
  // Data from the server says that it had the client's ACK, captured or not.
  if (!from_client && record.payload_len == 0) return;
  if (from_client && facts_.syn_ack &&
      record.acknowledgment - facts_.syn_ack->initial_sequence <= 0)
    return;
  complete(record.time, from_client);
}

void HandshakeTracker::complete(Time time, bool by_client) {
  facts_.completed = true;
  completed_at_ = time;
  facts_.duration_s = std::max(0.0, to_seconds(time - first_));
  const bool once =
      facts_.syn && facts_.syn_ack && facts_.syn_count == 1 && facts_.syn_ack_count == 1;
  if (!by_client || !once || last_syn_ > last_syn_ack_) return;
  facts_.client_leg_s = std::max(0.0, to_seconds(time - last_syn_ack_));
  facts_.legs_known = time >= last_syn_ack_;
}

void HandshakeTracker::add_reset(FrameRef frame, bool from_client) {
  if (facts_.completed || from_client || facts_.syn_count == 0) return;
  facts_.refused = facts_.syn_ack_count == 0;
  if (facts_.refused) facts_.refusal = frame;
}

}  // namespace slowpath::flow
