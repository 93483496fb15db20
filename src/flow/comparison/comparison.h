// SPDX-License-Identifier: Apache-2.0
// Several captures of the same traffic in, what lies between their points out. Each point keeps a
// bounded log of packets (no payload); at the end connections are joined across points, clocks
// related, ranges of bytes aligned, and what differs is told. Knows nothing of verdicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "facts/comparison.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::flow {

struct ComparisonOptions {
  bool verify_checksums = true;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // of the logs of all points
  /// Captured bytes of an input, if at hand: asked at the end, in the order of packets, for what a
  /// hash cannot settle. Null: frames that were cut anew are not compared.
  std::function<Bytes(std::uint16_t input, std::uint64_t byte_offset, std::size_t len)> bytes_at =
      {};
};

/// One thread.
class Comparison {
 public:
  explicit Comparison(ComparisonOptions options, std::size_t points);
  ~Comparison();
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  /// The number of the point with this name, which is new if there was none. At most as many as
  /// were announced.
  std::size_t point_of(const std::string& name);
  /// Packets of this input belong to that point.
  void add_input(std::size_t point, std::uint16_t input);
  /// One decoded packet, in the order of its file. Spans in it are not kept.
  void add(std::size_t point, const wire::Frame& frame, const wire::Packet& packet);

  /// Everything that was learnt. Call once.
  [[nodiscard]] ComparisonFacts finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::flow
