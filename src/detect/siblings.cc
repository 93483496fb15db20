// SPDX-License-Identifier: Apache-2.0
// See siblings.h.
#include "detect/siblings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace slowpath::detect {
namespace {

std::tuple<IpAddress, IpAddress, const CaptureFacts*> hosts_of(const Transfer& transfer) {
  return {transfer.sender().address, transfer.receiver().address, transfer.capture()};
}

/// What `other` moved while `data` lasted.
double moved_meanwhile(const DirectionFacts& data, const DirectionFacts& other) {
  const double seconds = seconds_between(std::max(data.first_data, other.first_data),
                                         std::min(data.last_data, other.last_data));
  const double whole_s = seconds_between(other.first_data, other.last_data);
  if (seconds <= 0 || whole_s <= 0) return 0;
  return static_cast<double>(other.bytes) * seconds / whole_s;
}

double moved_beside(const Transfer& transfer, const Transfer& other) {
  const bool same_connection =
      other.sender() == transfer.sender() && other.receiver() == transfer.receiver();
  return same_connection ? 0 : moved_meanwhile(transfer.data(), other.data());
}

// To either side: each finding asks, and there may be as many as connections.
constexpr std::ptrdiff_t kNearest = 256;

}  // namespace

void Siblings::sort() {
  by_hosts_.reserve(all_.size());
  for (const Transfer& transfer : all_) by_hosts_.push_back(&transfer);
  std::ranges::stable_sort(by_hosts_, {}, [](const Transfer* t) {
    return std::pair{hosts_of(*t), t->data().first_data};
  });
}

std::size_t Siblings::that_move(const Transfer& transfer, double bytes, Counts counts) {
  if (by_hosts_.empty()) sort();
  std::size_t count = 0;
  double sum = 0;
  for (const Transfer* other : std::ranges::equal_range(
           by_hosts_, hosts_of(transfer), {}, [](const Transfer* t) { return hosts_of(*t); })) {
    const double moved = moved_beside(transfer, *other);
    if (moved <= 0 || !counts(transfer, *other)) continue;
    ++count;
    sum += moved;
    if (sum >= bytes) return count;
  }
  return 0;
}

double Siblings::bytes_beside(const Transfer& transfer) {
  if (by_hosts_.empty()) sort();
  const auto alike = std::ranges::equal_range(by_hosts_, hosts_of(transfer), {},
                                              [](const Transfer* t) { return hosts_of(*t); });
  const auto begun =
      std::ranges::lower_bound(alike, transfer.data().first_data, {},
                               [](const Transfer* t) { return t->data().first_data; });
  const auto from = begun - std::min(kNearest, begun - alike.begin());
  const auto to = begun + std::min(kNearest, alike.end() - begun);
  double sum = 0;
  for (auto other = from; other != to; ++other) sum += moved_beside(transfer, **other);
  return sum;
}

}  // namespace slowpath::detect
