// SPDX-License-Identifier: Apache-2.0
#include "flow/clock.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "facts/clock_error.h"

namespace slowpath::flow {
namespace {

// Below this a stall is a stall: clocks are slewed, not stepped, for less.
constexpr double kLeastJump_s = 5.0;
// RFC 7323 section 5.4 allows timestamp clocks down to 1 Hz, and 2 Hz were common once.
constexpr double kSlowestTick_s = 1.0;
// A gap that the hosts' clocks explain to less than this share is the capturing clock's own.
constexpr double kExplainedShare = 0.1;
// Time needed to measure a sender's tick.
constexpr double kMeasured_s = 0.2;

// The least tick that is called coarse: Windows once ticked every 15.6 ms, some file formats keep
// milliseconds.
constexpr Duration kCoarse = std::chrono::milliseconds(1);
// Packets enough, of which so many share a time with the one before: of a fine clock hardly any do,
// or it never leaves a millisecond between two.
constexpr std::size_t kTickPackets = 50;
constexpr double kSharedTimes = 0.10;
// So many of one sender that follow each other at one time have other timestamps: time did pass,
// which with a fine clock it hardly does, and never at whole ticks of a millisecond and more. (A
// capture that was made by a program may let all that it sends at once have one time.)
constexpr std::size_t kTimePassed = 3;
// Short distances, of so many ticks, are a whole number of ticks, but for rounding.
constexpr std::int64_t kFewTicks = 3;
constexpr double kRounding = 0.15;

// ACKs before their data: so many of them, and of all that acknowledge something new. Queues of one
// host swap a packet now and then, by microseconds.
constexpr std::size_t kEarlyAcks = 10;
constexpr double kEarlyShare = 0.20;
constexpr Duration kSwapped = std::chrono::microseconds(100);
// What stands later than this is no more the same moment.
constexpr Duration kMostSkew = std::chrono::milliseconds(100);

/// The data of one direction, and the ACKs that stand before it.
struct EarlyAcks {
  std::optional<SeqNum> sent;   // one past the newest byte
  std::optional<SeqNum> acked;  // newest
  std::optional<std::pair<SeqNum, Time>> waiting;
  std::size_t news = 0;  // ACKs of something new
  std::vector<Duration> early{};

  void add_data(const Record& record) {
    const SeqNum end = record.sequence + record.payload_len;
    if (!sent || end > *sent) sent = end;
    if (!waiting || *sent < waiting->first) return;
    // Else what was acknowledged is not in the capture at all.
    const bool is_it = record.sequence < waiting->first;
    const Duration late = record.time - waiting->second;
    if (is_it && late >= kSwapped && late <= kMostSkew) early.push_back(late);
    waiting.reset();
  }
  void add_ack(const Record& record) {
    if (acked && record.acknowledgment <= *acked) return;
    acked = record.acknowledgment;
    ++news;
    if (sent && record.acknowledgment > *sent && !waiting) {
      waiting = {record.acknowledgment, record.time};
    }
  }
  [[nodiscard]] Duration skew() {
    const auto count = static_cast<double>(early.size());
    if (early.size() < kEarlyAcks || count < kEarlyShare * static_cast<double>(news)) return {};
    const auto middle = early.begin() + std::ssize(early) / 2;
    std::ranges::nth_element(early, middle);
    return *middle;
  }
};

/// The opening by one end, and the first answer to it: a SYN-ACK that stands before its SYN, or the
/// client's ACK before the SYN-ACK. One is proof, if nothing was sent twice: a copy comes a second
/// later.
struct EarlyAnswer {
  std::optional<std::pair<SeqNum, Time>> syn;       // the newest
  std::optional<std::pair<SeqNum, Time>> answered;  // the first acknowledgment, and when
  bool again = false;                               // the SYN came twice

  void add_syn(const Record& record) {
    again = syn.has_value();
    syn = {record.sequence, record.time};
  }
  void add_ack(const Record& record) {
    if (!answered) answered = {record.acknowledgment, record.time};
  }
  [[nodiscard]] Duration skew() const {
    if (again || !syn || !answered || answered->first != syn->first + 1) return {};
    const Duration late = syn->second - answered->second;
    return late >= kSwapped && late <= kMostSkew ? late : Duration{0};
  }
};

/// What both openings show. A skew that the handshake is long beside takes no part in what round
/// trips look like; the time from SYN to the same end's ACK is by one clock.
Duration skew_of_handshake(const std::array<EarlyAnswer, 2>& openings) {
  const Duration skew = std::max(openings[0].skew(), openings[1].skew());
  for (std::size_t client : {0u, 1u}) {
    const auto& syn = openings[client].syn;
    const auto& ack = openings[1 - client].answered;
    if (!syn || !ack || !openings[1 - client].syn || ack->second <= syn->second) continue;
    if (skew * kTicksThatTell <= ack->second - syn->second) return {};
  }
  return skew;
}

struct SenderClock {
  std::optional<std::uint32_t> value;
  Time time{};
  double elapsed_s = 0, ticks = 0;  // over gaps too short to be jumps

