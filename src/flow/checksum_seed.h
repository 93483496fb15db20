// SPDX-License-Identifier: Apache-2.0
// Wrong checksums that were computed, only with the wrong length in the pseudo-header (RFC 9293
// section 3.1): a NIC that cuts a large send and sums the large send's length into every segment,
// or adds no length to a sum that the stack left without one. The error alone names the length;
// says nothing of who is to blame.
#pragma once

#include "base/sequence.h"
#include "facts/direction.h"
#include "flow/record.h"

namespace slowpath::flow {

class ChecksumSeeds {
 public:
  /// A frame of one segment whose checksum is bad.
  void add(const Record& record, ChecksumFacts& sums);

 private:
  // Frames in sequence whose errors name the same super-frame.
  SeqNum next_{};
  std::uint32_t named_payload_ = 0, bytes_ = 0, frames_ = 0;
  FrameRef first_;
};

}  // namespace slowpath::flow
