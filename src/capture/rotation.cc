// SPDX-License-Identifier: Apache-2.0
#include "capture/rotation.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "capture/source.h"

namespace slowpath::capture {
namespace {

constexpr double kMinShare = 0.1;

bool has_times(const CaptureSpan& span) { return span.first && span.last; }

std::optional<Overlap> overlap_of(std::span<const CaptureSpan> spans, std::size_t a,
                                  std::size_t b) {
  if (!has_times(spans[a]) || !has_times(spans[b])) return std::nullopt;
  const Duration shared =
      std::min(*spans[a].last, *spans[b].last) - std::max(*spans[a].first, *spans[b].first);
  const Duration shorter =
      std::min(*spans[a].last - *spans[a].first, *spans[b].last - *spans[b].first);
  // Captures shorter than the tolerance overlap when one lies within the other.
  if (shared < std::min(kHandoverTolerance, shorter) || shared < Duration::zero())
    return std::nullopt;
  const double share = shorter.count() == 0 ? 1.0 : to_seconds(shared) / to_seconds(shorter);
  if (share <= kMinShare) return std::nullopt;
  return Overlap{a, b, shared, share};
}

}  // namespace

Result<CaptureSpan> measure_span(const std::string& name) {
  Result<std::unique_ptr<Source>> source = open_capture(name, 0);
  if (!source) return std::unexpected(source.error());
  CaptureSpan span;
  span.name = name;
  std::array<wire::Frame, 256> frames;
  while (const std::size_t count = (*source)->next_batch(frames)) {
    span.frames += count;
    for (const wire::Frame& frame : std::span(frames).first(count)) {
      if (!frame.has_time) continue;
      if (!span.first || frame.time < *span.first) span.first = frame.time;
      if (!span.last || frame.time > *span.last) span.last = frame.time;
    }
  }
  return span;
}

std::vector<std::size_t> order_by_first_time(std::span<const CaptureSpan> spans) {
  std::vector<std::size_t> order(spans.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    if (!spans[a].first || !spans[b].first) return spans[a].first.has_value() && !spans[b].first;
    return *spans[a].first < *spans[b].first;
  });
  return order;
}

std::vector<Overlap> find_overlaps(std::span<const CaptureSpan> spans) {
  std::vector<Overlap> overlaps;
  for (std::size_t a = 0; a < spans.size(); ++a) {
    for (std::size_t b = a + 1; b < spans.size(); ++b) {
      if (const auto overlap = overlap_of(spans, a, b)) overlaps.push_back(*overlap);
    }
  }
  return overlaps;
}

}  // namespace slowpath::capture
