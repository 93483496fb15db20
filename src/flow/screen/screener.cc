// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/screener.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "flow/capture_witness.h"
#include "flow/sane_time.h"
#include "flow/screen/capture_counts.h"
#include "flow/screen/crew.h"
#include "flow/screen/steady_update.h"
#include "wire/common_segment.h"
#include "wire/light_packet.h"

namespace slowpath::flow {
namespace {

using wire::LightPacket;

// Alone, a round is no longer than what the first-level cache holds between its parts, and than the
// requests for memory that the processor keeps at a time.
constexpr std::size_t kAlone = 64;
// What a thread works on at a time of a longer round.
constexpr std::size_t kStretch = 64;
std::uint8_t shard_of(std::uint64_t hash) {
  static_assert(Screener::kShards == 64);
  return static_cast<std::uint8_t>(hash >> 58);
}

}  // namespace

/// A frame of the round, on its way to its connection.
struct Pick {
  wire::CommonEnds ends;
  std::uint64_t hash = 0;
  LightTable* table = nullptr;  // null: it belongs to none
  LightRecord* guess = nullptr;
  std::uint32_t version = 0;  // of the table when it was guessed
  bool maybe_common = false;  // else its LightPacket was made
};

struct Screener::State {
  explicit State(ScreenOptions given);

  void run_round(std::span<const wire::Frame> frames);
  void note_times(std::span<const wire::Frame> frames);
  void note_odd_time(const wire::Frame& frame, std::size_t i);
  void pick_part(std::span<const wire::Frame> frames, std::size_t thread);
  void pick_unusual(const wire::Frame& frame, std::size_t i, std::size_t thread);
  void keep_part(std::span<const wire::Frame> frames, std::size_t thread);
  void keep_stretch(std::span<const wire::Frame> frames, std::span<const std::uint32_t> places,
                    std::size_t thread);
  bool keep_steady(const wire::Frame& frame, std::size_t i, CaptureCounts& sums);
  void keep_odd(const wire::Frame& frame, std::size_t i, std::size_t thread);
  void join_counts();

  /// What a thread has for itself.
  struct alignas(64) Own {
    wire::Packet scratch;
    std::vector<std::uint32_t> places;  // its packets, by their place in the round
    CaptureCounts counts;               // of the current input
    std::uint64_t unmatched = 0;        // ICMP errors
  };

  ScreenOptions options;
  std::size_t round;  // frames
  PageStore store;
  std::vector<LightTable> tables;
  std::vector<Pick> picks;
  std::vector<LightPacket> packets;  // only of those that are not common
  std::vector<Time> times;
  std::vector<Own> own;
  std::vector<CaptureCourse> courses;  // by input
  std::uint16_t input = 0;
  Time newest{};
  Crew crew;
};

Screener::State::State(ScreenOptions given)
    : options(given),
      round(given.threads > 1 ? kRound : kAlone),
      picks(round),
      packets(round),
      times(round),
      own(std::max<std::size_t>(given.threads, 1)),
      crew(own.size()) {
  for (Own& one : own) one.places.resize(round);
  const std::size_t most =
      static_cast<std::size_t>(options.memory_bytes / sizeof(LightRecord) / kShards);
  tables.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) tables.emplace_back(most, store);
}

// In the order of the file, by the one who calls.
void Screener::State::note_times(std::span<const wire::Frame> frames) {
  CaptureCourse& course = courses[input];
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const wire::Frame& frame = frames[i];
    if (course.any & has_sane_time(frame) & (frame.time >= course.newest)) [[likely]] {
      times[i] = newest = course.newest = frame.time;
    } else {
      note_odd_time(frame, i);
    }
  }
  course.last = std::max(course.last, course.newest);
}

void Screener::State::note_odd_time(const wire::Frame& frame, std::size_t i) {
  CaptureCourse& course = courses[input];
  // Without a time of its own a frame belongs to the moment of the one before.
  if (!has_sane_time(frame)) {
    ++course.frames_without_time;
    times[i] = newest;
    return;
  }
  times[i] = newest = frame.time;
  if (!course.any) {
    course.any = true;
    course.first = course.last = course.newest = frame.time;
    return;
  }
  ++course.steps_back;
  course.largest_step_back_s =
      std::max(course.largest_step_back_s, to_seconds(course.newest - frame.time));
  note(course.back_frames, FrameRef(frame.input, frame.number));
  course.first = std::min(course.first, frame.time);
  course.last = std::max(course.last, course.newest);
  course.newest = frame.time;
}

// Of each thread a stretch: which connection, no more.
void Screener::State::pick_part(std::span<const wire::Frame> frames, std::size_t thread) {
  const std::size_t from = frames.size() * thread / own.size();
  const std::size_t to = frames.size() * (thread + 1) / own.size();
  const bool alone = own.size() == 1;
  for (std::size_t i = from; i < to; ++i) {
    const wire::Frame& frame = frames[i];
    if (!wire::CommonSegment::is_tcp4(frame)) [[unlikely]] {
      pick_unusual(frame, i, thread);
      continue;
    }
    Pick& pick = picks[i];
    pick.ends = wire::CommonSegment::ends_of(frame);
    pick.hash = wire::hash_of(pick.ends.key());
    pick.table = &tables[shard_of(pick.hash)];
    pick.maybe_common = true;
    if (alone) pick.table->prefetch_slot(pick.hash);
  }
}

void Screener::State::pick_unusual(const wire::Frame& frame, std::size_t i, std::size_t thread) {
  LightPacket& packet = packets[i];
  wire::decode_light(frame, options.verify_checksums, packet, own[thread].scratch);
  packet.time = times[i];
  packet.frame = FrameRef(frame.input, frame.number);
  own[thread].counts.add(packet);
  const bool has_key = packet.kind == wire::PacketKind::tcp ||
                       (packet.kind == wire::PacketKind::icmp && packet.hash != 0);
  Pick& pick = picks[i];
  pick.hash = packet.hash;
  pick.table = has_key ? &tables[shard_of(packet.hash)] : nullptr;
  pick.maybe_common = false;
}

