// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/judge.h"

#include <fmt/core.h>

#include "detect/synthesis.h"
#include "facts/time_account.h"
#include "flow/engine.h"
#include "wire/packet.h"

namespace slowpath::test::scenario {
namespace {

void describe_time(std::string& text, const DirectionFacts& direction) {
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    const auto owner = static_cast<TimeOwner>(i);
    const double seconds = direction.time[owner];
    if (seconds <= 0) continue;
    text += fmt::format("    {:<18} {:8.3f} s {:5.1f} %\n", to_string(owner), seconds,
                        100 * direction.time.share(owner));
  }
}

void describe_connection(std::string& text, const ConnectionFacts& connection) {
  static constexpr std::string_view kPlaces[] = {"unknown", "sender", "receiver", "midpath",
                                                 "both"};
  for (const Direction way : {Direction::to_server, Direction::to_client}) {
    const DirectionFacts& direction = connection[way];
    if (direction.bytes == 0) continue;
    text += fmt::format(
        "  connection {} {}: {} bytes in {:.3f} s, {} resent, {} lost, RTT {:.1f}..{:.1f} ms, "
        "vantage {}\n",
        connection.id, way == Direction::to_server ? "c > s" : "s > c", direction.bytes,
        direction.transfer_s, direction.resent_packets, direction.lost_packets,
        1e3 * direction.rtt.total.min_s, 1e3 * direction.rtt.total.p95_s,
        kPlaces[static_cast<std::size_t>(direction.vantage)]);
    describe_time(text, direction);
  }
}

}  // namespace

Outcome diagnose(const Tape& tape) {
  flow::EngineOptions options;
  options.bytes_at = [&tape](std::uint16_t, std::uint64_t offset, std::size_t len) {
    return tape.bytes_at(offset, len);
  };
  flow::Engine engine(options);
  wire::Packet packet;
  for (const wire::Frame& frame : tape.frames()) {
    wire::decode(frame, packet);
    engine.add(frame, packet);
  }
  Outcome outcome;
  outcome.facts = engine.finish();
  outcome.diagnosis = detect::diagnose(outcome.facts, &outcome.silences);
  return outcome;
}

std::vector<std::string> complaints(const Scenario& scenario, const Outcome& outcome) {
  std::vector<std::string> sentences;
  for (const Expectation& expectation : scenario.expectations) {
    if (const auto why = expectation.check(outcome)) {
      sentences.push_back(fmt::format("expected {}, but {}", expectation.text, *why));
    }
  }
  return sentences;
}

std::string describe(const Outcome& outcome) {
  std::string text =
      fmt::format("  verdict {}: {}\n", outcome.diagnosis.verdict, outcome.diagnosis.summary);
  for (const Finding& finding : outcome.diagnosis.findings) {
    text += fmt::format("  {} {} ({:.2f}), {:.3f} s: {}\n", to_string(finding.severity),
                        finding.fault, finding.confidence, finding.seconds_lost, finding.claim);
  }
  for (const detect::Silence& silence : outcome.silences) {
    text += fmt::format("  silent {}: {}\n", silence.fault, silence.why);
  }
  constexpr std::size_t kMost = 5;
  for (std::size_t i = 0; i < outcome.facts.connections.size() && i < kMost; ++i) {
    describe_connection(text, outcome.facts.connections[i]);
  }
  return text;
}

}  // namespace slowpath::test::scenario
