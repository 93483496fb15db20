// SPDX-License-Identifier: Apache-2.0
// Several transfers of the same two hosts that fill a path together: none of them need do so alone,
// nor make a queue that its own round trips show.
#pragma once

#include <cstddef>

#include "detect/siblings.h"

namespace slowpath::detect {

/// Of a path's rate, what several transfers that share it carry when it is full: headers and
/// moments in which all of them back off are the rest.
inline constexpr double kPathFilled = 0.9;

/// The rate, in bit/s of payload, of a path whose trains hardly differ, as those of a full one do;
/// 0: they tell none so closely.
double full_path_bps(const DirectionFacts& data);

/// The rate of its slowest link, in bit/s of payload, by the gaps between segments, where most of
/// them agree, or by such trains; 0: neither tells. Never of links so fast that hosts make the
/// gaps.
double link_bps(const DirectionFacts& data);

/// With how many others of the same two hosts, whose trains tell the same rate, this transfer fills
/// the path; 0: it does not, or it does alone.
std::size_t that_fill_its_path(const Transfer& transfer, Siblings& siblings);

}  // namespace slowpath::detect
