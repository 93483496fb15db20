// SPDX-License-Identifier: Apache-2.0
// Which connection of one point is which of another, though addresses, ports and sequence numbers
// may be rewritten on the way: by addresses, initial sequence numbers, the timestamps of SYNs, and
// the first bytes of data packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "facts/comparison.h"
#include "flow/comparison/point_log.h"

namespace slowpath::flow::comparison {

/// One connection and its log at each point, by the points' numbers; null where it did not pass.
struct Joined {
  std::vector<const ConnectionLog*> logs;
  PairedBy paired_by = PairedBy::addresses;
};

/// Joins the connections of all points. Each log is in exactly one of the result, which is in order
/// of the first point that saw it.
std::vector<Joined> join_connections(const std::deque<PointLog>& points);

/// What was added to the sequence numbers of one way between two logs of one connection (modulo
/// 2^32): by the SYNs, else by equal contents, else nothing. Nullopt where the logs do not overlap
/// at all.
std::optional<std::uint32_t> sequence_shift(const WayLog& from, const WayLog& to);

}  // namespace slowpath::flow::comparison
