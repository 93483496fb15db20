// SPDX-License-Identifier: Apache-2.0
// The named places of one question compared with one another: hands their packets to the
// comparison, finds bytes again that it asks for, and links what it found to the connections of the
// case.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "capture/source.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "facts/case.h"
#include "flow/comparison/comparison.h"
#include "wire/frame.h"
#include "wire/packet.h"

namespace slowpath::cli {

/// Captured bytes of files that have been read already. Opens them again; of a compressed one only
/// what lies ahead, or just behind, is at hand, so it is asked in order.
class FrameBytes {
 public:
  void name_input(std::uint16_t input, std::string file) { files_[input].name = std::move(file); }
  /// Empty where they are not at hand: standard input, or too far back. Valid until the next call
  /// for the same input.
  Bytes bytes_at(std::uint16_t input, std::uint64_t offset, std::size_t len);

 private:
  struct File {
    std::string name;
    std::unique_ptr<capture::Source> source;
    std::uint64_t reached = 0;  // offset up to which a stream was read
    int openings = 0;
  };
  static bool open(File& file);
  static Bytes read_on(File& file, std::uint64_t offset, std::size_t len);

  std::map<std::uint16_t, File> files_;
};

class ComparedPlaces {
 public:
  /// Places stand in the order in which they were given.
  ComparedPlaces(const PipelineOptions& options, std::span<const Input> inputs);

  /// The number that frames of this input carry. Inputs without a place take no part.
  void name_input(std::uint16_t number, const InputName& name);
  /// The frames that follow are of this input.
  void begin_input(std::uint16_t number);
  void add(const wire::Frame& frame) {
    if (!is_compared_) return;
    wire::decode(frame, packet_);
    comparison_.add(point_, frame, packet_);
  }
  /// Compares, and puts what was found into `facts`, whose connections are complete. Call once.
  void finish(Case& facts);

 private:
  FrameBytes bytes_;
  flow::Comparison comparison_;
  std::map<std::uint16_t, std::size_t> point_of_input_;
  std::size_t point_ = 0;
  bool is_compared_ = false;
  wire::Packet packet_;
};

/// How many places the inputs name.
std::size_t count_places(std::span<const InputName> inputs);

}  // namespace slowpath::cli
