// SPDX-License-Identifier: Apache-2.0
// The inside of the plane: directions as lists of steps, and how a frame goes along them. What
// waits for descriptors and time is plane.cc, what puts directions together is plane_build.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/due_heap.h"
#include "lab/endpoint.h"
#include "lab/frame.h"
#include "lab/lateness_histogram.h"
#include "lab/plane.h"
#include "lab/random.h"
#include "lab/stage.h"

namespace slowpath::lab {

class PlaneCore;

/// A stage at its place, and the world as that stage sees it.
class Slot final : public StageContext {
 public:
  Slot(PlaneCore& core, const StageKind& kind, std::unique_ptr<Stage> stage, Random random)
      : core_(core), kind_(kind), stage_(std::move(stage)), random_(random) {
    counts_.name = kind.name;
  }

  [[nodiscard]] const StageKind& kind() const { return kind_; }
  [[nodiscard]] const StageCounts& counts() const { return counts_; }
  /// Its number among the direction's stages and its step; said when the direction is complete.
  void place(std::uint32_t direction, std::uint32_t number) {
    direction_ = direction;
    number_ = number;
  }
  void set_step(std::uint32_t step) { step_ = step; }

  void take(FramePtr frame) {
    ++counts_.taken;
    stage_->take(std::move(frame), *this);
  }
  void wake() { stage_->wake(*this); }
  void flush() { stage_->flush(*this); }

  [[nodiscard]] Time now() const override;
  Random& random() override { return random_; }
  FramePool& pool() override;
  void pass(FramePtr frame) override;
  void pass_at(Time due, FramePtr frame) override;
  void answer(FramePtr frame) override;
  void drop(FramePtr frame, std::string_view why) override;
  void touched(const Frame& frame, std::string_view what, std::string_view detail) override;
  void wake_at(Time due) override;

 private:
  PlaneCore& core_;
  const StageKind& kind_;
  std::unique_ptr<Stage> stage_;
  Random random_;
  StageCounts counts_;
  std::uint32_t direction_ = 0, number_ = 0, step_ = 0;
};

/// What happens to a frame next: a stage takes it, the observer sees it, or it is sent.
struct Step {
  enum class Kind : std::uint8_t { stage, observe, send };
  Kind kind = Kind::send;
  Viewpoint viewpoint{};
  Slot* slot = nullptr;
};

/// From one endpoint to the other.
struct Direction {
  std::string name;
  Endpoint* to = nullptr;
  std::vector<std::unique_ptr<Slot>> slots;  // in level order
  std::vector<Step> steps;                   // made by lay_out()
  std::uint32_t answer_step = 0;             // where answers to the reverse direction enter
};

class PlaneCore {
 public:
  explicit PlaneCore(std::uint64_t seed) : seed_(seed) {}

  /// A link's two directions with their stages; nothing was added if it fails.
  Result<std::uint32_t> add_link(Plane::LinkSpec link);
  /// Makes the steps of all directions, with those viewpoints that are wanted.
  void lay_out();

  /// Lets a frame go on from `step` of its direction.
  void go_on(std::uint32_t direction, std::uint32_t step, FramePtr frame);
  /// A frame read from the endpoint that `direction` comes from.
  void enter(std::uint32_t direction, FramePtr frame);
  /// Handles what is due, at most so many entries. True if there was any.
  bool handle_due(std::uint32_t most);
  /// Tells every stage that the input ran dry.
  void flush();
  void refresh_now();

  /// UTC that never goes back.
  [[nodiscard]] Time read_clock() const;

  // The parts in the order in which they may go: the pool last.
  FramePool pool;
  DueHeap heap;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::vector<std::unique_ptr<Direction>> directions;
  LatenessHistogram lateness;
  Time now{};  // when the event being handled happened
  FrameObserver* frame_observer = nullptr;
  EventObserver* event_observer = nullptr;
  std::function<bool(std::uint32_t, Viewpoint)> wanted;

 private:
  struct Stages;
  Result<Stages> make_stages(std::vector<StageSpec>& specs);
  std::unique_ptr<Direction> make_direction(std::uint32_t number, std::string name, Endpoint* to,
                                            Stages& own, Stages& other, bool segments_on_wire);
  void add_slot(Direction& direction, std::uint32_t number, const StageKind& kind,
                std::unique_ptr<Stage> stage);

  std::uint64_t seed_;
  Duration utc_offset_ = find_utc_offset();
  static Duration find_utc_offset();
};

}  // namespace slowpath::lab
