// SPDX-License-Identifier: Apache-2.0
#include "flow/way_lag.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace slowpath::flow {
namespace {

// So many timestamps that were echoed before they came, and of all echoes that are new: a capture
// that lacks packets has some.
constexpr std::size_t kEarlyEchoes = 10;
constexpr double kEarlyShare = 0.5;
// Queues of one host swap two packets by microseconds. What stands later than the last of these is
// no more the same moment.
constexpr Duration kSwapped = std::chrono::microseconds(100);
constexpr Duration kMostLag = std::chrono::milliseconds(100);
// Of the early ones that are nearest to the lag, as hosts answered them at once, but for a few that
// something else made.
constexpr double kNearly = 0.95;
// And no host answers sooner: what is taken out puts the answer behind its question.
constexpr Duration kQuickest = std::chrono::microseconds(1);

/// The timestamps of one direction, and their echoes by the other.
struct Echoes {
  std::optional<SeqNum> newest;  // that was seen
  std::optional<SeqNum> echoed;  // newest
  std::optional<std::pair<SeqNum, Time>> waiting;
  std::size_t news = 0;  // echoes that were new while none waited
  std::vector<Duration> early{};

  void add_value(const Record& record) {
    const SeqNum value{record.ts_value};
    if (newest && value <= *newest) return;
    newest = value;
    if (!waiting || value < waiting->first) return;
    // Else the packet with the timestamp that was echoed is not in the capture.
    const Duration late = record.time - waiting->second;
    if (value == waiting->first && late >= kSwapped && late <= kMostLag) early.push_back(late);
    waiting.reset();
  }
  void add_echo(const Record& record) {
    const SeqNum echo{record.ts_echo};
    if (!newest || (echoed && echo <= *echoed)) return;
    echoed = echo;
    if (waiting) return;
    ++news;
    if (echo > *newest) waiting = {echo, record.time};
  }
  [[nodiscard]] Duration lag() {
    const auto count = static_cast<double>(early.size());
    if (early.size() < kEarlyEchoes || count < kEarlyShare * static_cast<double>(news)) return {};
    const auto at = early.begin() + static_cast<std::ptrdiff_t>(kNearly * (count - 1));
    std::ranges::nth_element(early, at);
    return *at + kQuickest;
  }
};

}  // namespace

WayLag lag_of_ways(std::span<const Record> records) {
  std::array<Echoes, 2> ways{};
  for (const Record& record : records) {
    if (!record.has_timestamps || record.tap_copy || record.icmp_index != kNone) continue;
    const auto own = index(record.direction);
    ways[own].add_value(record);
    if (record.has(wire::kAck)) ways[1 - own].add_echo(record);
  }
  const std::array<Duration, 2> lags{ways[0].lag(), ways[1].lag()};
  const bool first = lags[0] >= lags[1];
  // Both ways at once no clock does it.
  if (std::min(lags[0], lags[1]) > Duration{0}) return {};
  return {first ? Direction::to_server : Direction::to_client, std::max(lags[0], lags[1])};
}

}  // namespace slowpath::flow
