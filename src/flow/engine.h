// SPDX-License-Identifier: Apache-2.0
// Frames in, facts out: rebuilds connections from packets and accounts for their time. Knows
// nothing of verdicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "facts/case.h"
#include "flow/frame_labels.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::flow {

class CaptureWitness;

struct EngineOptions {
  bool verify_checksums = true;
  std::uint64_t memory_bytes =
      std::uint64_t{1} << 30;  // of connection state; oldest idle connections are finished first
  /// Packets of a connection that are read together: long enough to judge the capture point by slow
  /// start, short enough to stay in the cache.
  std::size_t chapter_packets = 4096;
  /// Bytes of an earlier frame, if still at hand (capture::Source::bytes_at of that input); null =
  /// no comparison of payloads.
  std::function<Bytes(std::uint16_t input, std::uint64_t byte_offset, std::size_t len)> bytes_at =
      {};
  /// Told every TCP frame once nothing more can be learnt about it, in order within a connection;
  /// null = costs nothing.
  FrameObserver on_frame = {};
};

/// Reads frames in file order, input after input. Called by one thread at a time.
class Engine {
 public:
  explicit Engine(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One decoded packet. Spans in it are not kept beyond the call.
  void add(const wire::Frame& frame, const wire::Packet& packet);
  /// Decodes and adds frames whose bytes are valid together: the same as one after the other, but
  /// what each needs is fetched while others are worked on.
  void add(std::span<const wire::Frame> frames);

  /// Connections that were seen so far, with those that were only counted.
  [[nodiscard]] std::size_t connections() const;

  /// What a first pass counted of the captures, where only a part of their frames was added: stands
  /// for what was counted here. Before finish().
  void count_with(CaptureWitness witness);

  /// finish() may use so many threads; 1 unless told otherwise. `bytes_at` is then called by all of
  /// them. Not with `on_frame`.
  void set_threads(std::size_t threads);

  /// Ends all connections and gives everything that was learnt. CaptureFacts hold what packets show
  /// (counts by kind, times, vantage, notes); names, formats and damage are filled in by the
  /// caller. Call once.
  [[nodiscard]] Case finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::flow
