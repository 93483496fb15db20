// SPDX-License-Identifier: Apache-2.0
// See way_meter.h.
#include "flow/way_meter.h"

#include <algorithm>
#include <array>
#include <limits>

#include "flow/room.h"

namespace slowpath::flow {
namespace {

// Linux 1 ms (any kernel since 4.13), 1 µs (where a route asks for it), 1/HZ before: 1, 10/3, 4,
// 10 ms; BSD 1 and 10 ms, 500 ms in the beginning; Windows 1, 10 and 100 ms; Solaris 10 ms.
constexpr std::array<double, 8> kTicks_s = {1e-6, 1e-3, 2e-3, 1.0 / 300, 4e-3, 1e-2, 0.1, 0.5};
// Fewer ticks are too coarse to tell one clock from another.
constexpr double kTicksSeen = 10;
constexpr std::size_t kSamples = 10;
// Clocks of hosts differ by less than this.
constexpr double kClockError = 0.001;
// The trip grows by what its ways grow by, but for what the one had left when the other was at its
// least. A clock that is set, or a host that stamps frames late, moves time from one way to the
// other: there the ways grow and their sum does not.
constexpr double kShownByTrip = 2.0 / 3;
constexpr double kTicksOfError = 2;

double ticks_between(std::uint32_t from, std::uint32_t to) {
  return static_cast<double>(static_cast<std::int32_t>(to - from));
}

WayGrowth growth_of(std::vector<double>& values) {
  auto from = values.begin();  // none before it is larger than any behind it
  const auto at = [&](double share) {
    const auto i = values.begin() + static_cast<std::ptrdiff_t>(
                                        share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(from, i, values.end());
    from = i;
    return *i;
  };
  const double p25 = at(0.25), median = at(0.5), p95 = at(0.95);
  const double least = std::ranges::min(values);
  return {.p25_s = p25 - least, .median_s = median - least, .p95_s = p95 - least};
}

}  // namespace

void WayMeter::add(Time asked, std::uint32_t stamp, Time answered) {
  if (!kept_.empty() && kept_.back().answered == answered && kept_.back().stamp == stamp) {
    kept_.back().asked = asked;
    return;
  }
  if ((seen_++ & (stride_ - 1)) != 0) return;
  if (kept_.size() == kKept) {
    std::size_t out = 0;
    for (std::size_t in = 0; in < kept_.size(); in += 2) kept_[out++] = kept_[in];
    kept_.resize(out);
    stride_ *= 2;
  }
  make_room(kept_, kKept);
  kept_.push_back({asked, answered, stamp});
}

// 0 = none, or more than one.
double WayMeter::find_tick_s() const {
  double least_s = 0, most_s = std::numeric_limits<double>::infinity();
  const Sample& first = kept_.front();
  for (const Sample& sample : kept_) {
    const double ticks = ticks_between(first.stamp, sample.stamp);
    if (ticks < kTicksSeen) continue;
    // A stamp is up to a tick old.
    least_s = std::max(least_s, to_seconds(sample.asked - first.answered) / (ticks + 1));
    most_s = std::min(most_s, to_seconds(sample.answered - first.asked) / (ticks - 1));
  }
  if (least_s <= 0) return 0;
  double found_s = 0;
  for (const double tick_s : kTicks_s) {
    if (tick_s < least_s * (1 - kClockError) || tick_s > most_s * (1 + kClockError)) continue;
    if (found_s > 0) return 0;
    found_s = tick_s;
  }
  return found_s;
}

WayMeter::Ways WayMeter::ways() const {
  if (kept_.size() < kSamples) return {};
  Ways ways;
  ways.tick_s = find_tick_s();
  if (ways.tick_s <= 0) return {};
  const Sample& first = kept_.front();
  std::vector<double> there, back, trip;
  for (std::vector<double>* values : {&there, &back, &trip}) values->reserve(kept_.size());
  for (const Sample& sample : kept_) {
    const double far_s = ticks_between(first.stamp, sample.stamp) * ways.tick_s;
    there.push_back(far_s - to_seconds(sample.asked - first.asked));
    back.push_back(to_seconds(sample.answered - first.asked) - far_s);
    trip.push_back(to_seconds(sample.answered - sample.asked));
  }
  ways.samples = seen_;
  ways.span_s = to_seconds(kept_.back().answered - first.asked);
  ways.there = growth_of(there);
  ways.back = growth_of(back);
  const double grown_s =
      std::max(ways.there.median_s, ways.back.median_s) - kTicksOfError * ways.tick_s;
  if (growth_of(trip).median_s < kShownByTrip * grown_s) return {};
  return ways;
}

}  // namespace slowpath::flow
