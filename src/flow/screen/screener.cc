// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/screener.h"

#include <algorithm>

#include "base/assert.h"
#include "flow/capture_witness.h"
#include "flow/screen/keeper.h"

namespace slowpath::flow {

struct Screener::State {
  explicit State(ScreenOptions options);

  PageStore store;
  std::vector<LightTable> tables;
  std::vector<Keeper> keepers;
};

Screener::State::State(ScreenOptions options) {
  SLOWPATH_ASSERT(options.keepers >= 1 && options.keepers <= kShards);
  const auto records =
      static_cast<std::size_t>(options.memory_bytes / sizeof(LightRecord) / kShards);
  tables.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) tables.emplace_back(records, store);
  keepers.reserve(options.keepers);
  for (std::size_t i = 0; i < options.keepers; ++i) {
    keepers.emplace_back(tables, i, options.keepers, options.verify_checksums);
  }
}

Screener::Screener(ScreenOptions options) : state_(std::make_unique<State>(options)) {}
Screener::~Screener() = default;

void Screener::add(std::span<const wire::Frame> frames) {
  for (Keeper& keeper : state_->keepers) keeper.add(frames);
}

void Screener::add(std::span<const wire::Frame> frames, std::size_t keeper) {
  state_->keepers[keeper].add(frames);
}

std::size_t Screener::keepers() const { return state_->keepers.size(); }

std::span<const LightTable> Screener::shards() const { return state_->tables; }
std::span<LightTable> Screener::shards() { return state_->tables; }

// All keepers saw the order of the frames, and each counted its own.
CaptureWitness Screener::witness() const {
  std::vector<CaptureCourse> courses;
  for (Keeper& keeper : state_->keepers) {
    const std::span<const CaptureCourse> seen = keeper.courses();
    if (courses.empty()) {
      courses.assign(seen.begin(), seen.end());
      continue;
    }
    SLOWPATH_ASSERT(seen.size() == courses.size());
    for (std::size_t i = 0; i < seen.size(); ++i) courses[i].counts.merge(seen[i].counts);
  }
  CaptureWitness witness;
  for (std::size_t i = 0; i < courses.size(); ++i) {
    witness.set(static_cast<std::uint16_t>(i), courses[i]);
  }
  return witness;
}

std::uint64_t Screener::unmatched_icmp() const {
  std::uint64_t sum = 0;
  for (const Keeper& keeper : state_->keepers) sum += keeper.unmatched_icmp();
  return sum;
}

std::uint64_t Screener::memory_bytes() const {
  std::uint64_t sum = 0;
  for (const LightTable& table : state_->tables) sum += table.memory_bytes();
  return sum;
}

}  // namespace slowpath::flow
