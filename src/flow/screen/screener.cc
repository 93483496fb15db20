// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/screener.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "flow/capture_witness.h"
#include "flow/sane_time.h"
#include "flow/screen/capture_counts.h"
#include "flow/screen/relay.h"
#include "flow/screen/steady_update.h"
#include "wire/common_segment.h"
#include "wire/light_packet.h"

namespace slowpath::flow {
namespace {

using wire::LightPacket;

// What is worked on together: no more than the first-level cache holds between the parts of the
// work, and than the requests for memory that the processor keeps at a time.
constexpr std::size_t kStretch = 64;
// Batches between the caller and the others: what one of them works on while another one waits for
// a processor.
constexpr std::size_t kSlots = 64;

std::uint8_t shard_of(std::uint64_t hash) {
  static_assert(Screener::kShards == 64);
  return static_cast<std::uint8_t>(hash >> 58);
}

}  // namespace

/// A frame of a batch, on its way to its connection. Short: it goes from one processor to another.
struct Pick {
  std::uint64_t low = 0, high = 0;  // as wire::CommonEnds has them
  std::uint64_t hash = 0;
  bool from_lower = false;
  bool maybe_common = false;  // else its LightPacket was made
  bool has_table = false;     // else it belongs to no connection
};
static_assert(sizeof(Pick) == 32);

/// What a table says of a hash at first sight, and which of its states said so.
struct Guess {
  LightRecord* record = nullptr;
  std::uint32_t version = 0;
};

/// Frames of one input that are kept together.
struct Batch {
  void make_room(std::size_t most, bool copy) {
    if (!picks.empty()) return;
    picks.resize(most);
    packets.resize(most);
    times.resize(most);
    if (copy) copies.resize(most);
  }

  std::span<const wire::Frame> frames;
  std::vector<wire::Frame> copies;  // what `frames` shows, where others work on it
  std::vector<Pick> picks;
  std::vector<LightPacket> packets;  // only of those that are not common
  std::vector<Time> times;
};

struct Screener::State {
  explicit State(ScreenOptions given);

  /// What a thread has for itself.
  struct alignas(64) Own {
    wire::Packet scratch;
    std::vector<std::uint32_t> places;  // its packets, by their place in the batch
    CaptureCounts counts;               // of the current input
    std::uint64_t unmatched = 0;        // ICMP errors
  };

  void add(std::span<const wire::Frame> frames);
  void note_times(Batch& batch);
  Time odd_time(const wire::Frame& frame);
  void pick(Batch& batch);
  void pick_unusual(Batch& batch, std::size_t i);
  void keep(Batch& batch, std::size_t worker);
  void keep_stretch(Batch& batch, std::span<const std::uint32_t> places, Own& own);
  bool keep_steady(const Batch& batch, std::size_t i, Guess guess, CaptureCounts& sums);
  LightTable& table_of(const Pick& pick) { return tables[shard_of(pick.hash)]; }
  void keep_odd(Batch& batch, std::size_t i, Own& own);
  void decode(Batch& batch, std::size_t i, Own& own);
  void join_counts();

  ScreenOptions options;
  std::size_t workers;  // threads that keep: the caller's own where it is alone
  std::size_t most;     // frames of a batch
  PageStore store;
  std::vector<LightTable> tables;
  std::vector<Batch> batches;
  Own picker;                          // of the caller
  std::vector<Own> keepers;            // of each worker
  std::vector<CaptureCourse> courses;  // by input
  std::uint16_t input = 0;
  Time newest{};
  Relay relay;
};

Screener::State::State(ScreenOptions given)
    : options(given),
      workers(std::max<std::size_t>(given.threads, 2) - 1),
      most(given.threads > 1 ? kRound : kStretch),
      batches(given.threads > 1 ? kSlots : 1),
      keepers(workers),
      relay(given.threads > 1 ? workers : 0, batches.size(),
            [this](std::size_t slot, std::size_t worker) { keep(batches[slot], worker); }) {
  for (Own& own : keepers) own.places.resize(most);
  const auto records =
      static_cast<std::size_t>(options.memory_bytes / sizeof(LightRecord) / kShards);
  tables.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) tables.emplace_back(records, store);
}

