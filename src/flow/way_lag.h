// SPDX-License-Identifier: Apache-2.0
// Two clocks for one connection: where each direction was recorded by its own, packets stand before
// those that they answer.
#pragma once

#include <span>

#include "flow/record.h"

namespace slowpath::flow {

/// The packets of one direction were recorded with times that are later than those of the other.
struct WayLag {
  Direction way = Direction::to_server;
  Duration by{0};  // at the least; 0: none shows
};

/// What timestamps tell (RFC 7323 section 3: a packet echoes the newest that its sender has seen):
/// the packets of the other direction echo one, again and again, before the first packet with it
/// stands in `records`, which are in time order. The lag is that less the time in which hosts
/// answer.
WayLag lag_of_ways(std::span<const Record> records);

}  // namespace slowpath::flow