  [[nodiscard]] double tick_s() const {
    if (elapsed_s < kMeasured_s || ticks < 10) return kSlowestTick_s;
    return std::min(elapsed_s / ticks, kSlowestTick_s);
  }
};

/// Seconds of the gap before `record` that its sender's clock does not know of; 0 when it cannot be
/// told.
double unexplained_s(const SenderClock& clock, const Record& record, double gap_s) {
  if (!clock.value || gap_s < kLeastJump_s) return 0;
  const std::int32_t ticks = SeqNum{record.ts_value} - SeqNum{*clock.value};
  if (ticks < 0) return 0;
  const double known_s = static_cast<double>(ticks) * clock.tick_s() + clock.tick_s();
  return known_s < kExplainedShare * gap_s ? gap_s - known_s : 0;
}

}  // namespace

ClockJumps remove_clock_jumps(std::span<Record> records) {
  std::array<SenderClock, 2> clocks{};
  ClockJumps jumps;
  Time newest = records.empty() ? Time{} : records.front().time;
  for (Record& record : records) {
    record.time -= jumps.forward;
    if (!record.has_timestamps) {
      newest = record.time;
      continue;
    }
    SenderClock& clock = clocks[index(record.direction)];
    const double gap_s = to_seconds(record.time - clock.time);
    // A clock jumps between two records: while the other end is heard, it did not.
    // Of many years a double knows no single nanoseconds: the silence is what there is to take.
    const Duration silence = record.time - newest;
    newest = record.time;
    const Duration jump = std::min(from_seconds(unexplained_s(clock, record, gap_s)), silence);
    if (to_seconds(jump) > kLeastJump_s) {
      ++jumps.count;
      jumps.forward += jump;
      record.time -= jump;
      newest = record.time;
    } else if (clock.value && gap_s < kLeastJump_s && gap_s > 0) {
      clock.elapsed_s += gap_s;
      clock.ticks += std::max(0, SeqNum{record.ts_value} - SeqNum{*clock.value});
    }
    clock.value = record.ts_value;
    clock.time = record.time;
  }
  return jumps;
}

Duration skew_of_ways(std::span<const Record> records) {
  std::array<EarlyAcks, 2> ways{};
  std::array<EarlyAnswer, 2> openings{};
  for (const Record& record : records) {
    if (record.tap_copy || record.network_copy || record.icmp_index != kNone) continue;
    const auto own = index(record.direction);
    const bool opens = record.has(wire::kSyn) || record.has(wire::kRst);
    if (record.payload_len > 0 && !opens) ways[own].add_data(record);
    if (record.has(wire::kAck) && !opens) ways[1 - own].add_ack(record);
    if (record.has(wire::kSyn)) openings[own].add_syn(record);
    if (record.has(wire::kAck) && !record.has(wire::kRst)) openings[1 - own].add_ack(record);
  }
  return std::max({ways[0].skew(), ways[1].skew(), skew_of_handshake(openings)});
}

Duration coarse_tick(std::span<const Record> records) {
  if (records.size() < kTickPackets) return Duration{0};
  Duration tick{0};
  std::size_t shared = 0, passed = 0;
  std::array<const Record*, 2> newest{};
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Duration apart = records[i].time - records[i - 1].time;
    shared += apart == Duration{0};
    const Record*& own = newest[static_cast<std::size_t>(records[i].direction)];
    passed += own != nullptr && own->time == records[i].time && own->has_timestamps &&
              SeqNum{own->ts_value} < SeqNum{records[i].ts_value};
    own = &records[i];
    if (apart <= Duration{0}) continue;
    if (apart < kCoarse) return Duration{0};
    tick = tick == Duration{0} ? apart : std::min(tick, apart);
  }
  if (tick == Duration{0} || passed < kTimePassed ||
      static_cast<double>(shared) < kSharedTimes * static_cast<double>(records.size())) {
    return Duration{0};
  }
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Duration apart = records[i].time - records[i - 1].time;
    if (apart > kFewTicks * tick) continue;
    const double ticks = to_seconds(apart) / to_seconds(tick);
    if (std::abs(ticks - std::round(ticks)) > kRounding * std::max(1.0, std::round(ticks))) {
      return Duration{0};
    }
  }
  return tick;
}

}  // namespace slowpath::flow
