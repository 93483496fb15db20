// SPDX-License-Identifier: Apache-2.0
// The sender's and the receiver's rules.
#include "generate/transfer.h"

#include <algorithm>
#include <bit>

namespace slowpath::bench {

namespace {

constexpr std::uint64_t below(std::uint32_t count) {
  return count >= 64 ? ~0ULL : (1ULL << count) - 1;
}

constexpr float kDecrease = 0.7F;  // RFC 9438 section 4.6.
constexpr int kDupThresh = 3;      // RFC 6675 section 2.

}  // namespace

void Transfer::start(std::uint32_t segments, bool by_client) {
  end = segments;
  una = nxt = rcv_nxt = recover = lost_end = newest = 0;
  received = resent = 0;
  flights = unacked = timeouts = 0;
  from_client = by_client;
}

bool Transfer::arrive(std::uint32_t segment) {
  newest = segment;
  if (segment < rcv_nxt) return true;  // Seen before: a duplicate ACK.
  const bool in_order = segment == rcv_nxt;
  const bool had_hole = received != 0;
  received |= 1ULL << (segment - rcv_nxt);
  if (!in_order) return true;
  const auto run = static_cast<std::uint32_t>(std::countr_one(received));
  received = run >= 64 ? 0 : received >> run;
  rcv_nxt += run;
  ++unacked;
  return had_hole || unacked >= 2 || rcv_nxt == end;
}

std::uint64_t Transfer::lost() const {
  std::uint64_t mask = una < lost_end ? below(lost_end - una) : 0;
  std::uint64_t sacked = received;
  for (int i = 1; i < kDupThresh && sacked != 0; ++i) sacked ^= std::bit_floor(sacked);
  if (sacked != 0) mask |= std::bit_floor(sacked) - 1;
  return mask & ~received & below(nxt - una);
}

std::uint32_t Transfer::in_flight() const {
  return nxt - una -
         static_cast<std::uint32_t>(std::popcount(received) + std::popcount(lost() & ~resent));
}

void Transfer::acknowledge(std::uint32_t max_window) {
  const std::uint32_t newly = rcv_nxt - una;
  resent = newly >= 64 ? 0 : resent >> newly;
  una = rcv_nxt;
  unacked = 0;
  if (newly > 0) timeouts = 0;
  const bool recovering = una < recover && lost_end <= una;
  if (!recovering && newly > 0) {
    cwnd += cwnd < ssthresh ? static_cast<float>(newly) : static_cast<float>(newly) / cwnd;
    cwnd = std::min(cwnd, static_cast<float>(max_window));
  }
  if (una < recover || (lost() & ~resent) == 0) return;
  ssthresh = std::max(cwnd * kDecrease, 2.0F);
  cwnd = ssthresh;
  recover = nxt;
}

void Transfer::time_out() {
  ssthresh = std::max(cwnd * kDecrease, 2.0F);
  cwnd = 1;
  recover = lost_end = nxt;
  resent = 0;
  ++timeouts;
}

std::uint32_t Transfer::next_to_send() const {
  // The first retransmission of a recovery does not wait for room (RFC 6675 section 5, step 4.3).
  const std::uint64_t missing = lost() & ~resent;
  const bool first = missing != 0 && resent == 0;
  if (!first && static_cast<float>(in_flight()) >= std::max(cwnd, 1.0F)) return kNothing;
  if (missing != 0) return una + static_cast<std::uint32_t>(std::countr_zero(missing));
  return nxt < end && nxt - una < kMaxWindow ? nxt : kNothing;
}

void Transfer::sent(std::uint32_t segment) {
  if (segment == nxt) {
    ++nxt;
  } else {
    resent |= 1ULL << (segment - una);
  }
}

}  // namespace slowpath::bench
