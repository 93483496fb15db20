// SPDX-License-Identifier: Apache-2.0
// One transfer of data in one direction, as a capture at the server shows it: slow start, an ACK
// for every second segment, a bottleneck that paces the segments, losses, SACK, fast retransmit and
// retransmission timeouts. Everything is told in the time of the tap.
//
// The paths keep order and lose no ACK, so what the sender knows when an ACK reaches it is exactly
// what the receiver had when it sent it: one scoreboard serves both.
#pragma once

#include <cstdint>
#include <span>

namespace slowpath::bench {

/// A data segment on its way. Lost ones are never on their way.
struct Flight {
  std::uint32_t time = 0;  // When the tap sees its outcome, in units of kFlightUnitNs; wraps.
  std::uint32_t segment = 0;
  std::uint32_t tsval = 0;
  std::uint32_t tsecr = 0;
};
constexpr unsigned kFlightUnitBits = 8;
constexpr std::uint32_t kMaxWindow = 64;  // Segments; what a bit map of 64 bits can hold.

struct Transfer {
  // What stays for the connection.
  std::uint32_t rtt_ns = 0;
  std::uint32_t segment_ns = 0;  // The bottleneck needs so long for a segment.
  std::uint64_t arrival_ns = 0;  // Of the last segment at the receiver.
  float cwnd = 10;               // RFC 6928.
  float ssthresh = 1e9F;
  // Of this transfer. Segments are numbered from 0.
  std::uint32_t end = 0;       // Segments to send.
  std::uint32_t una = 0;       // First that the sender knows not to have arrived.
  std::uint32_t nxt = 0;       // First never sent.
  std::uint32_t rcv_nxt = 0;   // First that the receiver waits for.
  std::uint32_t recover = 0;   // End of recovery; in recovery while una is below.
  std::uint32_t lost_end = 0;  // After a timeout: all below not SACKed is lost.
  std::uint64_t received = 0;  // Bit i: segment rcv_nxt + i has arrived.
  std::uint64_t resent = 0;    // Bit i: segment una + i was retransmitted in this recovery.
  std::uint32_t newest = 0;    // The last segment that arrived: its SACK block comes first.
  std::uint8_t flights = 0;    // Used entries of the ring, and its first.
  std::uint8_t flight_first = 0;
  std::uint8_t unacked = 0;  // In-order arrivals that no ACK has told of.
  std::uint8_t timeouts = 0;
  bool from_client = false;  // So the tap stands beside the receiver.

  void start(std::uint32_t segments, bool by_client);
  bool done() const { return una == end; }
  bool has_hole() const { return received != 0; }

  /// The receiver gets `segment`. True: it answers at once.
  bool arrive(std::uint32_t segment);
  /// The ACK of all that arrived reaches the sender.
  void acknowledge(std::uint32_t max_window);
  /// The retransmission timer fires (RFC 6298).
  void time_out();
  /// The segment to send now, if the window has room for one. kNothing otherwise.
  std::uint32_t next_to_send() const;
  void sent(std::uint32_t segment);
  static constexpr std::uint32_t kNothing = UINT32_MAX;

 private:
  std::uint64_t lost() const;
  std::uint32_t in_flight() const;
};

/// First-in first-out of a connection's segments, in memory that the population owns. Its size is a
/// power of two.
class FlightRing {
 public:
  FlightRing(Transfer& transfer, std::span<Flight> ring) : transfer_(transfer), ring_(ring) {}
  bool empty() const { return transfer_.flights == 0; }
  const Flight& front() const { return ring_[transfer_.flight_first]; }
  void pop() {
    transfer_.flight_first =
        static_cast<std::uint8_t>((transfer_.flight_first + 1U) & (ring_.size() - 1));
    --transfer_.flights;
  }
  void push(const Flight& flight) {
    ring_[(transfer_.flight_first + transfer_.flights++) & (ring_.size() - 1)] = flight;
  }

 private:
  Transfer& transfer_;
  std::span<Flight> ring_;
};

}  // namespace slowpath::bench
