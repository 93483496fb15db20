// SPDX-License-Identifier: Apache-2.0
#include "detect/ceilings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/arithmetic/window.h"
#include "detect/policy.h"
#include "detect/stretches.h"
#include "facts/link_rate.h"

namespace slowpath::detect {
namespace {

// A limit that was met only now and then is none: a tenth of the time, as everywhere.
constexpr double kMetShare = kMaterialShare;
// Flights with a loss; fewer are no rate of loss.
constexpr std::uint64_t kLossEpisodes = 4;
// Fewer trains may all lie across a pause.
constexpr std::uint64_t kTrains = 4;
// The spacing of trains is the path's where most of them agree: what programs and hosts add varies.
constexpr double kAgreement = 1.3;
constexpr std::uint64_t kTrainsToAgree = 20;
// A transfer that sustained so much more than its gaps say was not held by what made them.
constexpr double kOutrun = 1.5;
// So many of all gaps agree on the path's rate where a sender sends two segments at a time.
constexpr double kPairShare = 0.2;
constexpr double kDoubled = 0.15;
// Gaps so near what was held may be the rhythm of what held it.
constexpr double kOwnRhythm = 1.5;
// And those near the round trip that of a window of one or two segments.
constexpr double kGapRounds = 0.5;
// As fast as hosts take what waits, a path is only what was had to a tenth.
constexpr double kHostShare = 0.1;
// What nineteen in twenty stretches kept below: a host that woke late makes the others.
constexpr double kMostStretches = 0.95;
// In flight; fewer fill no queue.
constexpr std::uint64_t kFewSegments = 4;
// A path that was full so long made the rate, whatever bursts pass it: a token bucket lets them.
constexpr double kFullShare = 0.5;

/// Whether the spacing may be that of the program whose slowness is repaired. A window that is too
/// small leaves pauses between flights; one that fills without a pause is emptied slowly.
bool program_paces(const DirectionFacts& data, const Repairs& repairs) {
  constexpr double kPauses = 0.2;
  const bool read_slowly = data.window.zero_episodes > 0 || data.flight_idle_share < kPauses;
  return repairs.sender || (repairs.window && read_slowly);
}

/// The path queued for a good part of the time, and not for two or three segments in flight: what
/// delays those is another's queue, or a host.
bool is_full(const DirectionFacts& data) {
  const bool few = data.flight_plateau_bytes > 0 &&
                   data.flight_plateau_bytes < kFewSegments * std::uint64_t{data.segment_size};
  return !few && data.time.share(TimeOwner::bottleneck) >= kMetShare;
}

/// The path was full for most of the time, and the transfer made far less than the spacing says
/// that it carries: others fill it, and lie between the segments.
bool is_shared(const DirectionFacts& data) {
  constexpr double kOwnShare = 0.6;
  const double full = data.time.share(TimeOwner::bottleneck);
  return full >= kFullShare && data.goodput_bps < kOwnShare * full * data.trains.p75_bps;
}

/// What is repaired held the transfer for longer than the path did.
bool held_longer(const DirectionFacts& data, const Repairs& repairs) {
  double held = 0;
  const auto add = [&](TimeOwner owner) { held += data.time.share(owner); };
  if (repairs.window) add(TimeOwner::receive_window);
  if (repairs.window) add(TimeOwner::zero_window);
  if (repairs.sender) add(TimeOwner::send_buffer);
  if (repairs.sender) add(TimeOwner::application);
  return held > data.time.share(TimeOwner::bottleneck);
}

struct Spacing {
  double bps = 0;  // 0: nothing agrees on one
  std::string of;  // what is spaced
};

/// The rhythm of a small window is as regular as a path, and so are pauses of hosts: trains agree
/// on it. Gaps between single segments, where many agree on a rate far above, are the path's,
/// unless it was busy. (One that ACKs tell may be that of an ACK for two segments that came as
/// one.)
Spacing spacing_of(const DirectionFacts& data) {
  if (!spacing_agrees(data)) return {};
  const TrainFacts& trains = data.trains;
  const double above = trains.pair_bps / trains.p75_bps;
  const bool doubled = data.vantage != Vantage::receiver && std::abs(above - 2) < kDoubled;
  if (trains.pair_share >= kPairShare && above > kAgreement && !doubled && !is_full(data)) {
    return {trains.pair_bps, fmt::format("{} of the segments", format_percent(trains.pair_share))};
  }
  return {trains.p75_bps, fmt::format("{} bursts", format_count(trains.trains))};
}

/// The spacing of trains or of segments, where most of them agree and nothing was faster for long.
/// Unless a queue shows that the path made it, it must not be what held the transfer: a small
/// window's round trips and a program's rhythm are as regular.
Ceiling spacing_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  const double held_bps = peak_bps(data);
  const Spacing spacing = spacing_of(data);
  if (spacing.bps <= 0 || held_bps > kOutrun * spacing.bps) return {};
  const double gap_s = data.segment_size * 8 / spacing.bps;
  // So fast, only what was nearly had is the path's: hosts take what waits in one go.
  if (gap_s < kHostGap_s && held_bps > 0 && held_bps < kHostShare * spacing.bps) return {};
  if (is_shared(data)) return {};
  const bool apart = spacing.bps >= kOwnRhythm * held_bps && gap_s <= kGapRounds * base_rtt_s(data);
  const bool shows_pauses = held_bps > 0 || !program_paces(data, repairs);
  if (!is_full(data) && !(apart && shows_pauses)) return {};
  return {spacing.bps, fmt::format("the path carries {}, by the spacing of {} where they arrived",
                                   format_rate(spacing.bps), spacing.of)};
}

/// What arrived while the path queued.
Ceiling filled_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  const TrainFacts& trains = data.trains;
  const double peak = peak_bps(data);
  const double most = std::max(peak, trains.p75_bps), least = std::min(peak, trains.p75_bps);
  const bool same = trains.trains >= kTrains && least > 0 && most <= kAgreement * least;
  if (!is_full(data) || peak <= 0 || held_longer(data, repairs)) return {};
  // A window that losses keep small fills a path for moments only; both measures must say so then.
  const bool lossy = repairs.loss || data.loss_episodes >= kLossEpisodes;
  if (lossy && !same) return {};
  // An ACK that fills a hole makes a stretch look faster than the path. Spacing that the transfer
  // outran is not the path's.
  const double bps = repairs.loss ? most : trains.p75_bps * kAgreement >= peak ? least : peak;
  return {bps,
          fmt::format("the path carries {}: no more arrived while it queued", format_rate(bps))};
}

