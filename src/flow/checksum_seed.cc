// SPDX-License-Identifier: Apache-2.0
#include "flow/checksum_seed.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

// Headers of IPv4 and IPv6 without options: what is left of the IP length is TCP's.
constexpr std::uint32_t kIp4Header = 20, kIp6Header = 40;

bool lacks_length(const Record& record) {
  // Without its length the sum is less by it, and the stored complement more.
  const std::uint32_t error = record.checksum_error;
  return error + kIp4Header == record.ip_len || error + kIp6Header == record.ip_len;
}

}  // namespace

void ChecksumSeeds::add(const Record& record, ChecksumFacts& sums) {
  if (record.payload_len == 0) return;
  sums.no_length_frames += lacks_length(record);
  // Stored less correct is, in one's complement, minus what the length is too great by.
  const std::uint32_t too_great = 0xffffu ^ record.checksum_error;
  const std::uint32_t named = record.payload_len + too_great;
  if (frames_ == 0 || named != named_payload_ || record.sequence != next_) {
    named_payload_ = named;
    bytes_ = frames_ = 0;
    first_ = record.frame;
  }
  ++frames_;
  bytes_ += record.payload_len;
  next_ = record.sequence + record.payload_len;
  if (bytes_ < named_payload_) return;
  if (bytes_ == named_payload_ && frames_ > 1) {
    ++sums.seeded_superframes;
    sums.seeded_frames += frames_;
    sums.seeded_max_payload = std::max(sums.seeded_max_payload, named_payload_);
    note(sums.seeded, first_);
  }
  frames_ = 0;
}

}  // namespace slowpath::flow