// Of each thread its shards.
void Screener::State::keep_part(std::span<const wire::Frame> frames, std::size_t thread) {
  const std::size_t threads = own.size();
  std::uint32_t* const mine = own[thread].places.data();
  std::size_t found = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    mine[found] = static_cast<std::uint32_t>(i);
    found +=
        picks[i].table != nullptr && (threads == 1 || shard_of(picks[i].hash) % threads == thread);
  }
  const std::span<const std::uint32_t> places(mine, found);
  for (std::size_t i = 0; i < found; i += kStretch) {
    keep_stretch(frames, places.subspan(i, std::min(kStretch, found - i)), thread);
  }
}

// Where a packet's connection is, and then the connection, is fetched for all of them before the
// first is worked on: so they wait for memory together.
void Screener::State::keep_stretch(std::span<const wire::Frame> frames,
                                   std::span<const std::uint32_t> places, std::size_t thread) {
  if (own.size() > 1) {
    for (const std::uint32_t i : places) picks[i].table->prefetch_slot(picks[i].hash);
  }
  for (const std::uint32_t i : places) {
    Pick& pick = picks[i];
    pick.guess = pick.table->guess(pick.hash);
    pick.version = pick.table->version();
  }
  CaptureCounts& counts = own[thread].counts;
  std::size_t odd = 0;
  for (const std::uint32_t i : places) {
    if (keep_steady(frames[i], i, counts)) [[likely]]
      continue;
    keep_odd(frames[i], i, thread);
    ++odd;
  }
  counts.add_common_count(places.size() - odd);
}

// False: nothing was done.
[[gnu::always_inline]] inline bool Screener::State::keep_steady(const wire::Frame& frame,
                                                                std::size_t i,
                                                                CaptureCounts& sums) {
  const Pick& pick = picks[i];
  if (!pick.maybe_common | (pick.guess == nullptr) | (pick.version != pick.table->version()))
      [[unlikely]] {
    return false;
  }
  LightRecord& record = *pick.guess;
  const wire::CommonSegment segment(frame);
  const std::size_t way = pick.ends.from_lower ? 0 : 1;
  if (!record.has_key4(pick.ends.low, pick.ends.high) || !segment.is_common() ||
      !is_steady(record, segment, way)) [[unlikely]] {
    return false;
  }
  if (segment.is_ip_header_bad() || (options.verify_checksums && !segment.is_cut_or_good()))
      [[unlikely]] {
    return false;
  }
  sums.add_common(frame);
  add_steady(record, segment, way, times[i]);
  return true;
}

void Screener::State::keep_odd(const wire::Frame& frame, std::size_t i, std::size_t thread) {
  const Pick& pick = picks[i];
  LightPacket& packet = packets[i];
  if (pick.maybe_common) {
    wire::decode_light(frame, options.verify_checksums, packet, own[thread].scratch);
    packet.time = times[i];
    packet.frame = FrameRef(frame.input, frame.number);
    own[thread].counts.add(packet);
  }
  if (packet.kind == wire::PacketKind::tcp) return pick.table->add(packet);
  if (packet.kind != wire::PacketKind::icmp) return;
  LightRecord* const quoted = pick.table->find(packet.key, packet.hash);
  if (quoted == nullptr) {
    ++own[thread].unmatched;
  } else if (quoted->icmp != 0xffff) {
    ++quoted->icmp;
  }
}

void Screener::State::run_round(std::span<const wire::Frame> frames) {
  note_times(frames);
  crew.run([&](std::size_t thread) { pick_part(frames, thread); });
  crew.run([&](std::size_t thread) { keep_part(frames, thread); });
}

void Screener::State::join_counts() {
  for (Own& one : own) {
    courses[input].counts.merge(one.counts);
    one.counts = {};
  }
}

Screener::Screener(ScreenOptions options) : state_(std::make_unique<State>(options)) {}
Screener::~Screener() = default;

void Screener::add(std::span<const wire::Frame> frames) {
  State& s = *state_;
  while (!frames.empty()) {
    const std::uint16_t input = frames.front().input;
    if (input >= s.courses.size()) s.courses.resize(input + std::size_t{1});
    if (input != s.input) s.join_counts();
    s.input = input;
    const auto other =
        std::ranges::find_if(frames.first(std::min(frames.size(), s.round)),
                             [input](const wire::Frame& frame) { return frame.input != input; });
    const auto here = static_cast<std::size_t>(other - frames.begin());
    s.run_round(frames.first(here));
    frames = frames.subspan(here);
  }
}

std::span<const LightTable> Screener::shards() const { return state_->tables; }
std::span<LightTable> Screener::shards() { return state_->tables; }

CaptureWitness Screener::witness() const {
  State& s = *state_;
  if (s.courses.empty()) return {};
  s.join_counts();
  CaptureWitness witness;
  for (std::size_t i = 0; i < s.courses.size(); ++i) {
    witness.set(static_cast<std::uint16_t>(i), s.courses[i]);
  }
  return witness;
}

std::uint64_t Screener::unmatched_icmp() const {
  std::uint64_t sum = 0;
  for (const State::Own& one : state_->own) sum += one.unmatched;
  return sum;
}

std::uint64_t Screener::memory_bytes() const {
  std::uint64_t sum = 0;
  for (const LightTable& table : state_->tables) sum += table.memory_bytes();
  return sum;
}

}  // namespace slowpath::flow
