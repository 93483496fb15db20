// SPDX-License-Identifier: Apache-2.0
// How the losses of one direction lie: alone or in bursts, before a full queue or at any time, and
// whether something else than loss explains them. Shared by the detectors that judge loss; decides
// nothing itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "detect/support.h"

namespace slowpath::detect {

/// Losses of data packets, capture losses and needless resends left out.
struct LossPattern {
  std::uint64_t losses = 0;
  std::uint64_t episodes = 0;  // flights that lost something
  double share = 0;            // of the segments sent
  std::uint64_t ranked = 0;    // losses whose round-trip time before is known
  /// Mean rank of the round-trip time before a loss among all of the connection's: 0.5 when losses
  /// come at any time, near 1 when a full queue makes them. 0 when none could be ranked.
  double mean_rank = 0;
  Exemplars originals, resends;
};

LossPattern loss_pattern(const DirectionFacts& data);

/// Segments on the wire, as far as bytes tell: a super-frame is one packet and several of them.
double segments_sent(const DirectionFacts& data);

/// Where a value lies among quantiles at 0, 5, ... 100 %: 0..1; the middle of a run of equal ones.
double rank_among(const std::array<double, 21>& quantiles, double value);

/// How round trips behave under this direction's own load. Zeros where it cannot be told.
struct QueueFacts {
  double base_s = 0;    // the path without queue
  double loaded_s = 0;  // median while the flight was above half of its maximum
  [[nodiscard]] double added_s() const { return loaded_s > base_s ? loaded_s - base_s : 0; }
  [[nodiscard]] double ratio() const { return base_s > 0 ? loaded_s / base_s : 0; }
  [[nodiscard]] bool known() const { return base_s > 0 && loaded_s > 0; }
};

QueueFacts queue_of(const DirectionFacts& data);

/// So many round trips tell it.
inline constexpr std::uint64_t kQueueSamples = 5;

/// Why `queue` of this direction is not known, in words; empty where it is, by at least `needed`
/// round trips.
std::string why_no_queue_known(const DirectionFacts& data, const QueueFacts& queue,
                               std::uint64_t needed = kQueueSamples);

/// What `loaded_s` was measured over, after "median ": away from the sender the flight is told by
/// echoes, and its maximum is not what passed the tap.
std::string loaded_when(const DirectionFacts& data);

/// The least round trip that is more than a stray one. Late packets whose ACK was under way already
/// make samples below what the path can do: those below half of the handshake, when nearly all
/// others take as long as it did. No more than the handshake, which may have waited for ARP, while
/// the others may all have queued. 0 = none known.
double least_rtt_s(const RttSet& rtt);

/// The queue visibly grows with the flight: from here on losses may be its overflow.
bool queue_builds(const QueueFacts& queue);

/// So much is lost, and yet so much arrived, that what was sent again cannot have been lost as
/// often: three times what that loss leaves of a rate (PFTK).
bool resends_are_spared(const DirectionFacts& data, const LossPattern& pattern);

/// Whether whole flights die and the sender waits for its timer: so many are lost at once, and so
/// much of what is sent, that something chose bursts; or the resends pass although so much is lost.
/// What chose them, and whether by load, does not show.
bool flights_die(const DirectionFacts& data, const LossPattern& pattern);

/// Losses that are independent of load: enough of them, alone, and at any round-trip time; and
/// nothing speaks against chance (loss_chance.h).
/// The evidence of `random-loss`, to which timeouts beside it are then attributed.
bool losses_are_random(const DirectionFacts& data, const LossPattern& pattern);

/// Why losses may have been none: far more packets came late, or may have where nothing could tell,
/// and were sent again for nothing, than are called lost, and nothing says that these were not late
/// as well. Empty otherwise.
std::string may_have_been_late(const DirectionFacts& data);

/// Why the window is as small as after losses though nothing was lost: what came late was taken for
/// lost, time and again. Empty where that is not so.
std::string taken_for_lost(const DirectionFacts& data);

/// Why the losses of this transfer are no losses of a queue or a noisy path: a size that never
/// passes, super-frames that vanish whole, wrong checksums, "fragmentation needed". Empty if none.
std::string other_cause_of_loss(const Transfer& transfer);

}  // namespace slowpath::detect
