// SPDX-License-Identifier: Apache-2.0
// Several files: one capture that was rotated, or the same traffic at several points? Told by their
// times. What to do about the answer is left to the caller.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace slowpath::capture {

/// When the frames of one file were captured.
struct CaptureSpan {
  std::string name;
  std::uint64_t frames = 0;
  /// The earliest and the latest time; nothing when no frame has one.
  std::optional<Time> first, last;
};

/// Reads the whole file for its span. Costs one walk over the record headers; not for standard
/// input, which can be read once only. Errors: those of open_capture.
Result<CaptureSpan> measure_span(const std::string& name);

/// Indices of `spans` in the order in which their captures began; those without times last, equal
/// ones in the order given.
std::vector<std::size_t> order_by_first_time(std::span<const CaptureSpan> spans);

/// Two captures that ran at the same time.
struct Overlap {
  std::size_t a = 0, b = 0;  // indices, a < b
  Duration shared{};
  double share_of_shorter = 0.0;  // 0 to 1
};

/// Every pair that shares more than a moment of time. Rotation hands over within a buffer's worth
/// of packets, so a pair counts only when it shares more than kHandoverTolerance and more than a
/// tenth of the shorter. An empty answer means: one rotated capture. Otherwise: several points.
std::vector<Overlap> find_overlaps(std::span<const CaptureSpan> spans);

/// tcpdump and dumpcap switch files while packets wait in buffers; both flush at least once a
/// second.
inline constexpr Duration kHandoverTolerance = std::chrono::seconds(1);

}  // namespace slowpath::capture
