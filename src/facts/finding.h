// SPDX-License-Identifier: Apache-2.0
// What a detector claims, with its evidence; and the diagnosis made of all claims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "facts/direction.h"
#include "facts/figures.h"
#include "facts/frame_ref.h"
#include "facts/severity.h"

namespace slowpath {

enum class EvidenceKind : std::uint8_t { frames, setting, counter, test };

/// One item of proof: a sentence, and what anybody can look up to check it.
struct Evidence {
  EvidenceKind kind = EvidenceKind::frames;
  std::string text;                                     // a sentence fragment: "none of the 127 frames above 1514 bytes was acknowledged at first sending"
  std::vector<FrameRef> frames;                         // at most Exemplars::kKept
  Figures values;                                       // {"superframes", 127}, {"rtt_min_us", 130}
  std::string_view pattern = {};                        // of bytes that differ: "bit flips", "stale bytes" ...; else empty
};

struct RuledOut {
  std::string_view fault;
  std::string why;   // the fact that speaks against it
};

/// How a predicted rate is to be read.
enum class Bound : std::uint8_t {
  about,     // this is what will be reached
  at_least,  // nothing that would bind above it was ever reached: it may be more
  unknown,   // no rate can be told
};

/// "about", "at least", "unknown": the words of the JSON contract.
constexpr std::string_view to_string(Bound bound) {
  switch (bound) {
    case Bound::about:
      return "about";
    case Bound::at_least:
      return "at least";
    case Bound::unknown:
      break;
  }
  return "unknown";
}

/// What would be left to expect if this cause alone were gone.
struct AfterFix {
  std::optional<double> goodput_bps;
  std::string basis;  // the formula and its inputs, or why it cannot be told
  Bound bound = Bound::about;  // of goodput_bps; see bound_of()
};

/// Without a rate nothing is bounded.
constexpr Bound bound_of(const AfterFix& after) {
  return after.goodput_bps ? after.bound : Bound::unknown;
}

/// What one finding made of many connections' findings speaks of.
struct Spread {
  std::string senders, receivers;    // of the data, or clients and servers: a host, or the prefix that holds them all
  std::uint64_t connections = 0;     // with this cause
  std::uint64_t between = 0;         // connections between the same hosts, sound ones too
  std::uint32_t worst = 0;           // id
  double worst_s = 0;                // lost on that one
};

struct Finding {
  std::string_view fault;            // catalogue id
  Severity severity = Severity::suspect;
  double confidence = 0;             // 0..1, calibrated
  std::vector<std::uint32_t> connections;   // ids; empty for path or capture scope
  std::optional<Direction> direction;
  double seconds_lost = 0;
  std::string claim;                 // one sentence with figures
  std::vector<Evidence> evidence;
  std::vector<RuledOut> ruled_out;
  std::string refuted_by;            // what observation would refute it
  std::string_view remedies_of = {}; // the fault whose remedies help here; empty: its own do
  AfterFix after_fix;
  std::string wireshark_filter;      // display filter that shows the evidence; empty if none
  std::string next_capture;          // for suspects: the exact command that would tell
  std::optional<Spread> spread = std::nullopt;  // `connections` then lists the worst first, and not all
};

/// One switch to turn, after those before it in the list.
struct FixStep {
  std::size_t finding = 0;  // position in Diagnosis::findings
  AfterFix after;           // with this and all earlier steps done
};

/// One answer for the whole input.
struct Diagnosis {
  std::string verdict;               // a fault id, "healthy" or "unclear"
  double confidence = 0;
  std::string summary;               // one or two sentences
  std::vector<Finding> findings;     // ranked: the verdict's own first
  std::vector<std::string> connection_verdicts;  // by position in Case::connections
  std::vector<std::string> look_next;  // for unclear: what to capture, as commands
  std::vector<FixStep> steps;        // of several causes of one transfer: what to turn first, then next
};

}  // namespace slowpath