/// 0: the scale is not known.
double widest_window_bytes(const DirectionFacts& data) {
  const WindowFacts& window = data.window;
  const bool known = window.knowledge == ScaleKnowledge::negotiated ||
                     window.knowledge == ScaleKnowledge::not_in_use;
  return known ? arithmetic::max_window_bytes(window.shift) : 0;
}

/// The window that was offered, if it held the transfer back and stays; else the widest that its
/// scale can express, which no tuning passes.
Ceiling window_ceiling(const DirectionFacts& data, bool repaired) {
  const double rtt = base_rtt_s(data);
  const WindowFacts& window = data.window;
  if (rtt <= 0 || repaired || window.max_bytes == 0) return {};
  const double share =
      data.time.share(TimeOwner::receive_window) + data.time.share(TimeOwner::zero_window);
  if (share >= kMetShare) {
    const auto bytes = static_cast<double>(window.max_bytes);
    const double bps = arithmetic::window_rate_bps(bytes, rtt);
    return {bps, fmt::format("{} of receive window in {} allow {}", format_bytes(bytes),
                             format_duration(rtt), format_rate(bps))};
  }
  const double widest = widest_window_bytes(data);
  if (widest <= 0) return {};
  const double bps = arithmetic::window_rate_bps(widest, rtt);
  return {bps,
          fmt::format("a window that its scale of {} lets grow to {} at most allows {} in {}",
                      window.shift, format_bytes(widest), format_rate(bps), format_duration(rtt))};
}

/// A flat flight that nothing but the sender explains.
Ceiling sender_ceiling(const DirectionFacts& data, bool repaired) {
  constexpr double kFlat = 0.15;
  const double rtt = base_rtt_s(data);
  const bool flat = data.flight_rounds >= 10 && data.flight_plateau_spread <= kFlat &&
                    data.flight_plateau_bytes > 0 && data.lost_packets == 0 &&
                    data.time.share(TimeOwner::unknown) >= kMetShare;
  if (repaired || !flat || rtt <= 0) return {};
  const auto bytes = static_cast<double>(data.flight_plateau_bytes);
  const double bps = arithmetic::window_rate_bps(bytes, rtt);
  return {bps, fmt::format("{} in flight in {} allow {}", format_bytes(bytes), format_duration(rtt),
                           format_rate(bps))};
}

