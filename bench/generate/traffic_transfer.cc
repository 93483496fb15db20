// SPDX-License-Identifier: Apache-2.0
// A transfer at the tap: which packets it shows, and when.
#include <algorithm>

#include "generate/traffic.h"

namespace slowpath::bench {

namespace {

constexpr std::uint64_t kDelayedAckNs = 40'000'000;  // Linux: TCP_DELACK_MIN.
constexpr std::uint64_t kMinRtoNs = 200'000'000;     // Linux: TCP_RTO_MIN.
constexpr std::uint64_t kTransferMs = 1'767'225'600'000;

/// The full time of a wrapped one that is near `now_ns`.
std::uint64_t unwrap(std::uint32_t time, std::uint64_t now_ns) {
  const auto now = static_cast<std::uint32_t>(now_ns >> kFlightUnitBits);
  const auto ahead = static_cast<std::int32_t>(time - now);
  return ((now_ns >> kFlightUnitBits) + static_cast<std::uint64_t>(std::int64_t{ahead}))
         << kFlightUnitBits;
}

/// The blocks that the receiver reports (RFC 2018 section 4): first the one with the newest
/// segment, then the others from the highest down.
class Blocks {
 public:
  Blocks(const Transfer& transfer, std::uint32_t first_seq, std::uint32_t mss,
         std::uint32_t end_seq)
      : transfer_(transfer), first_seq_(first_seq), mss_(mss), end_seq_(end_seq) {}

  void report(Segment& segment, std::uint32_t room) {
    if (transfer_.newest > transfer_.rcv_nxt) {
      add(segment, transfer_.newest - transfer_.rcv_nxt);
    }
    for (int bit = 63; bit >= 0 && segment.sack_count < room; --bit) {
      const auto at = static_cast<std::uint32_t>(bit);
      if ((left() >> at & 1) != 0) add(segment, at);
    }
  }

 private:
  std::uint64_t left() const { return transfer_.received & ~told_; }
  bool has(std::uint32_t bit) const { return (transfer_.received >> bit & 1) != 0; }
  std::uint32_t seq_of(std::uint32_t bit) const {
    const std::uint32_t segment = transfer_.rcv_nxt + bit;
    return segment == transfer_.end ? end_seq_ : first_seq_ + segment * mss_;
  }
  void add(Segment& segment, std::uint32_t inside) {
    std::uint32_t low = inside;
    std::uint32_t high = inside + 1;
    while (low > 0 && has(low - 1)) --low;
    while (high < 64 && has(high)) ++high;
    for (std::uint32_t bit = low; bit < high; ++bit) told_ |= 1ULL << bit;
    segment.sack[segment.sack_count++] = {seq_of(low), seq_of(high)};
  }

