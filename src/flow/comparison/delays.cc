// SPDX-License-Identifier: Apache-2.0
// How long packets took from point to point, and which overtook which.
#include <algorithm>
#include <vector>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {
namespace {

struct Sample {
  Time sent{};
  double seconds = 0;
  FramePair frames;
};

/// A frame that is cut leaves with its first piece, one that is merged comes with its last.
bool is_timed(const Copy& sent, const Copy& came, const Piece& piece, const WayPair& ways) {
  const std::int64_t came_begin = ways.begin_of(came);
  return came.len <= sent.len ? piece.begin == sent.begin && came_begin == sent.begin
                              : piece.end == sent.end() && piece.end == came_begin + came.len;
}

std::vector<Sample> samples_of(const Reading& reading) {
  std::vector<Sample> samples;
  const auto add = [&](const Copy& sent, const Copy& came) {
    samples.push_back({sent.time,
                       to_seconds(came.time - sent.time) - reading.clock(sent.time),
                       {sent.frame, came.frame}});
  };
  for (const Piece& piece : reading.match.pieces) {
    const Copy& sent = reading.up(piece.up);
    const Copy& came = reading.down(piece.down);
    if (is_timed(sent, came, piece, reading.ways)) add(sent, came);
  }
  for (const auto& [sent, came] : reading.bare.pairs)
    add(reading.ways.up->bare[sent], reading.ways.down->bare[came]);
  std::ranges::sort(samples, {}, &Sample::sent);
  return samples;
}

double quantile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

void keep_worst(const std::vector<Sample>& samples, double least, BetweenDelay& delay) {
  std::vector<const Sample*> order;
  order.reserve(samples.size());
  for (const Sample& sample : samples) order.push_back(&sample);
  const auto kept = std::min(BetweenDelay::kWorst, order.size());
  std::ranges::partial_sort(
      order, order.begin() + static_cast<std::ptrdiff_t>(kept),
      [](const Sample* a, const Sample* b) { return a->seconds > b->seconds; });
  for (std::size_t i = 0; i < kept; ++i)
    delay.worst.push_back({order[i]->frames, order[i]->sent, order[i]->seconds - least});
}

void fill_bins(const std::vector<Sample>& samples, double least, BetweenDelay& delay) {
  const Time begin = samples.front().sent;
  const Duration width =
      (samples.back().sent - begin) / static_cast<std::int64_t>(BetweenDelay::kBins) + Duration{1};
  for (const Sample& sample : samples) {
    const Time bin = begin + (sample.sent - begin) / width * width;
    if (delay.bins.empty() || delay.bins.back().begin != bin) delay.bins.push_back({bin, 0, 0, 0});
    DelayBin& last = delay.bins.back();
    const auto above = static_cast<float>(sample.seconds - least);
    ++last.packets;
    last.mean_s += (above - last.mean_s) / static_cast<float>(last.packets);
    last.max_s = std::max(last.max_s, above);
  }
}

/// Of packets with payload, in the order downstream; a resend that meets its original is none.
void read_overtaken(const Reading& reading, BetweenFacts& facts) {
  std::uint32_t newest = 0;
  std::uint32_t last = UINT32_MAX;
  for (const Piece& piece : reading.match.pieces) {
    if (piece.up < newest && piece.down != last) {
      ++facts.overtaken_packets;
      note(facts.overtaken, reading.frames(piece));
    }
    newest = std::max(newest, piece.up);
    last = piece.down;
  }
}

}  // namespace

void read_delays(const Reading& reading, BetweenFacts& facts) {
  for (const Piece& piece : reading.match.pieces)
    facts.matched_bytes += static_cast<std::uint64_t>(piece.end - piece.begin);
  read_overtaken(reading, facts);
  const std::vector<Sample> samples = samples_of(reading);
  if (samples.empty()) return;
  BetweenDelay& delay = facts.delay;
  delay.samples = samples.size();
  std::vector<double> values;
  values.reserve(samples.size());
  for (const Sample& sample : samples) values.push_back(sample.seconds);
  delay.least_s = *std::ranges::min_element(values);
  delay.max_s = *std::ranges::max_element(values) - delay.least_s;
  constexpr double kMedian = 0.5, kP95 = 0.95;
  delay.median_s = quantile(values, kMedian) - delay.least_s;
  delay.p95_s = quantile(values, kP95) - delay.least_s;
  keep_worst(samples, delay.least_s, delay);
  fill_bins(samples, delay.least_s, delay);
}

}  // namespace slowpath::flow::comparison
