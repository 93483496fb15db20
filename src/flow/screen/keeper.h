// SPDX-License-Identifier: Apache-2.0
// One thread's part of a first pass. It is given every frame, in the order of the file, and keeps
// the connections of its own shards. Looking at a frame to see whose it is costs less than handing
// it from one processor to another: so keepers share nothing while they work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "flow/screen/capture_counts.h"
#include "flow/screen/light_table.h"
#include "wire/frame.h"
#include "wire/light_packet.h"

namespace slowpath::flow {

/// Logical shards, whatever the number of keepers.
inline constexpr std::size_t kScreenShards = 64;

/// One thread at a time.
class Keeper {
 public:
  /// Of `keepers` the one with this number. `tables`: those of all shards, of which it touches its
  /// own.
  Keeper(std::span<LightTable> tables, std::size_t number, std::size_t keepers,
         bool verify_checksums);
  ~Keeper();
  Keeper(Keeper&&) noexcept;

  /// All frames in file order, input after input.
  void add(std::span<const wire::Frame> frames);

  /// What was seen of each input. The order of all frames; counts only of those kept here.
  [[nodiscard]] std::span<const CaptureCourse> courses();
  /// ICMP errors about connections that are not in the capture.
  [[nodiscard]] std::uint64_t unmatched_icmp() const { return unmatched_; }

 private:
  struct Pick;
  struct Guess;
  void add_piece(std::span<const wire::Frame> frames);
  void begin_input(std::uint16_t input);
  void fetch_later(const wire::Frame& frame) const;
  void note_times();
  Time odd_time(const wire::Frame& frame);
  std::size_t pick();
  bool pick_unusual(std::size_t i, Pick& pick);
  const wire::LightPacket& decode(std::size_t i);
  void keep(std::span<Pick> picks);
  bool keep_steady(const Pick& pick, Guess guess);
  void keep_odd(const Pick& pick);
  LightTable& table_of(const Pick& pick);
  [[nodiscard]] bool is_own(std::uint64_t hash) const;
  void settle_counts();

  std::span<LightTable> tables_;
  std::size_t number_, keepers_;
  bool verify_checksums_;
  std::array<bool, kScreenShards> own_shards_{};
  // Of the frames that are worked on.
  std::span<const wire::Frame> frames_;
  std::uintptr_t batch_bytes_ = 0;  // from a frame to the same of the next batch, about
  std::vector<Time> times_;
  std::vector<Pick> picks_;
  std::vector<wire::LightPacket> packets_;  // only of those that are not common
  wire::Packet scratch_;
  CaptureCounts counts_;                // of the current input, since settle_counts()
  std::vector<CaptureCourse> courses_;  // by input
  std::uint16_t input_ = 0;
  Time newest_{};
  std::uint64_t unmatched_ = 0;
};

}  // namespace slowpath::flow
