// SPDX-License-Identifier: Apache-2.0
#include "flow/frame_labels.h"

#include <array>

namespace slowpath::flow {
namespace {

constexpr std::array<std::string_view, kLabelReasonCount> kNames = {
    "tap-copy",         "network-copy", "irtt-window", "late-original",   "nothing-outstanding",
    "sack-with-update", "sack-reply",   "keep-alive",  "one-byte-resend", "byte-after-probe",
    "capture-order",    "bad-checksum", "cut-length",  "empty-advance"};

// One compared flag that differs, with the reasons whose condition holds for it.
class Explanation {
 public:
  Explanation(std::uint32_t ours, const WiresharkView& view) : ours_(ours), view_(view) {
    const std::uint32_t differing = (ours ^ view.flags) & kComparedFlags;
    if (differing == 0) return;
    if ((ours & kTapCopy) != 0) {
      give(LabelReason::tap_copy, differing);
      return;
    }
    if ((ours & kNetworkCopy) != 0) {
      give(LabelReason::network_copy, differing);
      return;
    }
    if ((differing & (kResend | kOutOfOrder)) != 0)
      explain_resend(differing & (kResend | kOutOfOrder));
    if ((differing & kDuplicateAck) != 0) explain_duplicate_ack();
    if ((differing & kLostSegment) != 0) explain_lost_segment();
    unexplained_ = differing & ~explained_;
  }

  [[nodiscard]] std::uint32_t reasons() const { return reasons_; }
  [[nodiscard]] std::uint32_t unexplained() const { return unexplained_; }

 private:
  void give(LabelReason reason, std::uint32_t flags) {
    reasons_ |= 1u << static_cast<unsigned>(reason);
    explained_ |= flags;
  }
  [[nodiscard]] bool ours(std::uint32_t flag) const { return (ours_ & flag) != 0; }
  [[nodiscard]] bool theirs(std::uint32_t flag) const { return (view_.flags & flag) != 0; }

  void explain_resend(std::uint32_t flags) {
    if (ours(kResend)) {
      if (theirs(kOutOfOrder) && ours(kSentBefore | kSentLater))
        give(LabelReason::irtt_window, flags);
      if (theirs(kKeepAlive)) give(LabelReason::one_byte_resend, flags);
      if (view_.after_probe) give(LabelReason::byte_after_probe, flags);
      return;
    }
    if (ours(kOutOfOrder)) {
      if (theirs(kResend) && ours(kSentEarlier)) give(LabelReason::late_original, flags);
      return;
    }
    if (ours(kKeepAlive | kWindowProbe)) return give(LabelReason::keep_alive, flags);
    if (ours(kNotBelieved)) return give(LabelReason::bad_checksum, flags);
    if (view_.before_measure) return give(LabelReason::capture_order, flags);
    if (view_.measured_by_bad) return give(LabelReason::bad_checksum, flags);
    if (view_.measured_by_empty) give(LabelReason::empty_advance, flags);
  }

  void explain_duplicate_ack() {
    if (theirs(kDuplicateAck)) {
      if (ours(kNothingOutstanding)) give(LabelReason::nothing_outstanding, kDuplicateAck);
      return;
    }
    if (ours(kWithSack) && view_.window_changed) give(LabelReason::sack_with_update, kDuplicateAck);
    if (ours(kWithSack) && view_.keep_alive_answer) give(LabelReason::sack_reply, kDuplicateAck);
  }

  void explain_lost_segment() {
    if (theirs(kLostSegment)) {
      if (view_.measured_by_cut) give(LabelReason::cut_length, kLostSegment);
      if (view_.measured_by_bad) give(LabelReason::bad_checksum, kLostSegment);
    }
    if (view_.checksum_bad && ours(kNotBelieved)) give(LabelReason::bad_checksum, kLostSegment);
    if (view_.overtaken_in_file) give(LabelReason::capture_order, kLostSegment);
  }

  std::uint32_t ours_;
  const WiresharkView& view_;
  std::uint32_t reasons_ = 0, explained_ = 0, unexplained_ = 0;
};

}  // namespace

std::string_view name(LabelReason reason) { return kNames[static_cast<std::size_t>(reason)]; }

void FrameLabels::add(const Record& record, bool has_sack, bool cut) {
  Entry& entry = entries_[record.frame.packed];
  entry.view = rules_.judge(record, cut);
  if (has_sack) entry.ours |= kWithSack;
}

void FrameLabels::mark(FrameRef frame, std::uint32_t flags) {
  const auto at = entries_.find(frame.packed);
  if (at != entries_.end()) at->second.ours |= flags;
}

void FrameLabels::release(const Record& record) {
  const auto at = entries_.find(record.frame.packed);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (record.tap_copy) entry.ours |= kTapCopy;
  if (record.network_copy) entry.ours |= kNetworkCopy;
  const Explanation why(entry.ours, entry.view);
  observer_({record.frame, entry.ours, entry.view.flags, why.reasons(), why.unexplained()});
  entries_.erase(at);
}

}  // namespace slowpath::flow
