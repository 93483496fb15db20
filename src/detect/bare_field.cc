// SPDX-License-Identifier: Apache-2.0
// See bare_field.h.
#include "detect/bare_field.h"

#include <cstdint>

namespace slowpath::detect {
namespace {

// So much data at least that the SYN's own window, which nobody scales, is used up.
constexpr std::uint64_t kWindowsFull = 10;
// A flight within a tenth over ten round trips stands still.
constexpr std::uint64_t kRounds = 10;
constexpr double kSteadySpread = 0.1;

// Never above the field, or, once the SYN's own window is used up, at it round trip after round
// trip.
bool flight_stands_at_field(const DirectionFacts& data) {
  const std::uint64_t field = data.window.raw_max;
  if (data.flight_max_bytes <= field && data.largest_payload * 2 > field) return true;
  return data.flight_rounds >= kRounds && data.flight_plateau_spread <= kSteadySpread &&
         data.flight_plateau_bytes <= field && data.flight_plateau_bytes * 10 >= field * 9;
}

// Who types, or sends a reading now and then, has nothing waiting behind a short segment: no window
// cut it. Away from the sender short pauses may be the path's. Who fills segments as long as the
// SYN's own window lasts does have more.
bool sends_messages(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.largest_payload >= data.segment_size) return false;
  std::uint64_t turns = transfer.connection.beside.exchanges.count + data.pauses.count;
  if (data.vantage == Vantage::sender) turns += data.idle.count;
  return turns * 2 >= data.data_packets;
}

}  // namespace

bool keeps_to_bare_field(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const WindowFacts& window = data.window;
  // A field above the segment size could be met by chance; one below half of it cuts segments.
  return window.knowledge == ScaleKnowledge::negotiated && window.shift >= 3 &&
         window.raw_max > 0 && data.segment_size > 2U * window.raw_max &&
         data.bytes >= kWindowsFull * window.raw_max && flight_stands_at_field(data) &&
         !sends_messages(transfer);
}

}  // namespace slowpath::detect
