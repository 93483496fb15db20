// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/keeper.h"

#include <algorithm>
#include <utility>

#include "flow/sane_time.h"
#include "flow/screen/steady_update.h"
#include "wire/common_segment.h"

namespace slowpath::flow {

using wire::LightPacket;

namespace {

// What is worked on together: no more than the first-level cache holds between the parts of the
// work, and than the requests for memory that the processor keeps at a time.
constexpr std::size_t kStretch = 64;
// Of several keepers each finds fewer of its own among as many frames.
constexpr std::size_t kMostStretches = 4;

std::size_t shard_of(std::uint64_t hash) {
  static_assert(kScreenShards == 64);
  return static_cast<std::size_t>(hash >> 58);
}

}  // namespace

/// A frame on its way to its connection.
struct Keeper::Pick {
  std::uint64_t low = 0, high = 0;  // as wire::CommonEnds has them
  std::uint64_t hash = 0;
  std::uint32_t place = 0;  // among the frames that are worked on
  bool from_lower = false;
  bool maybe_common = false;  // else its LightPacket was made
};

/// What a table says of a hash at first sight, and which of its states said so.
struct Keeper::Guess {
  LightRecord* record = nullptr;
  std::uint32_t version = 0;
};

Keeper::Keeper(std::span<LightTable> tables, std::size_t number, std::size_t keepers,
               bool verify_checksums)
    : tables_(tables), number_(number), keepers_(keepers), verify_checksums_(verify_checksums) {
  for (std::size_t i = 0; i < kScreenShards; ++i) own_shards_[i] = i % keepers == number;
  const std::size_t most = kStretch * std::min(keepers, kMostStretches);
  times_.resize(most);
  picks_.resize(most);
  packets_.resize(most);
}

Keeper::~Keeper() = default;
Keeper::Keeper(Keeper&&) noexcept = default;

// The frames after these lie behind them in the file, or soon will: they are fetched while these
// are worked on, which seldom waits for memory. Numbers, as no such bytes may be there.
inline void Keeper::fetch_later(const wire::Frame& frame) const {
  const std::uintptr_t later = reinterpret_cast<std::uintptr_t>(frame.bytes.data()) + batch_bytes_;
  __builtin_prefetch(reinterpret_cast<const void*>(later), 0, 2);
  __builtin_prefetch(reinterpret_cast<const void*>(later + 64), 0, 2);
}

void Keeper::add(std::span<const wire::Frame> frames) {
  if (frames.empty()) return;
  batch_bytes_ = reinterpret_cast<std::uintptr_t>(frames.back().bytes.data()) -
                 reinterpret_cast<std::uintptr_t>(frames.front().bytes.data());
  while (!frames.empty()) {
    const std::uint16_t input = frames.front().input;
    if (input != input_ || courses_.empty()) begin_input(input);
    const auto other =
        std::ranges::find_if(frames.first(std::min(frames.size(), times_.size())),
                             [input](const wire::Frame& frame) { return frame.input != input; });
    const auto here = static_cast<std::size_t>(other - frames.begin());
    add_piece(frames.first(here));
    frames = frames.subspan(here);
  }
}

void Keeper::begin_input(std::uint16_t input) {
  settle_counts();
  if (input >= courses_.size()) courses_.resize(input + std::size_t{1});
  input_ = input;
}

void Keeper::settle_counts() {
  if (courses_.empty()) return;
  courses_[input_].counts.merge(counts_);
  counts_ = {};
}

std::span<const CaptureCourse> Keeper::courses() {
  settle_counts();
  return courses_;
}

void Keeper::add_piece(std::span<const wire::Frame> frames) {
  frames_ = frames;
  note_times();
  const std::span<Pick> picks(picks_.data(), pick());
  for (std::size_t i = 0; i < picks.size(); i += kStretch) {
    keep(picks.subspan(i, std::min(kStretch, picks.size() - i)));
  }
}

// Every keeper for itself: what one frame's time means, the one before may tell.
void Keeper::note_times() {
  CaptureCourse& course = courses_[input_];
  Time* const times = times_.data();
  Time newest = course.newest;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const wire::Frame& frame = frames_[i];
    if (course.any & has_sane_time(frame) & (frame.interface == course.interface) &
        (frame.time >= newest)) [[likely]] {
      times[i] = newest = frame.time;
    } else {
      if (i > 0) newest_ = times[i - 1];
      course.newest = newest;
      times[i] = odd_time(frame);
      newest = course.newest;
    }
  }
  newest_ = times[frames_.size() - 1];
  course.newest = newest;
  course.last = std::max(course.last, newest);
}