void Screener::State::add(std::span<const wire::Frame> frames) {
  Batch& batch = batches[relay.free_slot()];
  batch.make_room(most, relay.workers() != 0);
  batch.frames = frames;
  if (!batch.copies.empty()) {
    std::ranges::copy(frames, batch.copies.begin());
    batch.frames = std::span(batch.copies).first(frames.size());
  }
  note_times(batch);
  pick(batch);
  relay.hand_over();
}

// In the order of the file, by the one who calls.
void Screener::State::note_times(Batch& batch) {
  CaptureCourse& course = courses[input];
  for (std::size_t i = 0; i < batch.frames.size(); ++i) {
    const wire::Frame& frame = batch.frames[i];
    if (course.any & has_sane_time(frame) & (frame.interface == course.interface) &
        (frame.time >= course.newest)) [[likely]] {
      batch.times[i] = newest = course.newest = frame.time;
    } else {
      batch.times[i] = odd_time(frame);
    }
  }
  course.last = std::max(course.last, course.newest);
}

Time Screener::State::odd_time(const wire::Frame& frame) {
  CaptureCourse& course = courses[input];
  // Without a time of its own a frame belongs to the moment of the one before.
  if (!has_sane_time(frame)) {
    ++course.frames_without_time;
    return newest;
  }
  newest = frame.time;
  if (!course.any) {
    course.any = true;
    course.first = course.last = course.newest = frame.time;
    course.interface = frame.interface;
    return newest;
  }
  course.last = std::max(course.last, course.newest);
  if (frame.interface != course.interface) {
    course.others.of(course.interface) = course.newest;
    course.interface = frame.interface;
    course.newest = course.others.of(frame.interface).value_or(frame.time);
  }
  if (frame.time < course.newest) {
    ++course.steps_back;
    course.largest_step_back_s =
        std::max(course.largest_step_back_s, to_seconds(course.newest - frame.time));
    note(course.back_frames, FrameRef(frame.input, frame.number));
  }
  course.first = std::min(course.first, frame.time);
  course.newest = frame.time;
  return newest;
}

// Which connection, no more.
void Screener::State::pick(Batch& batch) {
  const bool alone = relay.workers() == 0;
  for (std::size_t i = 0; i < batch.frames.size(); ++i) {
    const wire::Frame& frame = batch.frames[i];
    if (!wire::CommonSegment::is_tcp4(frame)) [[unlikely]] {
      pick_unusual(batch, i);
      continue;
    }
    const wire::CommonEnds ends = wire::CommonSegment::ends_of(frame);
    const std::uint64_t hash = wire::hash_of(ends.key());
    batch.picks[i] = {ends.low, ends.high, hash, ends.from_lower, true, true};
    if (alone) tables[shard_of(hash)].prefetch_slot(hash);
  }
}

void Screener::State::pick_unusual(Batch& batch, std::size_t i) {
  decode(batch, i, picker);
  const LightPacket& packet = batch.packets[i];
  const bool has_key = packet.kind == wire::PacketKind::tcp ||
                       (packet.kind == wire::PacketKind::icmp && packet.hash != 0);
  Pick& pick = batch.picks[i];
  pick.hash = packet.hash;
  pick.has_table = has_key;
  pick.maybe_common = false;
}

void Screener::State::decode(Batch& batch, std::size_t i, Own& own) {
  const wire::Frame& frame = batch.frames[i];
  LightPacket& packet = batch.packets[i];
  wire::decode_light(frame, options.verify_checksums, packet, own.scratch);
  packet.time = batch.times[i];
  packet.frame = FrameRef(frame.input, frame.number);
  own.counts.add(packet);
}

// Of each worker its shards.
void Screener::State::keep(Batch& batch, std::size_t worker) {
  Own& own = keepers[worker];
  std::size_t found = 0;
  for (std::size_t i = 0; i < batch.frames.size(); ++i) {
    const Pick& pick = batch.picks[i];
    own.places[found] = static_cast<std::uint32_t>(i);
    found += pick.has_table && (workers == 1 || shard_of(pick.hash) % workers == worker);
  }
  const std::span<const std::uint32_t> places(own.places.data(), found);
  for (std::size_t i = 0; i < found; i += kStretch) {
    keep_stretch(batch, places.subspan(i, std::min(kStretch, found - i)), own);
  }
}

