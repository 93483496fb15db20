// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/capture_counts.h"

#include <vector>

namespace slowpath::flow {
namespace {

// The first of both, whichever part they come from.
void merge_first(Exemplars& into, const Exemplars& other) {
  std::vector<FrameRef> frames(into.first.begin(),
                               into.first.begin() + static_cast<std::ptrdiff_t>(into.kept()));
  frames.insert(frames.end(), other.first.begin(),
                other.first.begin() + static_cast<std::ptrdiff_t>(other.kept()));
  std::ranges::sort(frames, {}, &FrameRef::packed);
  into.count += other.count;
  for (std::size_t i = 0; i < into.kept(); ++i) into.first[i] = frames[i];
}

}  // namespace

void CaptureCounts::merge(const CaptureCounts& other) {
  packets += other.packets;
  bytes += other.bytes;
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
  quic += other.quic;
  fragments += other.fragments;
  snapped += other.snapped;
  ip_headers_bad += other.ip_headers_bad;
  beyond_frame += other.beyond_frame;
  zero_len += other.zero_len;
  snap_len = std::max(snap_len, other.snap_len);
  merge_first(zero_len_frames, other.zero_len_frames);
}

}  // namespace slowpath::flow