/// What the losses that stay leave to a congestion control: CUBIC (RFC 9438 section 5), or Reno
/// (Mathis 1997) where that is more. Where timeouts matter, Reno with timeouts (PFTK), which stay
/// as long as they were. One answer for all losses of a flight. Where waits are repaired, so are
/// the losses that ended in a timeout.
Ceiling loss_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  const double rtt = base_rtt_s(data);
  const std::uint64_t gone = repairs.waits ? std::min(data.timeouts, data.loss_episodes) : 0;
  const std::uint64_t events = data.loss_episodes - gone;
  if (repairs.loss || events < kLossEpisodes || rtt <= 0 || data.segment_size == 0) return {};
  const double segments = static_cast<double>(data.bytes) / data.segment_size;
  const double share = std::min(1.0, static_cast<double>(events) / std::max(segments, 1.0));
  if (!repairs.waits && data.timeouts > 0 && data.time.share(TimeOwner::timeout) >= kMetShare) {
    const double timeout_s = data.timeout_s / static_cast<double>(data.timeouts);
    const double bps =
        arithmetic::pftk_rate_bps(data.segment_size, rtt, share, {.rto_s = timeout_s});
    return {bps, fmt::format("{} of loss at {}, with timeouts of {}, leaves {} (PFTK 1998)",
                             format_percent(share), format_duration(rtt),
                             format_duration(timeout_s), format_rate(bps))};
  }
  const double bps = arithmetic::cubic_rate_bps(data.segment_size, rtt, share);
  return {bps, fmt::format("{} of loss at {} leaves {} (CUBIC, RFC 9438 section 5)",
                           format_percent(share), format_duration(rtt), format_rate(bps))};
}

}  // namespace

bool spacing_agrees(const DirectionFacts& data) {
  const TrainFacts& trains = data.trains;
  return trains.trains >= kTrainsToAgree && trains.p75_bps > 0 &&
         trains.p90_bps <= kAgreement * trains.p75_bps;
}

double base_rtt_s(const DirectionFacts& data) {
  if (data.rtt.total.min_s > 0) return data.rtt.total.min_s;
  return data.rtt.handshake_s.value_or(0);
}

double peak_bps(const DirectionFacts& data) {
  constexpr double kStretch = 4, kLeast_s = 0.100;
  constexpr std::size_t kParts = 4;  // of a transfer too short for that
  const Timeline& line = data.timeline;
  if (line.bin_s <= 0 || line.bins.empty()) return 0;
  const double wanted = std::ceil(std::max(kStretch * base_rtt_s(data), kLeast_s) / line.bin_s);
  const std::size_t width =
      std::clamp(static_cast<std::size_t>(wanted), std::size_t{1}, line.bins.size() / kParts + 1);
  std::vector<double> sums = stretches_of(line, &TimelineBin::acked_bytes, width);
  const auto at = sums.begin() + static_cast<std::ptrdiff_t>(kMostStretches *
                                                             static_cast<double>(sums.size() - 1));
  std::ranges::nth_element(sums, at);
  return rate_in_stretch_bps(line, *at, width);
}

double spacing_bps(const DirectionFacts& data) {
  const double bps = data.trains.p75_bps;
  return spacing_agrees(data) && !is_host_pace(data.segment_size, bps) ? bps : 0;
}

double carried_bps(const DirectionFacts& data) {
  return kUsable * std::max(std::min(data.trains.median_bps, peak_bps(data)), spacing_bps(data));
}

std::string what_carried(const DirectionFacts& data) {
  const double peak = peak_bps(data);
  const double bursts = data.trains.median_bps;
  if (peak < bursts && spacing_bps(data) < peak) {
    return fmt::format(
        "as its fastest stretch went; bursts arrived at {}, but nothing shows that the path "
        "carries that for longer",
        format_rate(bursts));
  }
  return "as bursts arrived; nothing shows what the path carries beyond that";
}

Ceiling path_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  Ceiling spaced = spacing_ceiling(data, repairs);
  Ceiling filled = filled_ceiling(data, repairs);
  const bool long_full = data.time.share(TimeOwner::bottleneck) >= kFullShare;
  const bool takes_filled = !spaced.is_known() || (long_full && filled.bps < spaced.bps);
  Ceiling least = takes_filled ? std::move(filled) : std::move(spaced);
  // What the whole transfer passed is no ceiling.
  return least.bps < data.goodput_bps ? Ceiling{} : least;
}

Ceiling other_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  Ceiling least;
  for (Ceiling& other :
       std::array{window_ceiling(data, repairs.window), sender_ceiling(data, repairs.sender),
                  loss_ceiling(data, repairs)}) {
    if (other.bps < least.bps) least = std::move(other);
  }
  return least;
}

}  // namespace slowpath::detect
