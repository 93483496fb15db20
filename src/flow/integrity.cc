// SPDX-License-Identifier: Apache-2.0
// Were the bytes right? What checksums say. Copies of a range are held against each other in
// compare_payload.cc.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {

void DirectionAnalysis::note_checksum(const Record& record, bool superframe) {
  ChecksumFacts& sums = facts_.checksums;
  sums.bad_ip_headers += record.ip_header_bad;
  using wire::ChecksumState;
  switch (record.checksum) {
    case ChecksumState::not_checked:
    case ChecksumState::unverifiable:
      ++sums.unverifiable;
      return;
    case ChecksumState::good:
      ++sums.good;
      return;
    case ChecksumState::partial:
      ++sums.partial;
      return;
    case ChecksumState::partial_no_length:
      ++sums.partial_no_length;
      return;
    case ChecksumState::zero:
      ++sums.zero;
      return;
    case ChecksumState::bad:
      break;
  }
  if (superframe) {
    ++sums.bad_superframes;
    return;
  }
  if (sums.bad == 0) sums.bad_len_min = record.payload_len;
  ++sums.bad;
  note(sums.bad_frames, record.frame);
  seeds_.add(record, sums);
  sums.bad_len_min = std::min(sums.bad_len_min, record.payload_len);
  sums.bad_len_max = std::max(sums.bad_len_max, record.payload_len);
  const auto known_end = error_values_.begin() + static_cast<std::ptrdiff_t>(sums.error_distinct);
  if (std::find(error_values_.begin(), known_end, record.checksum_error) != known_end) return;
  if (sums.error_distinct == 0) sums.error_value = record.checksum_error;
  if (sums.error_distinct < error_values_.size())
    error_values_[sums.error_distinct++] = record.checksum_error;
}

}  // namespace slowpath::flow
