// SPDX-License-Identifier: Apache-2.0
// Reads an input for the screener, with as many threads as its kind has use for: of a mapped file
// each reads all and keeps a part; of a stream one reads and hands on to another that keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "capture/passing_over.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "cli/reader.h"
#include "flow/screen/screener.h"

namespace slowpath::cli {

/// What a first pass saw of an input.
struct FirstSeen {
  std::uint64_t left_out = 0;     // packets, by the window
  std::uint64_t last_offset = 0;  // of the last frame; 0 without one
  Time newest = Time::min();
  /// Where a second pass may begin parts of it; none where the source cannot.
  std::vector<capture::PassingOver::Mark> marks;
};

/// How many keepers a screener of these inputs is best given.
std::size_t keepers_for(const std::vector<Input>& inputs, std::size_t threads);

class FirstPass {
 public:
  /// All outlive this. `threads`: as many as there may be.
  FirstPass(const PipelineOptions& options, std::span<const Input> inputs, Reader& reader,
            flow::Screener& screener, std::size_t threads)
      : options_(options),
        inputs_(inputs),
        reader_(reader),
        screener_(screener),
        threads_(threads) {}

  /// To its end or until a signal comes. `input` is open, `number` its place among all.
  FirstSeen read(Input& input, std::uint16_t number);

 private:
  FirstSeen read_together(Input& input, std::span<Input> twins, std::uint16_t number);
  FirstSeen read_and_hand_on(Input& input, std::uint16_t number);

  const PipelineOptions& options_;
  std::span<const Input> inputs_;
  Reader& reader_;
  flow::Screener& screener_;
  std::size_t threads_;
};

/// Frames that are read together: as many as the first-level cache holds.
inline constexpr std::size_t kRound = 256;

/// The first frame of an input, which its source gave before, if there is one.
inline std::span<wire::Frame> first_of(Input& input) {
  return {&input.first, input.has_frames ? 1U : 0U};
}

}  // namespace slowpath::cli
