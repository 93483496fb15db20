// SPDX-License-Identifier: Apache-2.0
// What the capture point records: frames with their times, sorted as a capture file has them, less
// what this capture was told to miss. Owns the frames' bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "support/packet_builder.h"
#include "support/scenario/connection.h"
#include "support/scenario/limits.h"
#include "support/scenario/predicate.h"
#include "wire/frame.h"

namespace slowpath::test::scenario {

struct CaptureSettings {
  double place = 0;  // of the tap: 0 at the client, 1 at the server
  std::uint32_t snap_len = 262144;
  Duration from{0}, to = Duration::max();
  std::vector<Predicate> misses;  // frames that the capturing program dropped
};

class Tape {
 public:
  explicit Tape(const Limits& limits) : limits_(limits) {}

  CaptureSettings settings;

  /// Records what passed the tap at `at`. False once the limits are reached.
  bool record(Duration at, const Connection& connection, Segment segment);
  bool record(Duration at, const BuiltFrame& frame);
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::size_t size() const { return records_.size(); }

  /// The frames in the order of their times. They point into the tape.
  [[nodiscard]] std::vector<wire::Frame> frames() const;
  [[nodiscard]] Bytes bytes_at(std::uint64_t offset, std::size_t len) const;
  /// The same as a classic pcap file with nanoseconds.
  [[nodiscard]] std::string pcap() const;

 private:
  struct Record {
    Duration at;
    std::uint64_t offset;
    std::uint32_t captured_len, original_len;
  };

  Limits limits_;
  std::vector<Record> records_;
  Buffer bytes_;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t seen_ = 0;
  bool full_ = false;
};

}  // namespace slowpath::test::scenario
