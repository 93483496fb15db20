// SPDX-License-Identifier: Apache-2.0
// What several copies of one download prove: whether every byte came as it was, and where bytes
// were changed, what changed them and where not. Pure: facts in, one verdict out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/arithmetic/corruption_pattern.h"
#include "facts/fetch.h"
#include "facts/finding.h"

namespace slowpath::detect {

enum class FetchOutcome : std::uint8_t {
  intact,      // every copy is what was expected
  consistent,  // every copy is the same; nothing was expected
  corrupted,   // copies of one file differ, or differ at times from what was expected
  unexpected,  // every copy is the same, and is not what was expected
  changed,     // the server says that its file changed meanwhile
  truncated,   // a body ended early
  failed,      // there is no copy
  unclear,     // copies differ, and nothing says that they should not
};
inline constexpr std::size_t kFetchOutcomeCount = 8;
/// "intact", "consistent" ...
std::string_view to_string(FetchOutcome outcome);

/// Of an upload and what came back, which leg changed the bytes of a place. "Up" is the way up, or
/// the server as it stored them: both look the same from here.
enum class FetchLeg : std::uint8_t { unknown, up, down, both };
/// "up", "down", "both"; "unknown".
std::string_view to_string(FetchLeg leg);

/// Where one difference lies. Segments are counted from the body's; nothing where it is not known
/// how the body lies in the stream.
struct FetchPlace {
  std::size_t difference = 0;                        // position in FetchFacts::differences
  std::optional<std::uint64_t> segment, in_segment;  // number, and first byte within it
  std::optional<std::uint64_t> stream_offset;        // of the first byte, in the TCP stream
  FetchLeg leg = FetchLeg::unknown;
};

struct FetchVerdict {
  FetchOutcome outcome = FetchOutcome::unclear;
  std::string fault;      // a fault id, "healthy" or "unclear"
  double confidence = 0;  // 0..1
  std::string summary;    // one or two sentences
  std::vector<std::string> evidence;
  std::vector<RuledOut> ruled_out;
  std::vector<std::string> next;  // what to do, or what would tell more
  std::optional<arithmetic::CorruptionPattern> pattern;
  std::vector<FetchPlace> places;  // one for each difference
};

FetchVerdict judge_fetch(const FetchFacts& facts);

}  // namespace slowpath::detect
