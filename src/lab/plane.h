// SPDX-License-Identifier: Apache-2.0
// The data plane: one thread that plays virtual NICs, links and middleboxes between endpoints. It
// polls, drains what has come, keeps a heap of due frames, and spins for the last microseconds. It
// owns stages and frames; what it saw goes to an observer, what stages did to an event log.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lab/endpoint.h"
#include "lab/frame.h"
#include "lab/packet_view.h"
#include "lab/stage.h"

namespace slowpath::lab {

/// Where on a direction's way a frame is seen.
enum class Viewpoint : std::uint8_t {
  guest_out,  // what the sending guest's tcpdump sees: before its NIC
  wire_near,  // after segmentation, before middlebox and path
  wire_far,   // after the path, before the receiving NIC
  guest_in,   // what the receiving guest's tcpdump sees: after its NIC
};

/// Told every frame at every viewpoint of every direction that asked for it. Called on the plane's
/// thread.
class FrameObserver {
 public:
  virtual ~FrameObserver() = default;
  virtual void saw(std::uint32_t direction, Viewpoint viewpoint, const Frame& frame, Time when) = 0;
};

/// Told what stages did. Called on the plane's thread.
class EventObserver {
 public:
  virtual ~EventObserver() = default;
  virtual void happened(std::uint32_t direction, std::uint32_t stage, Time when, const Frame& frame,
                        std::string_view what, std::string_view detail) = 0;
};

/// One stage to be made: its kind and its table.
struct StageSpec {
  const StageKind* kind = nullptr;
  Settings settings;
};

/// Refuses orders without sense: levels must not go back, one segmentation at most. The message
/// names both stages and says which order makes sense.
Result<void> check_order(const std::vector<StageSpec>& stages);

struct StageCounts {
  std::string name;
  std::uint64_t taken = 0, touched = 0, dropped = 0;
};

/// How late due frames were let go: achieved against asked.
struct Lateness {
  std::uint64_t frames = 0;
  Duration median{0}, p99{0}, worst{0};
};

struct DirectionReport {
  std::string name;  // "server>client"
  std::vector<StageCounts> stages;
};

class Plane {
 public:
  explicit Plane(std::uint64_t seed);
  ~Plane();
  Plane(const Plane&) = delete;
  Plane& operator=(const Plane&) = delete;

  std::uint32_t add_endpoint(std::unique_ptr<Endpoint> endpoint);
  /// Joins two endpoints. Stages of each direction in order; the backward half of a pair goes to
  /// the other direction at its level. Directions are numbered 2*link (a to b) and 2*link+1.
  /// `names` are of the hosts. Errors: usage, from check_order() or from a stage's settings.
  struct LinkSpec {
    std::uint32_t a = 0, b = 0;  // endpoints
    std::string a_name, b_name;
    std::vector<StageSpec> a_to_b, b_to_a;
    bool segments_on_wire =
        false;  // wire viewpoints are observed: cut even where no stage asks for it
  };
  Result<std::uint32_t> add_link(LinkSpec link);

  /// Either may be null; must outlive run(). `wanted(direction, viewpoint)` is asked once at run().
  void observe(FrameObserver* frames, std::function<bool(std::uint32_t, Viewpoint)> wanted,
               EventObserver* events);

  /// Calls `callback` on the plane's thread when `fd` is readable (a pidfd, a timerfd, a pipe).
  /// After the callback returned false the fd is watched no longer.
  void watch(int fd, std::function<bool()> callback);
  /// Runs until stop(). Frames still held then are let go, uncounted as drops.
  void run();
  /// From a watch callback, a signal handler or another thread.
  void stop();

  /// Nanoseconds of UTC that never go back: CLOCK_MONOTONIC plus the offset found when the plane
  /// was made.
  [[nodiscard]] Time now() const;
  [[nodiscard]] const EndpointCounts& endpoint_counts(std::uint32_t endpoint) const;
  [[nodiscard]] std::vector<DirectionReport> report() const;
  [[nodiscard]] Lateness lateness() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::lab
