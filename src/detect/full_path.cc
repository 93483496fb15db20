// SPDX-License-Identifier: Apache-2.0
// See full_path.h.
#include "detect/full_path.h"

#include <algorithm>

#include "detect/ceilings.h"
#include "facts/link_rate.h"

namespace slowpath::detect {
namespace {

// Those that carry more than the rate do not share the path.
constexpr double kOverfilled = 1.1;
// Trains of a full path hardly differ: nearly all lie this close to the rate that most agree on.
// Those of short flights have pauses in them, and look slower than the path is.
constexpr double kSameRate = 1.05;

bool tell_one_rate(const Transfer& one, const Transfer& other) {
  const double a = full_path_bps(one.data()), b = full_path_bps(other.data());
  return a > 0 && b > 0 && std::max(a, b) <= kSameRate * std::min(a, b);
}

}  // namespace

double full_path_bps(const DirectionFacts& data) {
  const double bps = spacing_bps(data);
  return data.trains.p90_bps <= kSameRate * bps ? bps : 0;
}

double link_bps(const DirectionFacts& data) {
  const double exact = exact_link_bps(data);
  return exact > 0 ? exact : full_path_bps(data);
}

std::size_t that_fill_its_path(const Transfer& transfer, Siblings& siblings) {
  const DirectionFacts& data = transfer.data();
  const double seconds = seconds_between(data.first_data, data.last_data);
  const double most_bytes = full_path_bps(data) / 8 * seconds;
  const auto own = static_cast<double>(data.bytes);
  if (most_bytes <= 0 || own >= kPathFilled * most_bytes) return 0;
  if (siblings.that_move(transfer, kOverfilled * most_bytes - own, tell_one_rate) > 0) return 0;
  return siblings.that_move(transfer, kPathFilled * most_bytes - own, tell_one_rate);
}

}  // namespace slowpath::detect
