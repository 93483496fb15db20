// SPDX-License-Identifier: Apache-2.0
// What matched packets of one way say about the stretch between two points. Each function fills its
// part of the facts.
#pragma once

#include <cstdint>
#include <functional>

#include "facts/comparison.h"
#include "flow/comparison/point_log.h"
#include "flow/comparison/stream_match.h"

namespace slowpath::flow::comparison {

/// Captured bytes of an input, if at hand; else empty.
using BytesAt = std::function<Bytes(std::uint16_t input, std::uint64_t offset, std::size_t len)>;

/// One way between two points, matched.
struct Reading {
  const WayPair& ways;
  const WayLog& up_replies;  // the other way's packets at each point
  const WayLog& down_replies;
  const ComparedPoint& up_point;
  const ComparedPoint& down_point;
  const ClockDifference& clock;
  const StreamMatch& match;
  const BareMatch& bare;

  [[nodiscard]] const Copy& up(std::uint32_t i) const { return ways.up->data[i]; }
  [[nodiscard]] const Copy& down(std::uint32_t i) const { return ways.down->data[i]; }
  [[nodiscard]] FramePair frames(const Piece& piece) const {
    return {up(piece.up).frame, down(piece.down).frame};
  }
  /// Whether the capture downstream ran while a packet sent at `time` upstream would have passed,
  /// `slack_s` late at most.
  [[nodiscard]] bool is_covered_downstream(Time time, double slack_s) const;
  [[nodiscard]] bool is_covered_upstream(Time time_downstream) const;
  /// Where the stream begins: the byte after the SYN, in upstream's positions.
  [[nodiscard]] std::int64_t origin() const;
};

void read_delays(const Reading& reading, BetweenFacts& facts);
/// After read_delays(): what was on its way when a capture ended was not lost.
void read_losses(const Reading& reading, BetweenFacts& facts);
void read_cuts(const Reading& reading, BetweenFacts& facts);
void read_rewrites(const Reading& reading, BetweenFacts& facts);
void read_contents(const Reading& reading, const BytesAt& bytes_at, BetweenFacts& facts);
void read_icmp(const ConnectionLog& up, const ConnectionLog& down, const ComparedPoint& up_point,
               const ComparedPoint& down_point, const ClockDifference& clock, const WayPair& ways,
               BetweenFacts& facts);

}  // namespace slowpath::flow::comparison
