// SPDX-License-Identifier: Apache-2.0
// What would be left to expect: see prediction.h. Two estimates are made. "Without its waits" takes
// the lost seconds away and leaves everything else as it was: what an additive pause needs, and a
// lower bound for the rest. "Run anew" asks how long these bytes take when slow start meets nothing
// but the ceilings that stay: what a cause needs that kept the congestion window small.
#include "detect/prediction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/arithmetic/slow_start.h"
#include "detect/arithmetic/window.h"
#include "detect/policy.h"

namespace slowpath::detect {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr auto kRepairs = std::to_array<std::pair<std::string_view, Repair>>({
    // Pauses between data that otherwise flows.
    {"app-ping-pong", Repair::waits},
    {"client-think-time", Repair::waits},
    {"delack-single-segment", Repair::waits},
    {"nagle-delack", Repair::waits},
    {"path-outage", Repair::waits},
    {"rto-dominated", Repair::waits},
    {"server-think-time", Repair::waits},
    {"spurious-retransmission", Repair::waits},
    {"tail-loss", Repair::waits},
    // Whatever is lost, or taken for lost, also keeps the congestion window small.
    {"csum-bad-on-arrival", Repair::loss},
    {"congestion-self", Repair::loss},
    {"cwnd-limited-noloss", Repair::loss},
    {"duplex-mismatch", Repair::loss},
    {"duplicated-packets", Repair::loss},
    {"fragments-dropped", Repair::loss},
    {"gro-forward-broken", Repair::loss},
    {"icmp-bogus-mtu", Repair::loss},
    {"icmp-filtered", Repair::loss},
    {"icmp-fragneeded-coalesced", Repair::loss},
    {"jumbo-mismatch", Repair::loss},
    {"lro-on-forwarder", Repair::loss},
    {"lso-not-segmented", Repair::loss},
    {"lso-wrong-csum-seed", Repair::loss},
    {"mss-not-clamped", Repair::loss},
    {"mss-rewritten", Repair::loss},
    {"mtu-needlessly-small", Repair::loss},
    {"pmtu-stuck-low", Repair::loss},
    {"pmtud-blackhole", Repair::loss},
    {"random-loss", Repair::loss},
    {"receiver-cpu-drops", Repair::loss},
    {"reordering", Repair::loss},
    {"sack-mangled", Repair::loss},
    {"ts-broken", Repair::loss},
    {"tx-csum-offload-broken", Repair::loss},
    // Ends that hold the transfer back.
    {"app-limited-sender", Repair::sender},
    {"sender-limited", Repair::sender},
    {"sndbuf-limited", Repair::sender},
    {"rwnd-fixed-64k", Repair::window},
    {"rwnd-limited", Repair::window},
    {"wscale-absent", Repair::window},
    {"wscale-stripped", Repair::window},
    {"zero-window", Repair::reader},
    // The bottleneck stays, its queue does not.
    {"bufferbloat", Repair::nothing},
    // Data, not rate.
    {"payload-altered-csum-good", Repair::nothing},
    {"retrans-differs", Repair::nothing},
});

// A limit that was met only now and then is none: a tenth of the time, as everywhere.
constexpr double kMetShare = kMaterialShare;
// Flights with a loss; fewer are no rate of loss.
constexpr std::uint64_t kLossEpisodes = 4;
// Fewer trains may all lie across a pause.
constexpr std::uint64_t kTrains = 4;
// So near that the difference does not matter.
constexpr double kAlike = 1.25;

// The spacing of trains is the path's where most of them agree: what programs and hosts add varies.
constexpr double kAgreement = 1.3;
constexpr std::uint64_t kTrainsToAgree = 20;
// How far the seconds of a cause may be wrong, of themselves.
constexpr double kSecondsError = 0.05;
// And where they are partly a model's: of windows that were kept small.
constexpr double kModelError = 0.10;
// Congestion control leaves up to a tenth of a path unused between its losses.
constexpr double kUsable = 0.9;
// A stretch that came so near a rate shows that it can be had.
constexpr double kSustained = 0.5;
// Round trips below this are as much the hosts' own time as the path's.
constexpr double kLeastRtt = 0.001;

/// A rate that would remain a limit, and why. Infinite: none is known.
struct Ceiling {
  double bps = kInfinity;
  std::string why;
};

double base_rtt_s(const DirectionFacts& data) {
  if (data.rtt.total.min_s > 0) return data.rtt.total.min_s;
  return data.rtt.handshake_s.value_or(0);
}

/// The sender was the first to say that there is no more, and all of it arrived.
bool is_whole(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const auto& fin = transfer.connection.beside.first_fin;
  return fin && *fin == transfer.direction && data.acked_bytes >= data.bytes &&
         transfer.connection.close != CloseKind::reset;
}

/// Whether the spacing may be that of the program whose slowness is repaired. A window that is too
/// small leaves pauses between flights; one that fills without a pause is emptied slowly.
bool program_paces(const DirectionFacts& data, const Repairs& repairs) {
  constexpr double kPauses = 0.2;
  const bool read_slowly = data.window.zero_episodes > 0 || data.flight_idle_share < kPauses;
  return repairs.sender || (repairs.window && read_slowly);
}

/// The most that was acknowledged in any stretch of several round trips: over so long no late
/// waking of a host makes it more than the path carries. 0: nothing was.
double peak_bps(const DirectionFacts& data) {
  constexpr double kStretch = 4, kLeast_s = 0.100;
  constexpr std::size_t kParts = 4;  // of a transfer too short for that
  const Timeline& line = data.timeline;
  if (line.bin_s <= 0 || line.bins.empty()) return 0;
  const double wanted = std::ceil(std::max(kStretch * base_rtt_s(data), kLeast_s) / line.bin_s);
  const std::size_t width =
      std::clamp(static_cast<std::size_t>(wanted), std::size_t{1}, line.bins.size() / kParts + 1);
  double sum = 0, most = 0;
  for (std::size_t i = 0; i < line.bins.size(); ++i) {
    sum += static_cast<double>(line.bins[i].acked_bytes);
    if (i >= width) sum -= static_cast<double>(line.bins[i - width].acked_bytes);
    most = std::max(most, sum);
  }
  return most * 8 / (static_cast<double>(width) * line.bin_s);
}

/// What the path was seen to carry, less what congestion control leaves unused: bursts, as far as
/// some stretch kept up with them.
double carried(const DirectionFacts& data) {
  return kUsable * std::min(data.trains.median_bps, peak_bps(data));
}

/// The path's own rate, where the transfer filled it or its bursts agree on it.
Ceiling path_ceiling(const DirectionFacts& data, const Repairs& repairs) {
  const TrainFacts& trains = data.trains;
  const bool full = data.time.share(TimeOwner::bottleneck) >= kMetShare;
  const double peak = peak_bps(data);
  const double most = std::max(peak, trains.p75_bps), least = std::min(peak, trains.p75_bps);
  const bool same = trains.trains >= kTrains && least > 0 && most <= kAgreement * least;
  // A window that losses keep small fills a path for moments only; both measures must say so then.
  if (full && peak > 0 && (same || !repairs.loss)) {
    // An ACK that fills a hole makes a stretch look faster than the path.
    const double bps = repairs.loss ? most : least > 0 ? least : peak;
    return {bps,
            fmt::format("the path carries {}: no more arrived while it queued", format_rate(bps))};
  }
  // A slow program's writes and reads are as regular as a path.
  const bool agree = !program_paces(data, repairs) && trains.trains >= kTrainsToAgree &&
                     trains.p90_bps <= kAgreement * trains.p75_bps;
  if (!agree) return {};
  return {trains.p75_bps,
          fmt::format("the path carries {}, by the spacing of {} bursts where they arrived",
                      format_rate(trains.p75_bps), format_count(trains.trains))};
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
/// as long as they were. One answer for all losses of a flight.
Ceiling loss_ceiling(const DirectionFacts& data, bool repaired) {
  const double rtt = base_rtt_s(data);
  if (repaired || data.loss_episodes < kLossEpisodes || rtt <= 0 || data.segment_size == 0)
    return {};
  const double segments = static_cast<double>(data.bytes) / data.segment_size;
  const double events = static_cast<double>(std::max<std::uint64_t>(data.loss_episodes, 1));
  const double share = std::min(1.0, events / std::max(segments, 1.0));
  if (data.timeouts > 0 && data.time.share(TimeOwner::timeout) >= kMetShare) {
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

/// Besides the path's.
Ceiling least_of_others(const DirectionFacts& data, const Repairs& repairs) {
  Ceiling least;
  for (Ceiling& other :
       std::array{window_ceiling(data, repairs.window), sender_ceiling(data, repairs.sender),
                  loss_ceiling(data, repairs.loss)}) {
    if (other.bps < least.bps) least = std::move(other);
  }
  return least;
}

// From so many times its error on a remainder is a measure: then it is right to within a quarter.
constexpr double kClearRemainder = 4;

/// Every part of it is like every other, or all of it was seen: what a part makes, the whole does.
bool is_steady(const Transfer& transfer) {
  constexpr std::uint64_t kExchanges = 5;
  return is_whole(transfer) || transfer.connection.beside.exchanges.count >= kExchanges;
}

AfterFix unknown(std::string why) { return {std::nullopt, std::move(why), Bound::unknown}; }

double bits_of(const DirectionFacts& data) { return static_cast<double>(data.bytes) * 8; }

/// Everything but the lost seconds stays.
AfterFix without_waits(const Transfer& transfer, const Repairs& repairs) {
  const DirectionFacts& data = transfer.data();
  const double lost_s = std::min(repairs.seconds, data.transfer_s);
  const double left_s = data.transfer_s - lost_s;
  const bool modelled = repairs.loss || repairs.sender || repairs.window;
  const double error_s = (modelled ? kModelError : kSecondsError) * lost_s;
  const std::string bytes = format_bytes(static_cast<double>(data.bytes));
  const std::string parts = fmt::format("{} in {} less {} lost", bytes,
                                        format_duration(data.transfer_s), format_duration(lost_s));
  // A remainder as small as the error of what was taken away is a bound, not a measure.
  if (left_s < kClearRemainder * error_s) {
    return {bits_of(data) / (left_s + error_s),
            fmt::format("{}, which can be wrong by {}", parts, format_duration(error_s)),
            Bound::at_least};
  }
  // What a sender waited for is only inferred where its data arrives.
  const bool seen = data.vantage != Vantage::receiver && data.vantage != Vantage::unknown;
  if (seen && is_steady(transfer)) return {bits_of(data) / left_s, parts, Bound::about};
  // A bound has the error on its safe side.
  return {bits_of(data) / (left_s + error_s), parts, Bound::at_least};
}

struct Run {
  double seconds = 0, bps = 0;
  std::string basis;
};

/// Round trips that an exchange takes beside its bytes: one for the question, and one for the rest
/// of an answer that the window before it does not hold (RFC 9293 section 3.8.6, RFC 6928).
double rounds_of_exchange(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const auto count = static_cast<double>(transfer.connection.beside.exchanges.count);
  if (count <= 0) return 0;
  const double initial = arithmetic::kInitialWindowSegments * data.segment_size;
  return static_cast<double>(data.bytes) / count > initial ? 2 : 1;
}

/// The same bytes from slow start on at no more than this rate. Exchanges take their round trips,
/// and pauses of the programs stay unless they are what is repaired.
Run run_at(const Transfer& transfer, const Repairs& repairs, double ceiling_bps) {
  const DirectionFacts& data = transfer.data();
  const double rtt = base_rtt_s(data);
  const auto bytes = static_cast<double>(data.bytes);
  Run run;
  run.seconds = arithmetic::ideal_transfer_s(bytes, data.segment_size, rtt, ceiling_bps) +
                static_cast<double>(transfer.connection.beside.exchanges.count) *
                    rounds_of_exchange(transfer) * rtt;
  if (!repairs.waits && !repairs.sender) run.seconds += data.time[TimeOwner::application];
  run.bps = bytes * 8 / run.seconds;
  run.basis = fmt::format("{} take {} from slow start on at a round trip of {}",
                          format_bytes(bytes), format_duration(run.seconds), format_duration(rtt));
  return run;
}

/// The path's own rate is not known: what binds otherwise does so if bursts came as fast as that,
/// else they are what the path is known to carry.
AfterFix bounded_by_bursts(const Transfer& transfer, const Repairs& repairs, Witness witness,
                           const Ceiling& ceiling) {
  const TrainFacts& trains = transfer.data().trains;
  if (trains.trains < kTrains) return {};
  Run run = run_at(transfer, repairs, ceiling.bps);
  if (!ceiling.why.empty()) run.basis += "; " + ceiling.why;
  // Between losses flights are a few packets, which a host may take in one go: what such bursts
  // seem to carry counts only where some stretch came near it.
  const bool shown = !repairs.loss || witness == Witness::bursts ||
                     peak_bps(transfer.data()) >= kSustained * run.bps;
  if (trains.median_bps >= run.bps && shown) {
    const bool told = is_whole(transfer) && base_rtt_s(transfer.data()) >= kLeastRtt;
    return {run.bps,
            run.basis + fmt::format("; bursts arrived at {}", format_rate(trains.median_bps)),
            told ? Bound::about : Bound::at_least};
  }
  const double carried_bps = carried(transfer.data());
  run = run_at(transfer, repairs, std::min(carried_bps, ceiling.bps));
  return {
      run.bps,
      fmt::format("{} at {}, as bursts arrived; nothing shows what the path carries beyond that",
                  run.basis, format_rate(carried_bps)),
      Bound::at_least};
}

/// From slow start on, under the ceilings that stay.
AfterFix run_anew(const Transfer& transfer, const Repairs& repairs, Witness witness) {
  const DirectionFacts& data = transfer.data();
  if (base_rtt_s(data) <= 0 || data.segment_size == 0) return {};
  const Ceiling path = path_ceiling(data, repairs);
  const Ceiling other = least_of_others(data, repairs);
  if (path.bps == kInfinity) return bounded_by_bursts(transfer, repairs, witness, other);
  const Ceiling& least = path.bps <= other.bps ? path : other;
  const Run run = run_at(transfer, repairs, least.bps);
  // A long transfer nears the ceiling, whether or not its end was seen.
  const bool known = is_whole(transfer) || run.bps * kAlike >= least.bps;
  return {run.bps, run.basis + "; " + least.why, known ? Bound::about : Bound::at_least};
}

AfterFix stays(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  return {data.goodput_bps, "the rate stays as it is",
          is_steady(transfer) ? Bound::about : Bound::at_least};
}

}  // namespace

Repair repair_of(std::string_view fault) {
  const auto found = std::ranges::find(kRepairs, fault, &decltype(kRepairs)::value_type::first);
  return found == kRepairs.end() ? Repair::unknown : found->second;
}

void Repairs::add(Repair repair, double seconds_lost) {
  waits |= repair == Repair::waits;
  loss |= repair == Repair::loss;
  sender |= repair == Repair::sender;
  window |= repair == Repair::window || repair == Repair::reader;
  seconds += seconds_lost;
}

AfterFix predict(const Transfer& transfer, const Repairs& repairs, Witness witness) {
  const DirectionFacts& data = transfer.data();
  if (data.bytes == 0 || data.transfer_s <= 0) {
    return unknown("cannot be told: no data was seen to move");
  }
  const bool held_small = repairs.loss || repairs.sender || repairs.window;
  if (!held_small && !repairs.waits) return stays(transfer);
  AfterFix left = without_waits(transfer, repairs);
  if (!held_small) return left;
  // What a host does in less than that is its own speed, which no path's ceiling tells.
  AfterFix anew = base_rtt_s(data) < kLeastRtt ? AfterFix{} : run_anew(transfer, repairs, witness);
  if (anew.goodput_bps && (anew.bound == Bound::about || *anew.goodput_bps >= *left.goodput_bps)) {
    return anew;
  }
  // Seconds of such a cause are a model's: never more than the path was seen to carry.
  if (data.trains.trains >= kTrains) {
    *left.goodput_bps = std::min(*left.goodput_bps, std::max(carried(data), data.goodput_bps));
  }
  left.bound = Bound::at_least;
  return left;
}

}  // namespace slowpath::detect
