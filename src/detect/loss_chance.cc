// SPDX-License-Identifier: Apache-2.0
// Tests of loss_chance.h.
#include "detect/loss_chance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/tap.h"

namespace slowpath::detect {
namespace {

// Ranks of chance scatter around one half by 0.289/sqrt(n). Three times that above it happen
// once in a thousand; and a small difference, however certain, is no full queue.
constexpr double kRankScatter = 0.289;
constexpr double kFarAbove = 3;
constexpr double kHighRank = 0.7;
// Where no queue can be seen, ranks tell microseconds of a host's own noise; one that does not show
// and yet loses is full at nearly every loss.
constexpr double kHighRankUnseen = 0.8;
constexpr std::uint64_t kRanks = 5;
// Of distances between independent losses one in ten lies within 15 % of their median.
constexpr double kNear = 0.15, kNearByChance = 0.104;
constexpr std::size_t kDistances = 5;
// A sawtooth takes several round trips; where every flight loses something, the flight's own length
// is what looks steady.
constexpr double kFlightsApart = 4;
// Chance does such things once in a thousand times.
constexpr double kHardlyChance = 1e-3;
// Packets closer than this left the sender together: two cells of the record of passages.
constexpr double kTogether_s = 0.0002;
// A run: of the losses so many follow another directly, and so many times more than by chance.
constexpr double kRunShare = 0.3, kRunFactor = 3;
constexpr std::uint64_t kRunLosses = 10;
// Of runs whose length chance decides, as where each segment ends one with the same probability,
// one in their mean length is a single segment. Much longer ones are silences of a path, of any
// length.
constexpr double kShortRun = 6;

double as_double(std::uint64_t n) { return static_cast<double>(n); }

struct Episodes {
  std::vector<double> ranks;      // of the round-trip time before the first loss of each
  std::vector<double> distances;  // bytes of the stream between their first losses
  std::vector<double> flights;    // bytes outstanding then
};

std::vector<LossEvent> by_offset(const DirectionFacts& data) {
  std::vector<LossEvent> losses = data.losses;
  std::ranges::stable_sort(losses, {}, &LossEvent::offset);
  return losses;
}

Episodes episodes_of(const DirectionFacts& data) {
  Episodes episodes;
  std::optional<std::uint32_t> number;
  std::uint64_t last = 0;
  for (const LossEvent& loss : by_offset(data)) {
    if (number == loss.episode) continue;
    if (number) episodes.distances.push_back(as_double(loss.offset - last));
    number = loss.episode;
    last = loss.offset;
    episodes.flights.push_back(as_double(loss.flight_bytes));
    if (loss.rtt_before_s > 0 && data.rtt.total.samples > 0) {
      episodes.ranks.push_back(rank_among(data.rtt.quantiles_s, loss.rtt_before_s));
    }
  }
  return episodes;
}

// Late packets lengthen round trips as a queue does, and the ones that they make look lost as well.
bool lateness_hides_load(const DirectionFacts& data) {
  return data.reorder.late() * 2 > data.lost_packets;
}

std::string high_ranks(const DirectionFacts& data, const std::vector<double>& ranks) {
  if (ranks.size() < kRanks || lateness_hides_load(data)) return {};
  double sum = 0;
  for (const double rank : ranks) sum += rank;
  const auto n = static_cast<double>(ranks.size());
  const double mean = sum / n;
  const double high = queue_builds(queue_of(data)) ? kHighRank : kHighRankUnseen;
  if (mean < high || (mean - 0.5) * std::sqrt(n) < kFarAbove * kRankScatter) return {};
  return fmt::format(
      "in {} flights the round-trip time before the first loss has a mean rank of "
      "{:.2f}: losses come when the path is full",
      ranks.size(), mean);
}

std::string steady_distances(const DirectionFacts& data, const Episodes& episodes) {
  const std::vector<double>& distances = episodes.distances;
  if (distances.size() < kDistances) return {};
  const double median = *arithmetic::median(distances);
  // Away from the sender the flight at a loss is not known.
  const double flight = std::max(arithmetic::median(episodes.flights).value_or(0),
                                 as_double(data.flight_plateau_bytes));
  if (flight <= 0 || median < kFlightsApart * flight) return {};
  const auto near = static_cast<std::uint64_t>(std::ranges::count_if(
      distances, [&](double d) { return std::abs(d - median) <= kNear * median; }));
  // One of them is the median itself.
  if (near < 2 || near * 2 < distances.size()) return {};
  const double chance =
      1 - arithmetic::chance_of_at_most(near - 2, distances.size() - 1, kNearByChance);
  if (chance > kHardlyChance) return {};
  return fmt::format(
      "{} of {} losses come {} after the one before, within {}: a window that grows "
      "until a queue overflows has such a rhythm",
      near, distances.size(), format_bytes(median), format_percent(kNear));
}

// Segments sent by themselves, and segments with others close by.
struct Company {
  double alone = 0, alone_lost = 0, together = 0, together_lost = 0;
};

Company company_of(const DirectionFacts& data) {
  Company company;
  const PassageFacts& passage = data.passage;
  const double segment = data.segment_size;
  for (std::size_t i = 0; i < passage.cells.size();) {
    double passed = 0, lost = 0;
    const std::size_t first = i;
    do {
      passed += passage.cells[i].passed_bytes;
      lost += passage.cells[i].lost_bytes;
      ++i;
    } while (i < passage.cells.size() &&
             seconds_between(passage.cells[i - 1].at, passage.cells[i].at) <= kTogether_s);
    const bool alone = i - first == 1 && passed + lost <= segment;
    (alone ? company.alone : company.together) += (passed + lost) / segment;
    (alone ? company.alone_lost : company.together_lost) += lost / segment;
  }
  return company;
}

std::string lone_ones_are_spared(const DirectionFacts& data) {
  // Away from the sender the place of a loss in time is only guessed.
  if (is_behind_losses(data) || data.segment_size == 0 || data.passage.cell_s > kTogether_s)
    return {};
  const Company company = company_of(data);
  if (company.alone < 1 || company.together < 1) return {};
  const double share = company.together_lost / company.together;
  const auto alone = static_cast<std::uint64_t>(company.alone);
  const auto lost = static_cast<std::uint64_t>(std::ceil(company.alone_lost));
  if (arithmetic::chance_of_at_most(lost, alone, share) > kHardlyChance) return {};
  return fmt::format(
      "{} of {} segments that were sent alone are lost, but {} of those sent close "
      "together: something does not take two at a time",
      lost, alone, format_percent(share));
}

/// What is lost side by side in the stream, in bytes. Not the end of a flight that was lost before
/// the capture, of which only the timer's resend tells: how much it was does not show.
std::vector<std::uint64_t> runs_of(const DirectionFacts& data) {
  std::vector<std::uint64_t> runs;
  std::uint64_t end = 0;
  for (const LossEvent& loss : by_offset(data)) {
    if (loss.how == ResendClass::timeout && loss.before_capture) continue;
    if (runs.empty() || loss.offset != end) runs.push_back(0);
    runs.back() += loss.len;
    end = loss.offset + loss.len;
  }
  return runs;
}

std::string none_is_lost_alone(const DirectionFacts& data) {
  const LossRuns runs = loss_runs(data);
  if (runs.mean_segments > kShortRun || runs.chance_of_none_alone > kHardlyChance) return {};
  return fmt::format(
      "segments are lost {} times, {:.1f} at a time, and never one alone: something does not take "
      "several at once",
      runs.count, runs.mean_segments);
}

}  // namespace

LossRuns loss_runs(const DirectionFacts& data) {
  if (data.segment_size == 0) return {};
  const std::vector<std::uint64_t> runs = runs_of(data);
  if (runs.size() < kRunLosses) return {};
  const double bytes = std::accumulate(runs.begin(), runs.end(), 0.0);
  const auto count = static_cast<double>(runs.size());
  LossRuns found{.count = runs.size(), .mean_segments = bytes / data.segment_size / count};
  if (std::ranges::all_of(runs, [&](std::uint64_t run) { return run > data.segment_size; }))
    found.chance_of_none_alone = std::pow(1 - 1 / found.mean_segments, count);
  return found;
}

bool large_frames_may_die(const DirectionFacts& data, const LossRuns& runs) {
  // Where large frames die a sender comes no further than two or three segments at once, and loses
  // them time and again. A limit takes less, and more of it at once.
  constexpr double kChance = 1e-4, kLostShare = 0.1, kMostSegments = 3.5;
  return runs.chance_of_none_alone <= kChance && runs.mean_segments <= kMostSegments &&
         as_double(data.lost_packets) >= kLostShare * segments_sent(data);
}

std::string losses_come_when_full(const DirectionFacts& data) {
  return high_ranks(data, episodes_of(data).ranks);
}

bool losses_come_in_runs(const DirectionFacts& data, const LossPattern& pattern) {
  if (data.losses.size() < kRunLosses) return false;
  std::uint64_t follow = 0;
  std::uint64_t end = 0;
  bool first = true;
  for (const LossEvent& loss : by_offset(data)) {
    follow += !first && loss.offset == end;
    first = false;
    end = loss.offset + loss.len;
  }
  const double share = as_double(follow) / as_double(data.losses.size());
  // A super-frame is one packet here, and lost when any of its segments is.
  const double packets = as_double(std::max<std::uint64_t>(data.data_packets, 1));
  const double by_chance = std::max(pattern.share, as_double(pattern.losses) / packets);
  return share >= kRunShare && share >= kRunFactor * by_chance;
}

std::string why_not_chance(const DirectionFacts& data, const LossPattern& pattern) {
  if (std::string why = lone_ones_are_spared(data); !why.empty()) return why;
  if (std::string why = none_is_lost_alone(data); !why.empty()) return why;
  const Episodes episodes = episodes_of(data);
  if (std::string why = high_ranks(data, episodes.ranks); !why.empty()) return why;
  if (std::string why = steady_distances(data, episodes); !why.empty()) return why;
  if (resends_are_spared(data, pattern)) {
    return fmt::format(
        "{} of all segments are lost, and yet {} were reached: resends are spared, "
        "or packets only came late",
        format_percent(pattern.share), format_rate(data.goodput_bps));
  }
  return {};
}

}  // namespace slowpath::detect
