// SPDX-License-Identifier: Apache-2.0
// The quick way through records without anything odd. At the first that is odd it stops: what to
// make of that, pcap.cc decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/hash_filter.h"
#include "capture/pcap_format.h"
#include "capture/record_fetch.h"

namespace slowpath::capture {

class PcapWalk {
 public:
  /// Where the walk stands. read() moves all but `input`.
  struct Place {
    Bytes shown;                // from the next record's header on
    std::uint64_t offset = 0;   // of that header in the file
    std::uint64_t number = 0;   // of the newest frame
    std::uint32_t seconds = 0;  // of the newest record that is sound
    std::uint16_t input = 0;
  };

  /// Fills `frames` from records in `place.shown` that are sound and whole there; says how many.
  /// `format` is that of little-endian headers of 16 bytes, captured length first.
  std::size_t read(Place& place, const PcapFormat& format, std::span<wire::Frame> frames);
  /// Likewise, of no more than `most` records, and of TCP only what `wanted` may have
  /// (PassingOver::next_wanted). `place.number` tells how many there were.
  std::size_t read_wanted(Place& place, const PcapFormat& format, const HashFilter& wanted,
                          std::uint64_t most, std::span<wire::Frame> frames);

 private:
  template <typename IsWanted>
  std::size_t walk(Place& place, const PcapFormat& format, std::uint64_t last,
                   std::span<wire::Frame> frames, const IsWanted& is_wanted);

  RecordFetch fetch_;
};

}  // namespace slowpath::capture
