// SPDX-License-Identifier: Apache-2.0
// The quick way through enhanced packet blocks without options or anything odd, as most programs
// write them. At the first other block it stops: what to make of that, pcapng.cc decides.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/hash_filter.h"
#include "capture/pcapng_blocks.h"
#include "capture/record_fetch.h"
#include "wire/frame.h"

namespace slowpath::capture {

class PcapngWalk {
 public:
  /// Where the walk stands. read() moves the first three.
  struct Place {
    Bytes shown;               // from the next block on, in little-endian order
    std::uint64_t offset = 0;  // of that block in the file
    std::uint64_t number = 0;  // of the newest frame
    std::uint16_t input = 0;
    std::span<const PcapngInterface> interfaces;  // of the section
    std::uint32_t first_interface = 0;            // what Frame::interface begins with there
  };

  /// Fills `frames` from blocks in `place.shown` that are sound and whole there; says how many.
  std::size_t read(Place& place, std::span<wire::Frame> frames);
  /// Likewise, of no more than `most` blocks, and of TCP only what `wanted` may have
  /// (PassingOver::next_wanted). `place.number` tells how many there were.
  std::size_t read_wanted(Place& place, const HashFilter& wanted, std::uint64_t most,
                          std::span<wire::Frame> frames);

 private:
  template <typename IsWanted>
  std::size_t walk(Place& place, std::uint64_t last, std::span<wire::Frame> frames,
                   const IsWanted& is_wanted);

  RecordFetch fetch_;
};

}  // namespace slowpath::capture
