// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture, all the way to the report: read, decoded, rebuilt into connections,
// diagnosed, written as JSON. Nothing may crash, hang or hold more than the input could fill.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/json.h"
#include "capture/source.h"
#include "cli/capture_facts.h"
#include "detect/synthesis.h"
#include "flow/engine.h"
#include "report/json.h"
#include "wire/packet.h"

namespace {

using namespace slowpath;

Case look(capture::Source& source, bool verify_checksums, std::uint64_t memory_bytes) {
  flow::Engine engine({.verify_checksums = verify_checksums,
                       .memory_bytes = memory_bytes,
                       .bytes_at = [&source](std::uint16_t, std::uint64_t offset, std::size_t len) {
                         return source.bytes_at(offset, len);
                       }});
  wire::Frame frame;
  wire::Packet packet;
  while (source.next(frame)) {
    wire::decode(frame, packet);
    engine.add(frame, packet);
  }
  Case facts = engine.finish();
  facts.captures.resize(1);
  cli::fill_from_source(facts.captures[0], {"fuzz", ""}, source.info());
  return facts;
}

/// What holds for every direction, whatever the packets say.
void check(const DirectionFacts& direction) {
  for (const double seconds : direction.time.seconds) {
    SLOWPATH_ASSERT(std::isfinite(seconds) && seconds >= 0);
  }
  SLOWPATH_ASSERT(std::isfinite(direction.goodput_bps) && direction.goodput_bps >= 0);
  SLOWPATH_ASSERT(direction.timeline.bins.size() <= Timeline::kMaxBins);
  SLOWPATH_ASSERT(direction.losses.size() <= 1024 && direction.stalls.size() <= 256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto source = capture::open_memory(bytes, "fuzz", 0);
  if (!source) return 0;
  // The options follow from the input, so that a file of the corpus always means the same.
  const bool verify_checksums = size % 4 != 0;
  const std::uint64_t memory_bytes = size % 8 == 0 ? 1 << 16 : 1 << 28;
  report::Answer answer;
  answer.facts = look(**source, verify_checksums, memory_bytes);
  for (const ConnectionFacts& connection : answer.facts.connections) {
    for (const DirectionFacts& direction : connection.directions) check(direction);
  }
  answer.diagnosis = detect::diagnose(answer.facts, &answer.silences);
  const std::string json = report::to_json(answer, {.explain = true});
  SLOWPATH_ASSERT(nlohmann::json::accept(json));
  return 0;
}
