// SPDX-License-Identifier: Apache-2.0
// One way of one connection at two points: which copy downstream carries the bytes of which copy
// upstream. Packets are cut and merged between the points, lost, doubled and overtaken; bytes are
// what both have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flow/comparison/copy.h"
#include "flow/comparison/point_log.h"

namespace slowpath::flow::comparison {

/// The same way at two points; a packet passes `up` first. Positions of `down` plus `to_upstream`
/// are positions of `up`.
struct WayPair {
  const WayLog* up = nullptr;
  const WayLog* down = nullptr;
  std::int64_t to_upstream = 0;
  std::uint32_t shift = 0;      // that was added to sequence numbers (modulo 2^32)
  std::uint32_t ack_shift = 0;  // that was added to ACK numbers

  [[nodiscard]] std::int64_t begin_of(const Copy& down_copy) const {
    return down_copy.begin + to_upstream;
  }
};

WayPair pair_ways(const WayLog& up, const WayLog& down, std::uint32_t shift,
                  std::uint32_t ack_shift);

/// What the clock downstream shows less what it shows upstream, at an instant upstream.
using ClockDifference = std::function<double(Time)>;

/// A range of bytes in one copy at each point.
struct Piece {
  std::uint32_t up = 0, down = 0;   // positions in WayLog::data
  std::int64_t begin = 0, end = 0;  // upstream's positions
};

struct StreamMatch {
  std::vector<Piece> pieces;             // in the order of copies downstream
  std::vector<std::uint32_t> covered;    // of each copy upstream, bytes that came
  std::vector<Piece> repeats;            // came once more than they were sent
  std::vector<std::uint32_t> unsourced;  // copies downstream with bytes of no copy upstream
};

/// `tolerance_s`: how much earlier than it was sent a packet may seem to come.
StreamMatch match_streams(const WayPair& ways, const ClockDifference& clock, double tolerance_s);

/// Packets without payload found again, and which were not. `comparable`: most were.
struct BareMatch {
  std::vector<std::pair<std::uint32_t, std::uint32_t>>
      pairs;                           // positions in WayLog::bare, up and down
  std::vector<std::uint32_t> missing;  // upstream
  bool comparable = false;
};
BareMatch match_bare(const WayPair& ways, const ClockDifference& clock, double tolerance_s);

/// Pairs of copies that nothing else can be mistaken for, without a look at clocks: positions in
/// `data` and in `bare`.
struct CertainPairs {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> data, bare;
};
CertainPairs certain_pairs(const WayPair& ways);

}  // namespace slowpath::flow::comparison
