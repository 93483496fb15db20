// SPDX-License-Identifier: Apache-2.0
// The first pass over a large capture: a light record for every connection, exact totals of the
// capture, and in the end the choice of what the full analysis looks at in a second pass.
//
// Frames are taken in batches. The caller's thread says to which shard each belongs; of the others
// each keeps the connections of its own shards, batch after batch, so that a connection's packets
// are seen in the file's order by one thread, and the answer does not depend on how many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "facts/screening.h"
#include "flow/screen/light_table.h"
#include "wire/frame.h"

namespace slowpath::flow {

class CaptureWitness;

struct ScreenOptions {
  bool verify_checksums = true;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // of light records
  std::size_t threads = 1;                              // the caller's is one of them
};

/// Frames of one capture point in file order. With threads, their bytes must stay valid until one
/// of the functions that tell something was called.
class Screener {
 public:
  /// Logical shards, whatever the number of threads.
  static constexpr std::size_t kShards = 64;
  /// Frames that add() is best given at a time: with threads, as many as pay for handing them over.
  static constexpr std::size_t kRound = 1024, kRoundAlone = 256;

  explicit Screener(ScreenOptions options);
  ~Screener();
  Screener(const Screener&) = delete;
  Screener& operator=(const Screener&) = delete;

  /// Frames in file order, input after input.
  void add(std::span<const wire::Frame> frames);

  /// The connections, shard after shard; within one in the order of their first packets.
  [[nodiscard]] std::span<const LightTable> shards() const;
  [[nodiscard]] std::span<LightTable> shards();
  /// Waits until all that was added is kept, as the functions here do.
  void settle() const;
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
