// SPDX-License-Identifier: Apache-2.0
#include "cli/second_pass.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/in_turn.h"
#include "capture/spool.h"
#include "cli/frame_feed.h"
#include "wire/common_segment.h"
#include "wire/light_packet.h"

namespace slowpath::cli {

/// A part of an input, passed over.
struct SecondPass::Part {
  std::vector<wire::Frame> chosen;
  std::uint64_t frames = 0, missing = 0;
  std::uint64_t last_offset = 0;
};

SecondSeen SecondPass::read(const Input& input, capture::Source& source, std::uint16_t number,
                            std::uint64_t frames, std::span<const capture::PassingOver::Mark> marks,
                            flow::Engine& engine) {
  // The newest may be where the input ended.
  while (!marks.empty() && marks.back().frames >= frames) marks = marks.first(marks.size() - 1);
  const bool in_parts = threads_ > 1 && !marks.empty() && input.mapping && !reader_.has_window();
  return in_parts ? read_parts(input, source, number, frames, marks, engine)
                  : read_whole(input, source, number, frames, engine);
}

SecondSeen SecondPass::read_whole(const Input& input, capture::Source& source, std::uint16_t number,
                                  std::uint64_t frames, flow::Engine& engine) {
  FrameFeed feed([&engine](std::span<const wire::Frame> some) { engine.add(some); }, threads_ > 1);
  if (input.spool) input.spool->before_letting_go([&feed] { feed.finish(); });
  SecondSeen seen;
  wire::Packet scratch;
  wire::Frame first = input.first;
  seen.missing = reader_.read_again(source, {&first, input.has_frames ? 1U : 0U}, number, frames,
                                    choice_.ends.quick_filter(), [&](std::span<wire::Frame> some) {
                                      if (!some.empty()) seen.last_offset = some.back().byte_offset;
                                      feed.add(chosen_of(some, scratch));
                                    });
  feed.finish();
  if (input.spool) input.spool->before_letting_go({});
  return seen;
}

// The engine sees the chosen packets in the order of the file. While one thread hands it those of a
// part, others pass over the next.
SecondSeen SecondPass::read_parts(const Input& input, capture::Source& source, std::uint16_t number,
                                  std::uint64_t frames,
                                  std::span<const capture::PassingOver::Mark> marks,
                                  flow::Engine& engine) {
  SecondSeen seen;
  in_turn(
      marks.size() + 1, threads_,
      [&](std::size_t i) {
        return read_part(input, i == 0 ? nullptr : &marks[i - 1],
                         i == marks.size() ? frames : marks[i].frames, number);
      },
      [&](std::size_t i, Part part) {
        engine.add(part.chosen);
        seen.missing += part.missing;
        if (part.last_offset != 0) seen.last_offset = part.last_offset;
        reader_.passed(part.frames, i == marks.size() ? source.info().file_bytes : marks[i].offset);
      });
  reader_.passed_all(source.info().file_bytes);
  return seen;
}

// From `begin`, or from the first frame, to the frame of number `end`.
SecondPass::Part SecondPass::read_part(const Input& input, const capture::PassingOver::Mark* begin,
                                       std::uint64_t end, std::uint16_t number) const {
  Part part;
  const std::uint64_t count = end - (begin == nullptr ? 0 : begin->frames);
  part.missing = count;
  std::optional<Input> twin = twin_of(input, {});
  if (twin && twin->has_frames) pass_over(*twin, begin, number, part);
  part.frames = count - part.missing;
  return part;
}

// Until nothing is missing of the part, or the input ends.
void SecondPass::pass_over(Input& twin, const capture::PassingOver::Mark* begin,
                           std::uint16_t number, Part& part) const {
  wire::Packet scratch;
  const auto take = [&](std::span<wire::Frame> some, std::uint64_t passed) {
    for (wire::Frame& frame : some) frame.input = number;
    if (!some.empty()) part.last_offset = some.back().byte_offset;
    const auto chosen = chosen_of(some, scratch);
    part.chosen.insert(part.chosen.end(), chosen.begin(), chosen.end());
    part.missing -= passed;
  };
  auto* const passing = dynamic_cast<capture::PassingOver*>(twin.source.get());
  if (passing == nullptr) return;
  if (begin != nullptr) {
    passing->go_to(*begin);
  } else {
    take({&twin.first, 1}, 1);
  }
  std::vector<wire::Frame> frames(kRound);
  while (part.missing > 0) {
    const std::uint64_t before = twin.source->info().frames;
    const std::size_t got = passing->next_wanted(choice_.ends.quick_filter(), part.missing, frames);
    const std::uint64_t passed = twin.source->info().frames - before;
    if (passed == 0) return;
    take(std::span(frames).first(got), passed);
  }
}

// Chosen connections; ICMP; whatever may be a fragment.
std::span<wire::Frame> SecondPass::chosen_of(std::span<wire::Frame> frames,
                                             wire::Packet& scratch) const {
  std::size_t kept = 0;
  for (const wire::Frame& frame : frames) {
    if (wire::CommonSegment::is_tcp4(frame)) [[likely]] {
      const wire::CommonEnds ends = wire::CommonSegment::ends_of(frame);
      const std::uint64_t hash = wire::hash_of(ends.key());
      // A key is made of few: that costs more than the hash.
      if (!choice_.ends.may_contain(hash)) [[likely]]
        continue;
      if (choice_.ends.contains(ends.key(), hash)) frames[kept++] = frame;
    } else if (is_chosen(frame, scratch)) {
      frames[kept++] = frame;
    }
  }
  return frames.first(kept);
}

// Of those that are not as most are.
bool SecondPass::is_chosen(const wire::Frame& frame, wire::Packet& scratch) const {
  wire::EndsKey key;
  const std::uint64_t hash = wire::hash_of_usual_frame(frame, key);
  if (hash != 0) return choice_.ends.contains(key, hash);
  wire::decode(frame, scratch);
  if (scratch.is_fragment || scratch.kind == wire::PacketKind::icmp) return true;
  if (scratch.kind != wire::PacketKind::tcp) return false;
  bool unused = false;
  key = wire::key_of({scratch.source, scratch.source_port},
                     {scratch.destination, scratch.destination_port}, unused);
  return choice_.ends.contains(key, wire::hash_of(key));
}

}  // namespace slowpath::cli
