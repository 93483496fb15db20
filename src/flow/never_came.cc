// SPDX-License-Identifier: Apache-2.0
// What a sender counts as sent and the tap never saw: its packets without data carry the sequence
// number of the next byte (RFC 9293 section 3.4). Where that stays ahead of all that was captured
// or acknowledged, data of this sender is lost on its way to the tap, and so are its resends.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

// Where no window is known: none is wider (RFC 7323 section 2.3).
constexpr std::int64_t kWidestWindow = std::int64_t{1} << 30;

}  // namespace

void DirectionAnalysis::note_count_ahead(const Record& record) {
  if (!anchored_ || record.has(wire::kRst) || record.checksum == wire::ChecksumState::bad) return;
  const std::int64_t known = std::max(next_, una_);
  std::int64_t at = offset_of(record.sequence);
  if (fin_at_ && at == *fin_at_ + 1) --at;  // a FIN counts as one
  // Data in the SYN is sent again where the other end did not take it.
  if (at <= known || at <= syn_payload_len_) return;
  if (at > (knows_window() ? right_edge_ : known + kWidestWindow)) return;
  if (counted_ahead_ <= known) {
    facts_.never_came.frames.count = 0;
    ahead_since_ = record.time;
  }
  counted_ahead_ = std::max(counted_ahead_, at);
  note(facts_.never_came.frames, record.frame);
}

void DirectionAnalysis::settle_count_ahead(Time end) {
  const std::int64_t known = std::max(next_, una_);
  if (counted_ahead_ <= known) {
    facts_.never_came = {};
    return;
  }
  facts_.never_came.bytes = static_cast<std::uint64_t>(counted_ahead_ - known);
  facts_.never_came.seconds = std::max(0.0, to_seconds(end - ahead_since_));
}

}  // namespace slowpath::flow