Time Keeper::odd_time(const wire::Frame& frame) {
  CaptureCourse& course = courses_[input_];
  // Without a time of its own a frame belongs to the moment of the one before.
  if (!has_sane_time(frame)) {
    ++course.frames_without_time;
    return newest_;
  }
  newest_ = frame.time;
  if (!course.any) {
    course.any = true;
    course.first = course.last = course.newest = frame.time;
    course.interface = frame.interface;
    return newest_;
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
  return newest_;
}

inline bool Keeper::is_own(std::uint64_t hash) const { return own_shards_[shard_of(hash)]; }
inline LightTable& Keeper::table_of(const Pick& pick) { return tables_[shard_of(pick.hash)]; }

// Which connection, no more; of those kept here. Returns how many there are.
std::size_t Keeper::pick() {
  std::size_t found = 0;
  const bool alone = keepers_ == 1;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const wire::Frame& frame = frames_[i];
    Pick& pick = picks_[found];
    if (!wire::CommonSegment::is_tcp4(frame)) [[unlikely]] {
      found += pick_unusual(i, pick);
      continue;
    }
    const wire::CommonEnds ends = wire::CommonSegment::ends_of(frame);
    pick = {ends.low, ends.high, 0, static_cast<std::uint32_t>(i), ends.from_lower, true};
    if (alone) {
      pick.hash = wire::hash_of(ends.key());
      table_of(pick).prefetch_slot(pick.hash);
      ++found;
    } else {
      // The rest of the hash is made of those that are kept.
      found += own_shards_[wire::shard_of(ends.key())];
    }
  }
  return found;
}

// Of a frame without a connection one keeper takes account. False: nothing is left to be kept.
bool Keeper::pick_unusual(std::size_t i, Pick& pick) {
  wire::EndsKey key;
  std::uint64_t hash = keepers_ == 1 ? 0 : wire::hash_of_usual_frame(frames_[i], key);
  if (hash != 0 && !is_own(hash)) return false;
  const LightPacket& packet = decode(i);
  const bool has_table = packet.kind == wire::PacketKind::tcp ||
                         (packet.kind == wire::PacketKind::icmp && packet.hash != 0);
  if (hash == 0 && has_table) hash = packet.hash;
  if (hash == 0 ? number_ != 0 : !is_own(hash)) return false;
  counts_.add(packet);
  pick = {0, 0, hash, static_cast<std::uint32_t>(i), false, false};
  return has_table;
}

const LightPacket& Keeper::decode(std::size_t i) {
  LightPacket& packet = packets_[i];
  wire::decode_light(frames_[i], verify_checksums_, packet, scratch_);
  packet.time = times_[i];
  packet.frame = FrameRef(frames_[i].input, frames_[i].number);
  return packet;
}

// Where a packet's connection is, and then the connection, is fetched for all of them before the
// first is worked on: so they wait for memory together.
void Keeper::keep(std::span<Pick> picks) {
  if (keepers_ != 1) {
    for (Pick& pick : picks) {
      if (pick.maybe_common)
        pick.hash = wire::hash_of(wire::CommonEnds{pick.low, pick.high, pick.from_lower}.key());
      table_of(pick).prefetch_slot(pick.hash);
    }
  }
  std::array<Guess, kStretch> guesses;
  for (std::size_t k = 0; k < picks.size(); ++k) {
    LightTable& table = table_of(picks[k]);
    guesses[k] = {table.guess(picks[k].hash), table.version()};
  }
  std::size_t odd = 0;
  for (std::size_t k = 0; k < picks.size(); ++k) {
    fetch_later(frames_[picks[k].place]);
    if (keep_steady(picks[k], guesses[k])) [[likely]]
      continue;
    keep_odd(picks[k]);
    ++odd;
  }
  counts_.add_common_count(picks.size() - odd);
}

// False: nothing was done.
[[gnu::always_inline]] inline bool Keeper::keep_steady(const Pick& pick, Guess guess) {
  const wire::Frame& frame = frames_[pick.place];
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
  if (segment.is_ip_header_bad() || (verify_checksums_ && !segment.is_cut_or_good())) [[unlikely]] {
    return false;
  }
  counts_.add_common(frame);
  add_steady(record, segment, way, times_[pick.place]);
  return true;
}

void Keeper::keep_odd(const Pick& pick) {
  if (pick.maybe_common) counts_.add(decode(pick.place));
  const LightPacket& packet = packets_[pick.place];
  if (packet.kind == wire::PacketKind::tcp) return table_of(pick).add(packet);
  if (packet.kind != wire::PacketKind::icmp) return;
  LightRecord* const quoted = table_of(pick).find(packet.key, packet.hash);
  if (quoted == nullptr) {
    ++unmatched_;
  } else if (quoted->icmp != 0xffff) {
    ++quoted->icmp;
  }
}

}  // namespace slowpath::flow
