// SPDX-License-Identifier: Apache-2.0
// What packets say about each input as a whole: counts by kind, times, clock steps, how files were
// edited; and what looks like a fault but is normal there.
#pragma once

#include <vector>

#include "facts/case.h"
#include "flow/interface_times.h"
#include "wire/packet.h"

namespace slowpath::flow {

struct CaptureCourse;

class CaptureWitness {
 public:
  void add(const wire::Frame& frame, const wire::Packet& packet);
  /// What a first pass counted of an input, instead of its packets one by one.
  void set(std::uint16_t input, const CaptureCourse& course);
  /// One entry per input seen, with notes drawn from the connections. Spent afterwards.
  std::vector<CaptureFacts> finish(const Case& facts);

 private:
  struct Input {
    CaptureFacts facts;
    InterfaceTimes newest;
    std::uint64_t ip_headers_bad = 0, ip_headers = 0;
    std::uint64_t beyond_frame = 0, zero_len = 0;
    std::uint32_t longest_captured = 0;
    bool any = false;
    Exemplars zero_len_frames, back_frames;
  };
  static void count_kind(CaptureFacts& facts, const wire::Packet& packet);
  static void note_time(Input& input, const wire::Frame& frame);

  std::vector<Input> inputs_;
};

}  // namespace slowpath::flow
