// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture whose packets pass two points, some of them lost, some seen at one alone:
// the comparison must come to an end, with finite numbers and a valid document, whatever the
// packets say.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/json.h"
#include "capture/source.h"
#include "detect/synthesis.h"
#include "flow/comparison/comparison.h"
#include "report/compare_json.h"
#include "report/compare_text.h"
#include "wire/packet.h"

namespace {

using namespace slowpath;

void check(const BetweenFacts& between) {
  SLOWPATH_ASSERT(std::isfinite(between.delay.least_s) && std::isfinite(between.delay.max_s));
  SLOWPATH_ASSERT(between.delay.max_s >= 0 && between.delay.median_s >= 0);
  SLOWPATH_ASSERT(between.delay.bins.size() <= BetweenDelay::kBins + 1);
  SLOWPATH_ASSERT(between.losses.copies.size() <= BetweenLosses::kKept);
  SLOWPATH_ASSERT(between.contents.ranges.size() <= BetweenContents::kKept);
  SLOWPATH_ASSERT(between.losses.packets <= between.upstream_packets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto source = capture::open_memory(bytes, "fuzz", 0);
  if (!source) return 0;
  flow::Comparison comparison(
      {.memory_bytes = size % 8 == 0 ? 1U << 14 : 1U << 26,
       .bytes_at = [&](std::uint16_t, std::uint64_t offset,
                       std::size_t len) { return (*source)->bytes_at(offset, len); }},
      2);
  (void)comparison.point_of("a");
  (void)comparison.point_of("b");
  wire::Frame frame;
  wire::Packet packet;
  std::uint64_t dice = size;
  while ((*source)->next(frame)) {
    wire::decode(frame, packet);
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    const unsigned fate = static_cast<unsigned>(dice >> 60);
    if (fate != 0) comparison.add(0, frame, packet);
    frame.input = 1;
    frame.time += Duration{static_cast<std::int64_t>(dice >> 40)};
    if (fate != 1) comparison.add(1, frame, packet);
  }
  report::Answer answer;
  answer.facts.comparisons = comparison.finish();
  for (const ComparedConnection& connection : answer.facts.comparisons.connections) {
    for (const BetweenFacts& between : connection.between) check(between);
  }
  answer.diagnosis = detect::diagnose(answer.facts, &answer.silences);
  SLOWPATH_ASSERT(nlohmann::json::accept(report::comparison_to_json(answer)));
  SLOWPATH_ASSERT(!report::comparison_to_text(answer, {}).empty());
  return 0;
}
