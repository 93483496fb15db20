// SPDX-License-Identifier: Apache-2.0
// What the analysis thought of each frame, beside what Wireshark's fixed rules make of the same
// frame, and why the two differ. Kept only where somebody asked for it (EngineOptions::on_frame);
// nothing here changes a finding.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts/direction.h"
#include "facts/frame_ref.h"
#include "flow/record.h"
#include "flow/wireshark_rules.h"

namespace slowpath::flow {

/// Why Wireshark's fixed rules mark a frame otherwise than the analysis does. docs/wireshark.md has
/// a paragraph for each; a reason is given only where its condition was seen to hold, and there is
/// none for "something else".
enum class LabelReason : std::uint8_t {
  tap_copy,       // the same packet, recorded a second time
  network_copy,   // the same packet, delivered a second time: one sending, not two
  irtt_window,    // called out of order for coming soon; these bytes had passed before, or it was
                  // sent later
  late_original,  // called a retransmission for coming late; it was sent before the packet that
                  // overtook it
  nothing_outstanding,  // no data awaits an ACK, so the ACK repeats nothing (RFC 5681 section 2)
  sack_with_update,     // a new SACK block makes it a duplicate ACK, although the window changed as
                        // well
  sack_reply,  // a duplicate ACK with SACK, which the rules took for the answer to a keep-alive
  keep_alive,  // a keep-alive or a probe of a closed window, not data sent again
  one_byte_resend,   // one byte that was outstanding, called a keep-alive for being the last
  byte_after_probe,  // sent again behind a probe or keep-alive, which the rules let pass as new
                     // data
  capture_order,     // the file holds it, or the frame before it, out of the order of time
  bad_checksum,      // its header, or that of the frame it is measured by, fails its checksum
  cut_length,     // the frame before was stored shorter than it was, and the file does not say so
  empty_advance,  // a packet without data ran ahead of this data
  count,
};
inline constexpr std::size_t kLabelReasonCount = static_cast<std::size_t>(LabelReason::count);
/// As in docs/wireshark.md: "tap-copy".
std::string_view name(LabelReason reason);

/// One TCP frame. `ours` and `wireshark` hold FrameFlag bits; `reasons` has bit 1 << LabelReason
/// set for each that holds.
struct FrameLabel {
  FrameRef frame;
  std::uint32_t ours = 0;
  std::uint32_t wireshark = 0;
  std::uint32_t reasons = 0;
  std::uint32_t unexplained = 0;  // compared flags (kComparedFlags) that differ and have no reason
};
using FrameObserver = std::function<void(const FrameLabel&)>;

/// The labels of one connection between its frames' arrival and the time when nothing can be added
/// to them.
class FrameLabels {
 public:
  explicit FrameLabels(const FrameObserver& observer) : observer_(observer) {}

  /// A frame, in file order, before anything is known about it. `cut`: stored shorter than it was,
  /// and unmarked as such.
  void add(const Record& record, bool has_sack, bool cut);
  /// The analysis adds flags or evidence (FrameFlag) to a frame.
  void mark(FrameRef frame, std::uint32_t flags);
  /// Client and server change places.
  void swap_ends() { rules_.swap_ends(); }
  /// The analysis is done with these records: their labels go to the observer.
  void release(const Record& record);

 private:
  struct Entry {
    std::uint32_t ours = 0;
    WiresharkView view;
  };

  const FrameObserver& observer_;
  WiresharkRules rules_;
  std::unordered_map<std::uint64_t, Entry> entries_;  // by FrameRef::packed
};

}  // namespace slowpath::flow
