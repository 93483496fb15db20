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
#include "wire/light_packet.h"

namespace slowpath::flow {
namespace {

using wire::LightPacket;

// Alone, a round is no longer than what the first-level cache holds between its two halves.
constexpr std::size_t kAlone = 128;
// How many packets ahead of their turn memory is asked for.
constexpr std::size_t kSlotsAhead = 24, kRecordsAhead = 12;
constexpr std::uint8_t kNoShard = 0xff;

std::uint8_t shard_of(std::uint64_t hash) {
  static_assert(Screener::kShards == 64);
  return static_cast<std::uint8_t>(hash >> 58);
}

}  // namespace

struct Screener::State {
  explicit State(ScreenOptions given);

  void run_round(std::span<const wire::Frame> frames);
  void note_times(std::span<const wire::Frame> frames);
  void decode_part(std::span<const wire::Frame> frames, std::size_t thread);
  void keep_part(std::size_t count, std::size_t thread);
  void keep(const LightPacket& packet, std::uint8_t shard);
  void join_counts();

  ScreenOptions options;
  std::size_t round;  // frames
  std::vector<LightTable> tables;
  std::array<std::uint64_t, kShards> unmatched{};
  std::vector<LightPacket> packets;
  std::vector<std::uint8_t> shard_of_packet;
  std::vector<Time> times;
  std::vector<wire::Packet> scratch;            // one a thread
  std::vector<std::vector<std::uint32_t>> own;  // a thread's packets, by their place in the round
  std::vector<CaptureCounts> counts;            // one a thread, of the current input
  std::vector<CaptureCourse> courses;           // by input
  std::uint16_t input = 0;
  Time newest{};
  Crew crew;
};

Screener::State::State(ScreenOptions given)
    : options(given),
      round(given.threads > 1 ? kRound : kAlone),
      packets(round),
      shard_of_packet(round),
      times(round),
      scratch(std::max<std::size_t>(given.threads, 1)),
      own(scratch.size(), std::vector<std::uint32_t>(round)),
      counts(scratch.size()),
      crew(scratch.size()) {
  const std::size_t most =
      static_cast<std::size_t>(options.memory_bytes / sizeof(LightRecord) / kShards);
  tables.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) tables.emplace_back(most);
}

// In the order of the file, by the one who calls.
void Screener::State::note_times(std::span<const wire::Frame> frames) {
  CaptureCourse& course = courses[input];
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const wire::Frame& frame = frames[i];
    // Without a time of its own a frame belongs to the moment of the one before.
    if (!has_sane_time(frame)) [[unlikely]] {
      ++course.frames_without_time;
      times[i] = newest;
      continue;
    }
    times[i] = newest = frame.time;
    if (!course.any) [[unlikely]] {
      course.any = true;
      course.first = course.last = course.newest = frame.time;
    }
    if (frame.time < course.newest) [[unlikely]] {
      ++course.steps_back;
      course.largest_step_back_s =
          std::max(course.largest_step_back_s, to_seconds(course.newest - frame.time));
      note(course.back_frames, FrameRef(frame.input, frame.number));
      course.first = std::min(course.first, frame.time);
    }
    course.last = std::max(course.last, frame.time);
    course.newest = frame.time;
  }
}

// Of each thread a stretch.
void Screener::State::decode_part(std::span<const wire::Frame> frames, std::size_t thread) {
  const std::size_t threads = scratch.size();
  const std::size_t from = frames.size() * thread / threads;
  const std::size_t to = frames.size() * (thread + 1) / threads;
  constexpr std::size_t kAhead = 6;
  for (std::size_t i = from; i < to; ++i) {
    // The link layer's end to the TCP options: two lines, mostly.
    if (i + kAhead < to) {
      const std::byte* const ahead = frames[i + kAhead].bytes.data();
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + 64);
    }
    LightPacket& packet = packets[i];
    wire::decode_light(frames[i], options.verify_checksums, packet, scratch[thread]);
    packet.time = times[i];
    packet.frame = FrameRef(frames[i].input, frames[i].number);
    counts[thread].add(packet);
    const bool has_key = packet.kind == wire::PacketKind::tcp ||
                         (packet.kind == wire::PacketKind::icmp && packet.hash != 0);
    shard_of_packet[i] = has_key ? shard_of(packet.hash) : kNoShard;
  }
}

// Of each thread its shards. Where a packet's connection is, and then the connection, is fetched
// while those before it are worked on.
void Screener::State::keep_part(std::size_t count, std::size_t thread) {
  const std::size_t threads = scratch.size();
  std::uint32_t* const mine = own[thread].data();
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t shard = shard_of_packet[i];
    mine[found] = static_cast<std::uint32_t>(i);
    found += shard != kNoShard && (threads == 1 || shard % threads == thread);
  }
  const auto slot_ahead = [&](std::size_t i) {
    tables[shard_of_packet[mine[i]]].prefetch_slot(packets[mine[i]].hash);
  };
  const auto record_ahead = [&](std::size_t i) {
    tables[shard_of_packet[mine[i]]].prefetch_record(packets[mine[i]].hash);
  };
  for (std::size_t i = 0; i < std::min(found, kSlotsAhead); ++i) slot_ahead(i);
  for (std::size_t i = 0; i < std::min(found, kRecordsAhead); ++i) record_ahead(i);
  for (std::size_t i = 0; i < found; ++i) {
    if (i + kSlotsAhead < found) slot_ahead(i + kSlotsAhead);
    if (i + kRecordsAhead < found) record_ahead(i + kRecordsAhead);
    keep(packets[mine[i]], shard_of_packet[mine[i]]);
  }
}

void Screener::State::keep(const LightPacket& packet, std::uint8_t shard) {
  if (packet.kind == wire::PacketKind::tcp) [[likely]]
    return tables[shard].add(packet);
  LightRecord* const quoted = tables[shard].find(packet.key, packet.hash);
  if (quoted == nullptr) {
    ++unmatched[shard];
  } else if (quoted->icmp != 0xffff) {
    ++quoted->icmp;
  }
}

void Screener::State::run_round(std::span<const wire::Frame> frames) {
  note_times(frames);
  crew.run([&](std::size_t thread) { decode_part(frames, thread); });
  crew.run([&](std::size_t thread) { keep_part(frames.size(), thread); });
}

void Screener::State::join_counts() {
  for (CaptureCounts& part : counts) {
    courses[input].counts.merge(part);
    part = {};
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
  for (const std::uint64_t count : state_->unmatched) sum += count;
  return sum;
}

std::uint64_t Screener::memory_bytes() const {
  std::uint64_t sum = 0;
  for (const LightTable& table : state_->tables) sum += table.memory_bytes();
  return sum;
}

}  // namespace slowpath::flow
