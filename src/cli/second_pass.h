// SPDX-License-Identifier: Apache-2.0
// Reads an input once more and hands the packets of chosen connections, ICMP and fragments to the
// full analysis; everything else is passed over. Where the first pass left marks several threads
// each pass over parts of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cli/first_pass.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "cli/reader.h"
#include "flow/engine.h"
#include "flow/screen/choice.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {

/// What there was of an input that was to be as it was before.
struct SecondSeen {
  std::uint64_t missing = 0;      // packets that were there before
  std::uint64_t last_offset = 0;  // of the last frame; 0 without one
};

class SecondPass {
 public:
  /// All outlive this. `threads`: as many as there may be.
  SecondPass(Reader& reader, const flow::Choice& choice, std::size_t threads)
      : reader_(reader), choice_(choice), threads_(threads) {}

  /// `frames` of them, whatever signals come: what was begun is finished. `source` is the input's,
  /// `number` its place among all, `marks` those of the first pass.
  SecondSeen read(const Input& input, capture::Source& source, std::uint16_t number,
                  std::uint64_t frames, std::span<const capture::PassingOver::Mark> marks,
                  flow::Engine& engine);

 private:
  struct Part;
  SecondSeen read_whole(const Input& input, capture::Source& source, std::uint16_t number,
                        std::uint64_t frames, flow::Engine& engine);
  SecondSeen read_parts(const Input& input, capture::Source& source, std::uint16_t number,
                        std::uint64_t frames, std::span<const capture::PassingOver::Mark> marks,
                        flow::Engine& engine);
  [[nodiscard]] Part read_part(const Input& input, const capture::PassingOver::Mark* begin,
                               std::uint64_t end, std::uint16_t number) const;
  void pass_over(Input& twin, const capture::PassingOver::Mark* begin, std::uint16_t number,
                 Part& part) const;
  [[nodiscard]] std::span<wire::Frame> chosen_of(std::span<wire::Frame> frames,
                                                 wire::Packet& scratch) const;
  [[nodiscard]] bool is_chosen(const wire::Frame& frame, wire::Packet& scratch) const;

  Reader& reader_;
  const flow::Choice& choice_;
  std::size_t threads_;
};

}  // namespace slowpath::cli
