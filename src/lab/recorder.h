// SPDX-License-Identifier: Apache-2.0
// Writes what is seen at capture points to pcapng, and what stages did to events.jsonl. The
// captures give nothing away: no comments, no stage names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/plane.h"
#include "lab/run.h"
#include "lab/scenario.h"

namespace slowpath::lab {

/// Frames of one or more (direction, viewpoint) pairs go to one file.
class Recorder final : public FrameObserver {
 public:
  /// Makes DIRECTORY/POINT.pcapng for each point of the world's capture spec. Links and directions
  /// are numbered as in the plane: link i of the world is link i of the plane. Errors: usage (an
  /// unknown point, said with those that exist), environment.
  static Result<std::unique_ptr<Recorder>> open(const World& world, const std::string& directory);
  ~Recorder() override;
  [[nodiscard]] bool wants(std::uint32_t direction, Viewpoint viewpoint) const;
  /// True if some point of this link is on the wire.
  [[nodiscard]] bool wants_wire(std::uint32_t link) const;
  void saw(std::uint32_t direction, Viewpoint viewpoint, const Frame& frame, Time when) override;
  /// Flushes and closes. Errors: a write failed (disk full), with the file.
  Result<std::vector<CaptureFile>> close();

 private:
  struct State;
  explicit Recorder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// events.jsonl: a line for each touched frame,
/// {"t_ns","direction","stage","what","detail","frame","parent","len","gso_size",
/// "ip_id","source_port","destination_port","seq","payload"}; at most kMost lines, the rest is
/// counted in a last line.
class EventLog final : public EventObserver {
 public:
  static constexpr std::uint64_t kMost = 1'000'000;
  /// At most `most` events are listed.
  static Result<std::unique_ptr<EventLog>> open(const std::string& directory,
                                                std::uint64_t most = kMost);
  ~EventLog() override;
  /// Names for the numbers the plane uses; called before run().
  void name(std::uint32_t direction, std::string direction_name,
            std::vector<std::string> stage_names);
  void happened(std::uint32_t direction, std::uint32_t stage, Time when, const Frame& frame,
                std::string_view what, std::string_view detail) override;
  /// From when to when each stage did something, those left out of the file included.
  [[nodiscard]] std::vector<StageActivity> activity() const;
  Result<void> close();

 private:
  struct State;
  explicit EventLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::lab
