// SPDX-License-Identifier: Apache-2.0
// Sources that pass over most of their frames without describing them: what a second pass asks for
// that wants the packets of a few connections. Those that cannot hand out all, and the caller
// looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/hash_filter.h"
#include "capture/source.h"

namespace slowpath::capture {

class PassingOver {
 public:
  virtual ~PassingOver() = default;

  /// As next_batch(), of the next `most` frames at most, more than none. Frames that
  /// wire::CommonSegment::is_tcp4() are left out where `wanted` does not have their quick_hash();
  /// any, but for the last of `most`. How many were passed over or returned, info().frames tells:
  /// it does not move at the end alone.
  virtual std::size_t next_wanted(const HashFilter& wanted, std::uint64_t most,
                                  std::span<wire::Frame> frames) = 0;

  /// Where reading stands between two batches.
  struct Mark {
    std::uint64_t offset = 0;   // of the next record
    std::uint64_t frames = 0;   // before it
    std::uint32_t seconds = 0;  // of the newest of them, where the format needs it
    std::uint64_t number = 0;   // of the newest of them, where not all that is numbered is a frame
  };
  /// After the first frame. Nothing where what came since would have to be known as well.
  [[nodiscard]] virtual std::optional<Mark> mark() const = 0;
  /// Goes on at the mark of another source over the same bytes, as that one did. After the first
  /// frame, and not back.
  virtual void go_to(const Mark& mark) = 0;
};

}  // namespace slowpath::capture
