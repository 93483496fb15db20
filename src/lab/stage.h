// SPDX-License-Identifier: Apache-2.0
// A stage: one thing that happens to frames on their way, healthy or broken. Stages know neither
// sockets nor each other; the plane gives them frames, time and chance, so they are tested without
// any network.
//
// A file src/lab/<nic|middlebox|path>/foo_bar.cc defines `extern const StageKind foo_bar; const
// StageKind foo_bar{...};` in namespace slowpath::lab::stages; the table of kinds is generated from
// the file names.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "lab/frame.h"
#include "lab/random.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// Where on the way from one guest to the other a stage belongs, in this order. A scenario whose
/// stages are out of order within a direction is refused: a checksum cannot be skipped after it was
/// computed.
enum class Level : std::uint8_t {
  nic_tx,        // the sending guest's NIC, before it cuts: sees super-frames and partial checksums
  segmentation,  // cuts super-frames and completes checksums; at most one, put in where a later
                 // stage needs it
  middlebox,     // near the sender of this direction
  path,
  nic_rx,  // the receiving guest's NIC: merges, trusts, drops
};
std::string_view to_string(Level level);

/// What a stage may do with the world. Given by the plane (or a test) at each call; not kept.
class StageContext {
 public:
  virtual ~StageContext() = default;
  [[nodiscard]] virtual Time now() const = 0;
  /// This stage's own generator.
  virtual Random& random() = 0;
  virtual FramePool& pool() = 0;

  /// To the next stage, now.
  virtual void pass(FramePtr frame) = 0;
  /// To the next stage at `due` (at once if it has passed); frames due at the same time keep their
  /// order.
  virtual void pass_at(Time due, FramePtr frame) = 0;
  /// To the host this direction comes from, as if the far side had sent it: after the reverse
  /// direction's path, before that host's NIC. For ICMP errors, resets and SYN-ACKs that a box
  /// makes itself.
  virtual void answer(FramePtr frame) = 0;
  /// Ends the frame here. Counted for the stage, and an event.
  virtual void drop(FramePtr frame, std::string_view why) = 0;
  /// Notes that the stage changed, delayed beyond the ordinary, repeated or made this frame: a line
  /// in events.jsonl and a hit in the stage's count. `detail` is short text such as "byte 812: 41
  /// -> 40"; empty if `what` says it all.
  virtual void touched(const Frame& frame, std::string_view what, std::string_view detail = {}) = 0;
  /// Asks for Stage::wake at `due`.
  virtual void wake_at(Time due) = 0;
};

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  /// Takes one frame: passes it on, holds it, drops it or answers it. Every frame must reach one of
  /// the four.
  virtual void take(FramePtr frame, StageContext& context) = 0;
  virtual void wake(StageContext& context) { (void)context; }
  /// All frames at hand have been taken (the plane's input ran dry): a merging stage lets go of
  /// what it holds.
  virtual void flush(StageContext& context) { (void)context; }
};

/// A stage, and for boxes that must see both ways (NAT, state tables, sequence rewriting) its other
/// half, which the plane puts at the same level of the reverse direction. The halves share state
/// among themselves.
struct StagePair {
  std::unique_ptr<Stage> forward;
  std::unique_ptr<Stage> backward;  // null for most
};

struct StageKind {
  std::string_view name;  // "tso-drop"; the file is tso_drop.cc
  Level level = Level::path;
  /// Must see packets as they are on a wire: no super-frames, checksums complete. Makes the plane
  /// put in a correct segmentation before it where the scenario has none.
  bool needs_segments = true;
  std::string_view
      summary;  // one line, what it does and with which keys; shown by `lab list --stages`
  Result<StagePair> (*make)(Settings& settings) = nullptr;
};

/// All kinds by name; generated. Static lifetime.
std::span<const StageKind* const> all_stage_kinds();
const StageKind* find_stage_kind(std::string_view name);

}  // namespace slowpath::lab
