// SPDX-License-Identifier: Apache-2.0
// Labels for packets without data, which the ledger does not hold: SYN and FIN sent again, and
// empty packets that tell of bytes the capture has not seen. Only called where labels are asked
// for.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {

void DirectionAnalysis::label_send(const Record& record) {
  if (record.has(wire::kSyn)) {
    if (syn_sent_ && anchored_ && record.sequence + 1 == anchor_sequence_)
      label(record, kResend | kSentBefore);
    syn_sent_ = true;
    return;
  }
  if (!anchored_ || record.network_copy || record.has(wire::kRst)) return;
  const std::int64_t begin = offset_of(record.sequence), end = begin + record.payload_len;
  const bool fin = record.has(wire::kFin);
  if (fin && record.payload_len == 0 && fin_sent_ && fin_at_ && *fin_at_ == end)
    label(record, kResend | kSentBefore);
  if (record.payload_len == 0 && facts_.packets > 1 &&
      begin > std::max(next_ + (fin_sent_ ? 1 : 0), named_end_)) {
    label(record, kLostSegment);
  }
  fin_sent_ |= fin;
  if (record.payload_len == 0) named_end_ = std::max(named_end_, end);
}

}  // namespace slowpath::flow