  const Transfer& transfer_;
  std::uint32_t first_seq_;
  std::uint32_t mss_;
  std::uint32_t end_seq_;
  std::uint64_t told_ = 0;
};

}  // namespace

std::uint32_t Traffic::data_len(const Connection& connection, std::uint32_t number) const {
  return number + 1 == connection.transfer.end ? connection.last_len : mss_;
}

std::uint32_t Traffic::max_window(const Connection& connection) const {
  // The sender leaves slow start when the bottleneck's queue holds some (RFC 9406).
  const Transfer& transfer = connection.transfer;
  return std::min(options_.window, transfer.rtt_ns / transfer.segment_ns + 12);
}

std::uint64_t Traffic::go_on(std::uint32_t index, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  Transfer& transfer = connection.transfer;
  FlightRing flights(transfer, ring(index));
  if (!flights.empty()) {
    const Flight flight = flights.front();
    flights.pop();
    if (transfer.from_client) write_data(connection, flight, now_ns);
    std::uint32_t& echo = transfer.from_client ? connection.server_tsecr : connection.client_tsecr;
    if (flight.segment == transfer.una) echo = flight.tsval;  // RFC 7323 section 4.3.
    if (!transfer.arrive(flight.segment)) return next_due(index, now_ns);
    write_ack(connection, now_ns);
  } else if (transfer.unacked > 0) {
    write_ack(connection, now_ns);
  } else {
    transfer.time_out();
  }
  transfer.acknowledge(max_window(connection));
  send_allowed(index, now_ns);
  return next_due(index, now_ns);
}

std::uint64_t Traffic::next_due(std::uint32_t index, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  Transfer& transfer = connection.transfer;
  FlightRing flights(transfer, ring(index));
  if (!flights.empty()) return std::max(now_ns, unwrap(flights.front().time, now_ns));
  if (transfer.unacked > 0) return now_ns + kDelayedAckNs;
  if (!transfer.done()) {
    return now_ns + transfer.rtt_ns + (kMinRtoNs << std::min<unsigned>(transfer.timeouts, 6));
  }
  const std::uint32_t bytes = (transfer.end - 1) * mss_ + connection.last_len;
  (transfer.from_client ? connection.client_seq : connection.server_seq) += bytes;
  if (!transfer.from_client) return after_exchange(connection, now_ns);
  connection.phase = Phase::reply;
  return soon(now_ns, 50, 2000);
}

void Traffic::send_allowed(std::uint32_t index, std::uint64_t now_ns) {
  const Transfer& transfer = connections_[index].transfer;
  for (;;) {
    const std::uint32_t number = transfer.next_to_send();
    if (number == Transfer::kNothing) return;
    send(index, number, now_ns);
  }
}

void Traffic::send(std::uint32_t index, std::uint32_t number, std::uint64_t now_ns) {
  Connection& connection = connections_[index];
  Transfer& transfer = connection.transfer;
  const std::uint64_t one_way_ns = transfer.rtt_ns / 2;
  const std::uint64_t sent_ns = transfer.from_client ? now_ns + one_way_ns : now_ns;
  Flight flight{.segment = number};
  flight.tsval =
      static_cast<std::uint32_t>(kTransferMs + sent_ns / 1'000'000) +
      (transfer.from_client ? connection.client_tsval_offset : connection.server_tsval_offset);
  flight.tsecr = transfer.from_client ? connection.client_tsecr : connection.server_tsecr;
  transfer.sent(number);
  if (!transfer.from_client) write_data(connection, flight, now_ns);
  if (options_.loss > 0 && random_.share() < options_.loss) return;
  transfer.arrival_ns = std::max(sent_ns + one_way_ns, transfer.arrival_ns + transfer.segment_ns);
  const std::uint64_t seen_ns =
      transfer.from_client ? transfer.arrival_ns : transfer.arrival_ns + one_way_ns;
  flight.time = static_cast<std::uint32_t>(seen_ns >> kFlightUnitBits);
  FlightRing(transfer, ring(index)).push(flight);
}

void Traffic::write_data(Connection& connection, const Flight& flight, std::uint64_t now_ns) {
  const Transfer& transfer = connection.transfer;
  Segment segment = blank(connection, transfer.from_client, now_ns);
  segment.seq += flight.segment * mss_;
  if (options_.timestamps) {
    segment.tsval = flight.tsval;
    segment.tsecr = flight.tsecr;
  }
  segment.flags = flight.segment + 1 == transfer.end ? kPsh | kAck : kAck;
  segment.payload =
      payload_.at(connection.serial + flight.segment, data_len(connection, flight.segment));
  write(connection, segment, now_ns);
}

void Traffic::write_ack(Connection& connection, std::uint64_t now_ns) {
  const Transfer& transfer = connection.transfer;
  Segment segment = blank(connection, !transfer.from_client, now_ns);
  const std::uint32_t first_seq = segment.ack;
  const std::uint32_t end_seq = first_seq + (transfer.end - 1) * mss_ + connection.last_len;
  segment.flags = kAck;
  segment.ack = transfer.rcv_nxt == transfer.end ? end_seq : first_seq + transfer.rcv_nxt * mss_;
  if (options_.sack && transfer.has_hole()) {
    Blocks(transfer, first_seq, mss_, end_seq).report(segment, 3);
  }
  write(connection, segment, now_ns);
  (transfer.from_client ? connection.client_tsecr : connection.server_tsecr) = segment.tsval;
}

}  // namespace slowpath::bench
