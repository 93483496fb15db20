// SPDX-License-Identifier: Apache-2.0
#include "flow/scale_guess.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace slowpath::flow {
namespace {

constexpr std::size_t kScales = 15;  // RFC 7323 section 2.3: 0 to 14
// Packets that contradict a scale: what the capture lacks makes a few.
constexpr double kContradicting = 0.02;
// Fields that differ by so much tell a scale from its neighbours.
constexpr std::uint16_t kTellingStep = 4;
// Edges that stood still, or were reached, so often, the part of all the times that the sender
// stopped until an ACK came, and how many more than went beyond: a flight that grows past an edge
// may stop there for a while.
constexpr std::uint32_t kTold = 5, kReached = 10, kReachedForOneBeyond = 10;
constexpr double kReachedShare = 0.30;
// Of fewer in flight, that one more has no room by the least scale that leaves room for these is
// likely.
constexpr std::int32_t kManySegments = 16;

bool are_few(std::uint32_t contradicting, std::uint32_t all) {
  return contradicting <= kContradicting * all;
}

/// What one scale makes of the packets.
struct Scale {
  std::optional<SeqNum> newest;    // edge
  std::optional<SeqNum> farthest;  // likewise, of all
  std::uint32_t back = 0;          // edges that moved back while data was acknowledged
  std::uint32_t stood = 0;         // or stood still, by a field that became much smaller
  std::uint32_t beyond = 0;        // packets that ended beyond the edge
  std::uint32_t reached = 0;       // or were the last before an ACK, less than a segment before it
  bool at_edge = false;            // the newest one
};

class ScaleMeter {
 public:
  explicit ScaleMeter(std::uint32_t segment) : segment_(static_cast<std::int32_t>(segment)) {}

  void add_window(const Record& record) {
    if (acked_ && record.acknowledgment < *acked_) return;  // overtaken
    const bool news = acked_ && record.acknowledgment > *acked_;
    const bool narrower = news && record.window < field_;
    const bool tells = narrower && field_ - record.window >= kTellingStep;
    narrowed_ += narrower;
    stops_ += sent_;
    for (std::uint8_t shift = 0; shift < kScales; ++shift) {
      Scale& scale = scales_[shift];
      const SeqNum edge = record.acknowledgment + (std::uint32_t{record.window} << shift);
      const std::int32_t rounding = 1 << shift;
      scale.reached += sent_ && scale.at_edge;
      if (narrower && scale.newest) {
        const std::int32_t moved = edge - *scale.newest;
        scale.back += moved < -rounding;
        scale.stood += tells && moved >= -rounding && moved <= rounding;
      }
      scale.newest = edge;
      if (!scale.farthest || edge > *scale.farthest) scale.farthest = edge;
    }
    acked_ = record.acknowledgment;
    field_ = record.window;
    sent_ = false;
  }
  void add_data(const Record& record) {
    if (!acked_ || record.payload_len <= 1) return;  // one byte may be a probe
    ++data_;
    const SeqNum end = record.sequence + record.payload_len;
    // A message ends where it ends; what is cut in whole segments ends where the window does.
    const bool whole =
        segment_ > 0 && record.payload_len % static_cast<std::uint32_t>(segment_) == 0;
    const bool many = segment_ > 0 && end - *acked_ >= kManySegments * segment_;
    for (Scale& scale : scales_) {
      const std::int32_t room = *scale.farthest - end;
      scale.beyond += room < 0;
      scale.at_edge = whole && many && room >= 0 && room < segment_;
    }
    sent_ = true;
  }
  [[nodiscard]] ScaleGuess guess() const {
    std::uint8_t least = 0, most = kScales - 1;
    while (least < most && !are_few(scales_[least].beyond, data_)) ++least;
    while (most > least && !are_few(scales_[most].back, narrowed_)) --most;
    if (scales_[most].stood >= kTold) return {most, true};
    return {least, is_limit(scales_[least])};
  }

 private:
  [[nodiscard]] bool is_limit(const Scale& scale) const {
    return scale.reached >= kReached && scale.reached >= kReachedShare * stops_ &&
           scale.reached >= kReachedForOneBeyond * scale.beyond;
  }

  std::int32_t segment_;
  std::array<Scale, kScales> scales_{};
  std::optional<SeqNum> acked_;
  std::uint16_t field_ = 0;
  bool sent_ = false;  // data, since the newest ACK
  std::uint32_t narrowed_ = 0, data_ = 0, stops_ = 0;
};

}  // namespace

ScaleGuess guess_scale(std::span<const Record> records, Direction way, std::uint32_t segment) {
  ScaleMeter meter(segment);
  for (const Record& record : records) {
    if (record.icmp_index != kNone || record.tap_copy || record.network_copy) continue;
    if (record.has(wire::kSyn) || record.has(wire::kRst)) continue;
    if (record.direction != way) {
      meter.add_data(record);
    } else if (record.has(wire::kAck)) {
      meter.add_window(record);
    }
  }
  return meter.guess();
}

}  // namespace slowpath::flow
