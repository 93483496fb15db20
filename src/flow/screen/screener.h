// SPDX-License-Identifier: Apache-2.0
// The first pass over a large capture: a light record for every connection, exact totals of the
// capture, and in the end the choice of what the full analysis looks at in a second pass.
//
// Frames are taken in batches, by one thread, or by several of which each is given all of them and
// keeps the connections of its own shards: so a connection's packets are seen in the file's order
// by one thread, and the answer does not depend on how many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "facts/screening.h"
#include "flow/screen/keeper.h"
#include "flow/screen/light_table.h"
#include "wire/frame.h"

namespace slowpath::flow {

class CaptureWitness;

struct ScreenOptions {
  bool verify_checksums = true;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // of light records
  std::size_t keepers = 1;  // threads that may work on it at a time; at most kShards
};

/// Frames of one capture point in file order.
class Screener {
 public:
  /// Logical shards, whatever the number of threads.
  static constexpr std::size_t kShards = kScreenShards;

  explicit Screener(ScreenOptions options);
  ~Screener();
  Screener(const Screener&) = delete;
  Screener& operator=(const Screener&) = delete;

  /// Frames in file order, input after input, all by one thread.
  void add(std::span<const wire::Frame> frames);
  /// The same for several threads, each with a keeper of its own, from 0 to keepers() - 1: each
  /// gives it all frames. What follows may be asked once all keepers had the same frames.
  void add(std::span<const wire::Frame> frames, std::size_t keeper);
  [[nodiscard]] std::size_t keepers() const;

  /// The connections, shard after shard; within one in the order of their first packets.
  [[nodiscard]] std::span<const LightTable> shards() const;
  [[nodiscard]] std::span<LightTable> shards();
  /// Counts of each input, as the full analysis would have made them.
  [[nodiscard]] CaptureWitness witness() const;
  /// ICMP errors about connections that are not in the capture.
  [[nodiscard]] std::uint64_t unmatched_icmp() const;
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::flow