// Where a packet's connection is, and then the connection, is fetched for all of them before the
// first is worked on: so they wait for memory together.
void Screener::State::keep_stretch(Batch& batch, std::span<const std::uint32_t> places, Own& own) {
  if (relay.workers() != 0) {
    for (const std::uint32_t i : places) {
      __builtin_prefetch(batch.frames[i].bytes.data() + wire::CommonSegment::kLinkLen);
      table_of(batch.picks[i]).prefetch_slot(batch.picks[i].hash);
    }
  }
  std::array<Guess, kStretch> guesses;
  for (std::size_t k = 0; k < places.size(); ++k) {
    const Pick& pick = batch.picks[places[k]];
    LightTable& table = table_of(pick);
    guesses[k] = {table.guess(pick.hash), table.version()};
  }
  std::size_t odd = 0;
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (keep_steady(batch, places[k], guesses[k], own.counts)) [[likely]]
      continue;
    keep_odd(batch, places[k], own);
    ++odd;
  }
  own.counts.add_common_count(places.size() - odd);
}

// False: nothing was done.
[[gnu::always_inline]] inline bool Screener::State::keep_steady(const Batch& batch, std::size_t i,
                                                                Guess guess, CaptureCounts& sums) {
  const wire::Frame& frame = batch.frames[i];
  const Pick& pick = batch.picks[i];
  if (!pick.maybe_common | (guess.record == nullptr) | (guess.version != table_of(pick).version()))
      [[unlikely]] {
    return false;
  }
  LightRecord& record = *guess.record;
  const wire::CommonSegment segment(frame);
  const std::size_t way = pick.from_lower ? 0 : 1;
  if (!record.has_key4(pick.low, pick.high) || !segment.is_common() ||
      !is_steady(record, segment, way)) [[unlikely]] {
    return false;
  }
  if (segment.is_ip_header_bad() || (options.verify_checksums && !segment.is_cut_or_good()))
      [[unlikely]] {
    return false;
  }
  sums.add_common(frame);
  add_steady(record, segment, way, batch.times[i]);
  return true;
}

void Screener::State::keep_odd(Batch& batch, std::size_t i, Own& own) {
  const Pick& pick = batch.picks[i];
  if (pick.maybe_common) decode(batch, i, own);
  const LightPacket& packet = batch.packets[i];
  if (packet.kind == wire::PacketKind::tcp) return table_of(pick).add(packet);
  if (packet.kind != wire::PacketKind::icmp) return;
  LightRecord* const quoted = table_of(pick).find(packet.key, packet.hash);
  if (quoted == nullptr) {
    ++own.unmatched;
  } else if (quoted->icmp != 0xffff) {
    ++quoted->icmp;
  }
}

void Screener::State::join_counts() {
  relay.drain();
  for (Own& own : keepers) {
    picker.counts.merge(own.counts);
    own.counts = {};
  }
  courses[input].counts.merge(picker.counts);
  picker.counts = {};
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
        std::ranges::find_if(frames.first(std::min(frames.size(), s.most)),
                             [input](const wire::Frame& frame) { return frame.input != input; });
    const auto here = static_cast<std::size_t>(other - frames.begin());
    s.add(frames.first(here));
    frames = frames.subspan(here);
  }
}

void Screener::settle() const { state_->relay.drain(); }

std::span<const LightTable> Screener::shards() const {
  settle();
  return state_->tables;
}
std::span<LightTable> Screener::shards() {
  settle();
  return state_->tables;
}

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
  settle();
  for (const State::Own& own : state_->keepers) sum += own.unmatched;
  return sum;
}

std::uint64_t Screener::memory_bytes() const {
  settle();
  std::uint64_t sum = 0;
  for (const LightTable& table : state_->tables) sum += table.memory_bytes();
  return sum;
}

}  // namespace slowpath::flow
