// SPDX-License-Identifier: Apache-2.0
#include "flow/meters.h"

#include <algorithm>
#include <bit>

namespace slowpath::flow {

std::size_t SizeTable::class_of(std::uint32_t ip_len) {
  const auto at = std::lower_bound(kUpper.begin(), kUpper.end(), ip_len);
  return static_cast<std::size_t>(at - kUpper.begin());
}

std::vector<SizeClass> SizeTable::classes() const {
  std::vector<SizeClass> out;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i].first_sent == 0 && classes_[i].resent == 0) continue;
    out.push_back(classes_[i]);
    out.back().min_len = i == 0 ? 0 : kUpper[i - 1] + 1;
    out.back().max_len = kUpper[i];
  }
  return out;
}

namespace {

float smaller_but_not_zero(float a, float b) { return a == 0 ? b : (b == 0 ? a : std::min(a, b)); }
std::uint64_t smaller_but_not_zero(std::uint64_t a, std::uint64_t b) {
  return a == 0 ? b : (b == 0 ? a : std::min(a, b));
}

void merge(TimelineBin& into, const TimelineBin& from) {
  into.acked_bytes += from.acked_bytes;
  into.sent_bytes += from.sent_bytes;
  into.flight_max_bytes = std::max(into.flight_max_bytes, from.flight_max_bytes);
  into.window_min_bytes = smaller_but_not_zero(into.window_min_bytes, from.window_min_bytes);
  into.rtt_min_s = smaller_but_not_zero(into.rtt_min_s, from.rtt_min_s);
  into.rtt_max_s = std::max(into.rtt_max_s, from.rtt_max_s);
  into.losses += from.losses;
}

TimelineBins halved(const TimelineBins& bins) {
  TimelineBins out;
  for (std::size_t i = 0; i < bins.kept().size(); ++i) {
    merge(out[bins.numbers()[i] / 2], bins.kept()[i]);
  }
  return out;
}

}  // namespace

TimelineBin& TimelineRecorder::other_bin(Time at) {
  if (!started_) {
    timeline_.start = at;
    started_ = true;
  }
  Duration since = std::max(at - timeline_.start, Duration{0});
  auto i = static_cast<std::size_t>(since / width_);
  while (i >= Timeline::kMaxBins) {
    timeline_.bins = halved(timeline_.bins);
    width_ *= 2;
    i = static_cast<std::size_t>(since / width_);
  }
  newest_ = timeline_.bins.keep(i);
  newest_begin_ = timeline_.start + static_cast<std::int64_t>(i) * width_;
  newest_end_ = newest_begin_ + width_;
  return timeline_.bins.kept()[newest_];
}

Timeline TimelineRecorder::take() {
  timeline_.bin_s = to_seconds(width_);
  timeline_.bins.shrink_to_fit();
  return std::move(timeline_);
}

std::size_t WidthSeconds::class_of(std::uint64_t width) {
  const auto octave = std::min<std::size_t>(std::bit_width(width), kOctaves - 1);
  return 4 * octave + (octave >= 3 ? (width >> (octave - 3)) & 3 : 0);
}

double WidthSeconds::well_below(std::uint64_t widest) const {
  const std::size_t end = class_of(widest);
  double sum = 0;
  for (std::size_t i = 0; i + kClassesBetween <= end; ++i) sum += double{seconds_[i]};
  return sum;
}

void StallLog::add(const Stall& stall) {
  stalls_.push_back(stall);
  if (stalls_.size() < 2 * kKept) return;
  std::nth_element(stalls_.begin(), stalls_.begin() + kKept, stalls_.end(),
                   [](const Stall& a, const Stall& b) { return a.seconds > b.seconds; });
  stalls_.resize(kKept);
}

void StallLog::correct(Time begin, TimeOwner owner) {
  const auto found = std::find_if(stalls_.rbegin(), stalls_.rend(),
                                  [&](const Stall& stall) { return stall.begin == begin; });
  if (found != stalls_.rend()) found->owner = owner;
}

std::vector<Stall> StallLog::take() {
  if (stalls_.size() > kKept) {
    std::nth_element(stalls_.begin(), stalls_.begin() + kKept, stalls_.end(),
                     [](const Stall& a, const Stall& b) { return a.seconds > b.seconds; });
    stalls_.resize(kKept);
  }
  std::stable_sort(stalls_.begin(), stalls_.end(),
                   [](const Stall& a, const Stall& b) { return a.begin < b.begin; });
  return std::move(stalls_);
}

}  // namespace slowpath::flow
