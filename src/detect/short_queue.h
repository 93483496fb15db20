// SPDX-License-Identifier: Apache-2.0
// Queues so short that round trips hardly grow when they overflow: what tells them from a policer,
// and from chance. Pure.
#pragma once

#include <string>

#include "detect/policing.h"
#include "facts/direction.h"

namespace slowpath::detect {

/// No queue delays by less than this when it overflows.
inline constexpr double kShortQueueSeconds = 0.0005;
/// Windows that back off never lose a larger share.
inline constexpr double kMostLost = 0.05;

/// A queue so short that the round trip hardly grows: losses keep its books, and the delay fits.
/// `policing` is the transfer's entry, or nullptr.
bool overflows_short_queue(const DirectionFacts& data, const Policing* policing);

/// The round trip grows by something, by no less than packets that queue would take at the rate
/// that the path gave, and losses come when it is longest. Away from the sender that proves little:
/// the ends of its bursts wait longest, too, and a policer loses those.
bool overflows_unseen(const DirectionFacts& data);

/// Seen away from the sender: bursts pass at so many times the rate that was ever held that what
/// drops their ends need not be a full link. A policer looks the same from there.
bool bursts_outpace(const DirectionFacts& data);

/// Why losses behind a short queue need not be its overflow; empty when they are.
std::string why_not_short_queue(const DirectionFacts& data);

}  // namespace slowpath::detect
