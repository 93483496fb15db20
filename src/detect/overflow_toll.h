// SPDX-License-Identifier: Apache-2.0
// What it costs a transfer that a queue on its way overflows. Pure; seconds.
#pragma once

#include "facts/direction.h"

namespace slowpath::detect {

/// The path queues, the spacing of segments tells its rate, and the transfer had nearly all of it:
/// whatever was repaired, the link was busy meanwhile. Never of links so fast that hosts make the
/// spacing.
bool fills_link(const DirectionFacts& data);

/// Silences so long that no overflow makes them: the path's.
double outage_s(const DirectionFacts& data);

/// The link idles while the sender waits with a window that overflows keep small.
double idle_link_s(const DirectionFacts& data);

/// What the transfer took longer than at the rate that its best tenth of time reached. All of the
/// repair is not lost: most of the flight goes on meanwhile. Nor is more lost than at the link's
/// own rate, where the spacing of segments tells it.
double below_its_best_s(const DirectionFacts& data);

/// The repair of losses that overflow a queue long enough to show. 0 where it fills its link.
double repair_toll_s(const DirectionFacts& data);

}  // namespace slowpath::detect
