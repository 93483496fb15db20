// SPDX-License-Identifier: Apache-2.0
// What would be left to expect: see prediction.h. Two estimates are made. "Without its waits" takes
// the lost seconds away and leaves everything else as it was: what an additive pause needs, and a
// lower bound for the rest. "Run anew" asks how long these bytes take when slow start meets nothing
// but the ceilings that stay: what a cause needs that kept the congestion window small, and an
// upper bound for the rest. Where the bounds meet, the answer lies between them.
#include "detect/prediction.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/arithmetic/slow_start.h"
#include "detect/ceilings.h"
#include "detect/policy.h"
#include "facts/link_rate.h"

namespace slowpath::detect {
namespace {

// Fewer trains may all lie across a pause.
constexpr std::uint64_t kTrains = 4;
// So near that the difference does not matter.
constexpr double kAlike = 1.25;
// Bounds so near each other leave no more than a quarter to either side of their middle: its root
// is 1.22.
constexpr double kNearBounds = 1.5;
// How far the seconds of a cause may be wrong, of themselves.
constexpr double kSecondsError = 0.05;
// And where they are partly a model's: of windows that were kept small.
constexpr double kModelError = 0.10;
// A stretch that came so near a rate shows that it can be had.
constexpr double kSustained = 0.5;
// Round trips below this are as much the hosts' own time as the path's.
constexpr double kLeastRtt = 0.001;
// From so many times its error on a remainder is a measure: then it is right to within a quarter.
constexpr double kClearRemainder = 4;

/// The sender was the first to say that there is no more, and all of it arrived.
bool is_whole(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const auto& fin = transfer.connection.beside.first_fin;
  return fin && *fin == transfer.direction && data.acked_bytes >= data.bytes &&
         transfer.connection.close != CloseKind::reset;
}

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

// Pauses from here on close a congestion window again: the least of a retransmission timeout (RFC
// 5681 section 4.1; Linux: 200 ms).
constexpr double kClosingPause_s = 0.2;

/// Of the programs that are not repaired: their pauses stay.
double staying_pauses_s(const DirectionFacts& data, const Repairs& repairs) {
  return repairs.waits || repairs.sender ? 0 : data.time[TimeOwner::application];
}

/// Sending and round trips alone, at no more than this rate.
double moving_s(const Transfer& transfer, double pauses_s, double ceiling_bps) {
  const DirectionFacts& data = transfer.data();
  const auto bytes = static_cast<double>(data.bytes);
  const double rtt = base_rtt_s(data);
  const std::uint64_t turns = transfer.connection.beside.exchanges.count;
  if (turns == 0) return arithmetic::ideal_transfer_s(bytes, data.segment_size, rtt, ceiling_bps);
  const double count = static_cast<double>(turns) + 1;
  return arithmetic::exchanges_s({.count = count,
                                  .answer_bytes = bytes / count,
                                  .begin_anew = pauses_s / count >= kClosingPause_s},
                                 data.segment_size, rtt, ceiling_bps);
}

/// The same bytes from slow start on at no more than this rate. Exchanges take their round trips,
/// and pauses of the programs stay unless they are what is repaired.
Run run_at(const Transfer& transfer, const Repairs& repairs, double ceiling_bps) {
  const DirectionFacts& data = transfer.data();
  const auto bytes = static_cast<double>(data.bytes);
  const double pauses_s = staying_pauses_s(data, repairs);
  Run run;
  run.seconds = moving_s(transfer, pauses_s, ceiling_bps) + pauses_s;
  run.bps = bytes * 8 / run.seconds;
  run.basis =
      fmt::format("{} take {} from slow start on at a round trip of {}", format_bytes(bytes),
                  format_duration(run.seconds), format_duration(base_rtt_s(data)));
  return run;
}

bool has_trains(const DirectionFacts& data) {
  return data.trains.trains >= kTrains && data.trains.median_bps > 0;
}

constexpr std::string_view kNothingMore = "nothing shows what the path carries beyond that";

/// As much as bursts show that the path carries, under what binds otherwise.
AfterFix as_carried(const Transfer& transfer, const Repairs& repairs, const Ceiling& ceiling) {
  const double carried = carried_bps(transfer.data());
  if (carried <= 0 || base_rtt_s(transfer.data()) <= 0) return {};
  const Run run = run_at(transfer, repairs, std::min(carried, ceiling.bps));
  return {
      run.bps,
      fmt::format("{} at {}, {}", run.basis, format_rate(carried), what_carried(transfer.data())),
      Bound::at_least};
}

/// The path's own rate is not known: what binds otherwise does so if bursts came as fast as that,
/// else they are what the path is known to carry.
AfterFix bounded_by_bursts(const Transfer& transfer, const Repairs& repairs, Witness witness,
                           const Ceiling& ceiling) {
  const TrainFacts& trains = transfer.data().trains;
  if (!has_trains(transfer.data())) return as_carried(transfer, repairs, ceiling);
  Run run = run_at(transfer, repairs, ceiling.bps);
  if (!ceiling.why.empty()) run.basis += "; " + ceiling.why;
  // Between losses flights are a few packets, which a host may take in one go: what such bursts
  // seem to carry counts only where some stretch came near it.
  // So does what comes faster than hosts take segments one by one.
  const bool told_by_host =
      repairs.loss || is_host_pace(transfer.data().segment_size, trains.median_bps);
  const double sustained = std::max(peak_bps(transfer.data()), transfer.data().goodput_bps);
  const bool shown =
      !told_by_host || witness == Witness::bursts || sustained >= kSustained * run.bps;
  if (trains.median_bps >= run.bps && shown) {
    const bool told = is_whole(transfer) && base_rtt_s(transfer.data()) >= kLeastRtt;
    return {run.bps,
            run.basis + fmt::format("; bursts arrived at {}", format_rate(trains.median_bps)),
            told ? Bound::about : Bound::at_least};
  }
  return as_carried(transfer, repairs, ceiling);
}

/// Whether the round trip and the rate are the path's: what a host does in less than a millisecond
/// is its own speed, but where the path queued.
bool path_tells(const DirectionFacts& data) {
  const double rtt = base_rtt_s(data);
  const bool queued = data.time.share(TimeOwner::bottleneck) >= kMaterialShare;
  return rtt > 0 && data.segment_size > 0 && (rtt >= kLeastRtt || queued);
}

/// From slow start on, under the ceilings that stay.
AfterFix run_anew(const Transfer& transfer, const Repairs& repairs, Witness witness) {
  const DirectionFacts& data = transfer.data();
  const Ceiling other = other_ceiling(data, repairs);
  if (!path_tells(data)) {
    return spacing_bps(data) > 0 ? as_carried(transfer, repairs, other) : AfterFix{};
  }
  const Ceiling path = path_ceiling(data, repairs);
  if (!path.is_known()) return bounded_by_bursts(transfer, repairs, witness, other);
  const Ceiling& least = path.bps <= other.bps ? path : other;
  Run run = run_at(transfer, repairs, least.bps);
  // A long transfer nears the ceiling, whether or not its end was seen.
  const bool known = is_steady(transfer) || run.bps * kAlike >= least.bps;
  // Congestion control leaves a tenth unused; a bound has that on its safe side.
  if (!known) run = run_at(transfer, repairs, kUsable * least.bps);
  return {run.bps, run.basis + "; " + least.why, known ? Bound::about : Bound::at_least};
}

/// What a transfer cannot pass once its waits are gone: its round trips and the ceilings that stay.
/// Of one whose end was not seen only the ceilings: what follows needs no slow start.
Ceiling most_of(const Transfer& transfer, const Repairs& repairs) {
  const DirectionFacts& data = transfer.data();
  if (!path_tells(data) || repairs.turns) return {};
  Ceiling least = path_ceiling(data, repairs);
  if (Ceiling other = other_ceiling(data, repairs); other.bps < least.bps) least = std::move(other);
  if (!is_steady(transfer)) return least;
  const Run run = run_at(transfer, repairs, least.bps);
  return {run.bps, least.is_known() ? run.basis + "; " + least.why : run.basis};
}

/// A bound from below, held against what cannot be passed.
AfterFix narrowed(AfterFix least, const Ceiling& most) {
  if (!least.goodput_bps || !most.is_known()) return least;
  double& bps = *least.goodput_bps;
  if (bps * kNearBounds < most.bps) return least;
  if (bps < most.bps && least.bound == Bound::about) return least;
  bps = bps < most.bps ? std::sqrt(bps * most.bps) : most.bps;
  least.bound = Bound::about;
  least.basis += fmt::format("; no more than {}: {}", format_rate(most.bps), most.why);
  return least;
}

/// Detectors count the waits for delayed ACKs that they can prove one by one; the account has the
/// time of them all. What that leaves is a measure where the round trips and ceilings that stay say
/// nearly the same; else nothing is said.
AfterFix without_delayed_acks(const Transfer& transfer, const Repairs& repairs,
                              const Ceiling& most) {
  if (repairs.acks_s <= 0) return {};
  const DirectionFacts& data = transfer.data();
  const double acks_s = data.time[TimeOwner::delayed_ack];
  const double lost_s = repairs.seconds - repairs.acks_s + acks_s;
  if (acks_s < repairs.acks_s || lost_s >= data.transfer_s || !most.is_known()) return {};
  const double bps = bits_of(data) / (data.transfer_s - lost_s);
  if (bps > kNearBounds * most.bps) return {};
  return narrowed({bps,
                   fmt::format("{} in {} less {} of waiting", format_bytes(bits_of(data) / 8),
                               format_duration(data.transfer_s), format_duration(lost_s)),
                   Bound::at_least},
                  most);
}

/// The rate stays; of a transfer whose end was not seen it is what was reached until then, unless
/// the path allows hardly more: then it is the rate, and nothing beside it is promised.
AfterFix stays(const Transfer& transfer, const Repairs& repairs) {
  const double bps = transfer.data().goodput_bps;
  AfterFix same{bps, "the rate stays as it is", Bound::about};
  if (is_steady(transfer)) return same;
  const Ceiling most = most_of(transfer, repairs);
  if (most.is_known() && most.bps <= kAlike * bps) {
    same.basis += fmt::format("; no more than {}: {}", format_rate(most.bps), most.why);
  } else {
    same.bound = Bound::at_least;
  }
  return same;
}

/// Damaged data is resent instead of taken, which keeps the congestion window small where there is
/// much of it.
AfterFix verified(const Transfer& transfer, const Repairs& repairs) {
  constexpr double kRoomy = 8;
  const DirectionFacts& data = transfer.data();
  // With the queue that it makes, of which losses would leave less: a bound.
  const double rtt = data.rtt.total.median_s;
  const double share = static_cast<double>(data.checksums.bad_but_acknowledged) /
                       static_cast<double>(std::max<std::uint64_t>(data.data_packets, 1));
  AfterFix same = stays(transfer, repairs);
  if (share <= 0 || rtt <= 0 || data.segment_size == 0) return same;
  const double bps = arithmetic::cubic_rate_bps(data.segment_size, rtt, std::min(share, 1.0));
  if (bps >= kRoomy * data.goodput_bps) return same;
  // In turn what held it until now, and the losses.
  return {1 / (1 / data.goodput_bps + 1 / bps),
          fmt::format("what is taken damaged now is resent then: {} of loss at {} leaves about {} "
                      "(CUBIC, RFC 9438 section 5)",
                      format_percent(share), format_duration(rtt), format_rate(bps)),
          Bound::at_least};
}

/// A limit goes, or what others take: no less than now passes then, nor than what is known to pass.
AfterFix freed(const Transfer& transfer, const Repairs& repairs) {
  const DirectionFacts& data = transfer.data();
  AfterFix least{data.goodput_bps, "no less than now", Bound::at_least};
  // Where a limit holds, it makes the spacing; where ACKs queue, they lose theirs.
  const double passes = repairs.limit ? repairs.passes_bps : carried_bps(data);
  if (passes <= 0 || base_rtt_s(data) <= 0 || data.segment_size == 0) return least;
  const Ceiling other = other_ceiling(data, repairs);
  const Run run = run_at(transfer, repairs, std::min(passes, other.bps));
  if (run.bps <= data.goodput_bps) return least;
  least.goodput_bps = run.bps;
  least.basis = fmt::format("{} at {}, which {}", run.basis, format_rate(passes),
                            repairs.limit ? "passes now" : "bursts came at");
  return least;
}

/// Seconds of a cause that kept the window small are a model's: what is left without them is never
/// more than was seen to pass.
AfterFix no_more_than_seen(AfterFix left, const DirectionFacts& data, const Repairs& repairs) {
  if (!has_trains(data) && !repairs.sender && !repairs.window) return left;
  double seen_bps = has_trains(data) ? carried_bps(data) : kUsable * peak_bps(data);
  std::string how = has_trains(data) ? what_carried(data)
                                     : fmt::format("as its fastest stretch went; {}", kNothingMore);
  if (seen_bps <= data.goodput_bps) {
    seen_bps = data.goodput_bps;
    how = fmt::format("no less than now; {}", kNothingMore);
  }
  if (*left.goodput_bps <= seen_bps) return left;
  left.goodput_bps = seen_bps;
  left.basis = std::move(how);
  return left;
}

}  // namespace

AfterFix predict(const Transfer& transfer, const Repairs& repairs, Witness witness) {
  const DirectionFacts& data = transfer.data();
  if (data.bytes == 0 || data.transfer_s <= 0) {
    return unknown("cannot be told: no data was seen to move");
  }
  if (repairs.limit || repairs.share) return freed(transfer, repairs);
  if (repairs.verify) return verified(transfer, repairs);
  const bool held_small = repairs.loss || repairs.sender || repairs.window;
  if (!held_small && !repairs.waits) return stays(transfer, repairs);
  AfterFix left = without_waits(transfer, repairs);
  if (!held_small) {
    const Ceiling most = most_of(transfer, repairs);
    AfterFix acks = without_delayed_acks(transfer, repairs, most);
    return bound_of(acks) == Bound::about ? acks : narrowed(std::move(left), most);
  }
  AfterFix anew = run_anew(transfer, repairs, witness);
  if (anew.goodput_bps && (anew.bound == Bound::about || *anew.goodput_bps >= *left.goodput_bps)) {
    return anew;
  }
  left.bound = Bound::at_least;
  return no_more_than_seen(std::move(left), data, repairs);
}

}  // namespace slowpath::detect
