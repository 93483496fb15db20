// SPDX-License-Identifier: Apache-2.0
// The capturing host's clock against the clocks of the hosts it watched: a clock that was set
// forward looks like a stall of every connection, but the hosts' timestamps (RFC 7323) went on
// without it.
#pragma once

#include <cstdint>
#include <span>

#include "flow/record.h"

namespace slowpath::flow {

struct ClockJumps {
  std::uint64_t count = 0;
  Duration forward{0};  // all of them together
};

/// Takes forward jumps of the capture's clock out of `records`, which are in time order.
/// Only gaps of several seconds are asked, and only where both sides of the gap carry a timestamp
/// of the same sender.
ClockJumps remove_clock_jumps(std::span<Record> records);

/// The tick of a clock so coarse that it takes part in what round trips look like, a millisecond or
/// more: packets share a time although their senders' timestamps go on, and their times are a
/// number of ticks apart. 0: the clock is finer, or nothing tells.
Duration coarse_tick(std::span<const Record> records);

/// By how much, at the least, the clocks differ that recorded the two directions: ACKs again and
/// again stand before the data that they acknowledge, or an answer before its SYN by a good part of
/// the round trip. 0: they do not, or differ by less than shows.
Duration skew_of_ways(std::span<const Record> records);

}  // namespace slowpath::flow
