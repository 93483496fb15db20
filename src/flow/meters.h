// SPDX-License-Identifier: Apache-2.0
// Small bounded collections that a direction's analysis fills: delivery by length, history over
// time, stalls.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "facts/direction.h"

namespace slowpath::flow {

/// Delivery by IP total length. Class edges stand where path MTUs are found: Ethernet, PPPoE,
/// tunnels, minimum MTUs.
class SizeTable {
 public:
  SizeClass& of(std::uint32_t ip_len) {
    // Most packets are as long as the one before.
    const bool as_before =
        ip_len <= kUpper[newest_] && (newest_ == 0 || ip_len > kUpper[newest_ - 1]);
    if (!as_before) newest_ = class_of(ip_len);
    return classes_[newest_];
  }
  /// Only the classes that occurred, ascending.
  [[nodiscard]] std::vector<SizeClass> classes() const;

 private:
  // Upper bounds, inclusive. 576 and 1280: minimum MTUs of IPv4 hosts and IPv6 links; 1400-1500 in
  // steps of 20 and 1492 (PPPoE): where tunnels end; then two segments, jumbo frames, and
  // super-frames up to 64 KiB.
  static constexpr std::array<std::uint32_t, 24> kUpper{
      127,  255,  511,  576,  1023, 1279, 1280, 1340, 1360, 1380,  1400,  1420,
      1440, 1460, 1480, 1492, 1500, 3000, 4500, 8999, 9000, 16384, 32768, 0xffff'ffffu};
  static std::size_t class_of(std::uint32_t ip_len);

  std::array<SizeClass, kUpper.size()> classes_{};
  std::size_t newest_ = 0;  // the class asked for last
};

/// History with a fixed number of bins; the width doubles when it is full.
class TimelineRecorder {
 public:
  /// Prepares the bin that holds `at` and returns it. Times before the first one count as the
  /// first.
  TimelineBin& bin(Time at) {
    if (at >= newest_begin_ && at < newest_end_) return timeline_.bins.kept()[newest_];
    return other_bin(at);
  }
  [[nodiscard]] Timeline take();
  [[nodiscard]] std::size_t memory_bytes() const { return timeline_.bins.memory_bytes(); }

 private:
  // Short enough for a LAN transfer of a few milliseconds, long enough not to double often.
  static constexpr Duration kFirstWidth = std::chrono::milliseconds(1);
  TimelineBin& other_bin(Time at);

  Timeline timeline_;
  // The bin asked for last, by its position among those kept, and its span: most questions are
  // about it.
  std::size_t newest_ = 0;
  Time newest_begin_{}, newest_end_{};
  Duration width_ = kFirstWidth;
  bool started_ = false;
};

/// Seconds by the width of a window, in four classes an octave.
class WidthSeconds {
 public:
  void add(std::uint64_t width, double seconds) {
    seconds_[class_of(width)] += static_cast<float>(seconds);
  }
  /// Those at widths of which `widest` is a third more, at least.
  [[nodiscard]] double well_below(std::uint64_t widest) const;

 private:
  static constexpr std::size_t kClassesBetween = 3;
  static std::size_t class_of(std::uint64_t width);
  // No window is wider than 2^30 (RFC 7323 section 2.3).
  static constexpr std::size_t kOctaves = 32;
  std::array<float, 4 * kOctaves> seconds_{};
};

/// The costliest stalls.
class StallLog {
 public:
  static constexpr std::size_t kKept = 256;
  void add(const Stall& stall);
  /// Of the newest that began then, if it is kept, the owner was another.
  void correct(Time begin, TimeOwner owner);
  /// In time order.
  [[nodiscard]] std::vector<Stall> take();
  [[nodiscard]] std::size_t memory_bytes() const { return stalls_.capacity() * sizeof(Stall); }

 private:
  std::vector<Stall> stalls_;
};

}  // namespace slowpath::flow
