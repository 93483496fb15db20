// SPDX-License-Identifier: Apache-2.0
#include "cli/first_pass.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/in_parallel.h"
#include "cli/common_end.h"
#include "cli/frame_feed.h"

namespace slowpath::cli {
namespace {

void note(FirstSeen& seen, std::span<const wire::Frame> frames) {
  if (frames.empty()) return;
  seen.newest = std::max(seen.newest, frames.back().time);
  seen.last_offset = frames.back().byte_offset;
}

// Parts of a sixty-fourth: small against all, so that threads that share them end together. What
// is found in one waits for those before it: so a large input has more.
constexpr std::uint64_t kParts = 64;
constexpr std::uint64_t kMostPartLen = std::uint64_t{8} << 20;

// Called between two batches.
void note_mark(FirstSeen& seen, const capture::Source& source) {
  const auto* const passing = dynamic_cast<const capture::PassingOver*>(&source);
  if (passing == nullptr) return;
  const std::optional<capture::PassingOver::Mark> here = passing->mark();
  if (!here) return;
  const std::uint64_t before = seen.marks.empty() ? 0 : seen.marks.back().offset;
  const std::uint64_t enough = std::min(source.info().file_bytes / kParts, kMostPartLen);
  if (here->offset >= before + enough) seen.marks.push_back(*here);
}

PipelineOptions without_progress(PipelineOptions options) {
  options.show_progress = false;
  return options;
}

}  // namespace

std::size_t keepers_for(const std::vector<Input>& inputs, std::size_t threads) {
  return std::ranges::all_of(inputs, &Input::is_mapped) ? threads : 1;
}

FirstSeen FirstPass::read(Input& input, std::uint16_t number) {
  std::vector<Input> twins;
  while (twins.size() + 1 < screener_.keepers()) {
    std::optional<Input> twin = twin_of(input, options_.filter);
    if (!twin) return read_and_hand_on(input, number);
    twins.push_back(std::move(*twin));
  }
  if (!input.is_mapped) return read_and_hand_on(input, number);
  return read_together(input, twins, number);
}

// Which of them a thread takes up first is left to chance, and whether two run at a time.
FirstSeen FirstPass::read_together(Input& input, std::span<Input> twins, std::uint16_t number) {
  const PipelineOptions quiet = without_progress(options_);
  FirstSeen seen;
  CommonEnd end;
  in_parallel(1 + twins.size(), 1 + twins.size(), [&](std::size_t keeper) {
    Input& own = keeper == 0 ? input : twins[keeper - 1];
    std::optional<Reader> other;
    Reader& reader = keeper == 0 ? reader_ : other.emplace(quiet, inputs_, kRound);
    std::uint64_t round = 0;
    const std::uint64_t left_out =
        reader.read_while([&](bool is_to_end) { return end.goes_on(++round, is_to_end); },
                          *own.source, first_of(own), number,
                          [&](std::span<wire::Frame> frames) {
                            screener_.add(frames, keeper);
                            if (keeper != 0) return;
                            note(seen, frames);
                            note_mark(seen, *own.source);
                          });
    if (keeper == 0) seen.left_out = left_out;
  });
  return seen;
}

FirstSeen FirstPass::read_and_hand_on(Input& input, std::uint16_t number) {
  FirstSeen seen;
  FrameFeed feed([this](std::span<const wire::Frame> frames) { screener_.add(frames); },
                 threads_ > 1);
  if (input.spool) input.spool->before_letting_go([&feed] { feed.finish(); });
  seen.left_out =
      reader_.read(*input.source, first_of(input), number, [&](std::span<wire::Frame> frames) {
        feed.add(frames);
        note(seen, frames);
      });
  feed.finish();
  if (input.spool) input.spool->before_letting_go({});
  return seen;
}

}  // namespace slowpath::cli
