// SPDX-License-Identifier: Apache-2.0
// Any bytes as a scenario: they are read, played and diagnosed with bounded work, or answered with
// a mistake; and the same text makes the same capture. So the engine and the detectors see
// connections that no network would make.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "facts/case.h"
#include "require.h"
#include "support/scenario/judge.h"
#include "support/scenario/script.h"

namespace {

using namespace slowpath;
using namespace slowpath::test::scenario;
using fuzz::require;

constexpr Limits kLimits{.text_bytes = 8192,
                         .statements = 500,
                         .frames = 2000,
                         .payload_bytes = 4 << 20,
                         .events = 2000};

/// What holds of the diagnosis of any capture.
void check(const Tape& tape, const Outcome& outcome) {
  require(!outcome.diagnosis.verdict.empty());
  std::uint64_t packets = 0;
  for (const CaptureFacts& capture : outcome.facts.captures) packets += capture.packets;
  require(packets == tape.size());
  for (const Finding& finding : outcome.diagnosis.findings) {
    require(finding.confidence >= 0 && finding.confidence <= 1);
    require(finding.seconds_lost >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Scenario scenario = play(text, kLimits);
  require(scenario.tape->size() <= kLimits.frames);
  if (scenario.mistake) return 0;
  check(*scenario.tape, diagnose(*scenario.tape));
  require(play(text, kLimits).tape->pcap() == scenario.tape->pcap());
  return 0;
}
