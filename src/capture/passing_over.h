// SPDX-License-Identifier: Apache-2.0
// Sources that pass over most of their frames without describing them: what a second pass asks for
// that wants the packets of a few connections. Those that cannot hand out all, and the caller
// looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/hash_filter.h"
#include "capture/source.h"

namespace slowpath::capture {

class PassingOver {
 public:
  virtual ~PassingOver() = default;

  /// As next_batch(), of the next `most` frames at most, more than none. Frames that
  /// wire::CommonSegment::is_tcp4() are left out where `wanted` does not have their four-tuple;
  /// any, but for the last of `most`. How many were passed over or returned, info().frames tells:
  /// it does not move at the end alone.
  virtual std::size_t next_wanted(const HashFilter& wanted, std::uint64_t most,
                                  std::span<wire::Frame> frames) = 0;
};

}  // namespace slowpath::capture
