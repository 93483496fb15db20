// SPDX-License-Identifier: Apache-2.0
// The loop: drain what has come, let go what is due, wait. It sleeps until kSpin before the next
// due time and then polls without sleeping: a wake-up from a long sleep is some 0.1 to 0.3 ms late
// on a virtual machine (reference/lab.md, section 6).
#include "lab/plane.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "lab/plane_core.h"

namespace slowpath::lab {
namespace {

constexpr Duration kSpin = std::chrono::microseconds{200};
constexpr std::uint32_t kFramesPerTurn = 64;  // of one endpoint, so that the others get theirs
constexpr std::uint32_t kDuePerTurn = 128;
/// How long it may sleep where an endpoint has no descriptor to wait for.
constexpr Duration kMemoryPause = std::chrono::milliseconds{1};

struct Watch {
  int fd = -1;
  std::function<bool()> callback;
};

}  // namespace

struct Plane::State {
  explicit State(std::uint64_t seed) : core(seed), wake_fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    SLOWPATH_ASSERT(wake_fd >= 0);
  }
  ~State() { close(wake_fd); }

  /// Which direction an endpoint's frames go; -1 if it is not linked.
  std::vector<std::int64_t> direction_of;
  PlaneCore core;
  std::vector<Watch> watches;
  std::vector<pollfd> polled;  // wake_fd, then endpoints, then watches
  std::vector<bool> readable;  // by endpoint: there may be more
  FramePtr spare;              // a large buffer to read the next frame into; before core's end
  int wake_fd;
  std::atomic<bool> stopping{false};

  bool drain(std::size_t endpoint);
  bool drain_all();
  void wait(bool may_sleep);
  void call_watches(std::size_t first, std::size_t count);
  [[nodiscard]] Duration pause(bool may_sleep) const;
};

bool Plane::State::drain(std::size_t endpoint) {
  const std::int64_t direction = direction_of[endpoint];
  for (std::uint32_t i = 0; i < kFramesPerTurn; ++i) {
    if (!spare) spare = core.pool.make(FramePool::kLargeBytes);
    if (!core.endpoints[endpoint]->receive(*spare)) {
      readable[endpoint] = false;
      return i > 0;
    }
    if (direction < 0) continue;
    core.refresh_now();
    core.enter(static_cast<std::uint32_t>(direction), std::move(spare));
  }
  return true;
}

bool Plane::State::drain_all() {
  bool any = false;
  for (std::size_t i = 0; i < core.endpoints.size(); ++i) {
    if (readable[i] || core.endpoints[i]->fd() < 0) any |= drain(i);
  }
  return any;
}

Duration Plane::State::pause(bool may_sleep) const {
  if (!may_sleep) return Duration{0};
  Duration most = std::chrono::seconds{1};
  for (const auto& endpoint : core.endpoints) {
    if (endpoint->fd() < 0) most = kMemoryPause;
  }
  if (core.heap.empty()) return most;
  return std::clamp(core.heap.next() - core.read_clock() - kSpin, Duration{0}, most);
}

void Plane::State::wait(bool may_sleep) {
  polled.clear();
  polled.push_back({wake_fd, POLLIN, 0});
  for (const auto& endpoint : core.endpoints) polled.push_back({endpoint->fd(), POLLIN, 0});
  const std::size_t first_watch = polled.size();
  for (const auto& watch : watches) polled.push_back({watch.fd, POLLIN, 0});
  const Duration time = pause(may_sleep);
  const timespec timeout{.tv_sec = time.count() / 1'000'000'000,
                         .tv_nsec = time.count() % 1'000'000'000};
  if (ppoll(polled.data(), polled.size(), &timeout, nullptr) <= 0) return;
  for (std::size_t i = 0; i < core.endpoints.size(); ++i) {
    if (polled[i + 1].revents != 0) readable[i] = true;
  }
  call_watches(first_watch, polled.size() - first_watch);
}

void Plane::State::call_watches(std::size_t first, std::size_t count) {
  bool any_over = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (polled[first + i].revents == 0) continue;
    core.refresh_now();
    // A callback may add watches: the vector may move under it.
    const auto callback = watches[i].callback;
    if (!callback()) {
      watches[i].fd = -1;
      any_over = true;
    }
  }
  if (any_over) std::erase_if(watches, [](const Watch& watch) { return watch.fd < 0; });
}

Plane::Plane(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
Plane::~Plane() = default;

std::uint32_t Plane::add_endpoint(std::unique_ptr<Endpoint> endpoint) {
  state_->core.endpoints.push_back(std::move(endpoint));
  state_->direction_of.push_back(-1);
  state_->readable.push_back(true);
  return static_cast<std::uint32_t>(state_->core.endpoints.size() - 1);
}

Result<std::uint32_t> Plane::add_link(LinkSpec link) {
  const std::uint32_t a = link.a, b = link.b;
  auto number = state_->core.add_link(std::move(link));
  if (!number) return number;
  state_->direction_of[a] = std::int64_t{*number} * 2;
  state_->direction_of[b] = std::int64_t{*number} * 2 + 1;
  return number;
}

void Plane::observe(FrameObserver* frames, std::function<bool(std::uint32_t, Viewpoint)> wanted,
                    EventObserver* events) {
  state_->core.frame_observer = frames;
  state_->core.wanted = std::move(wanted);
  state_->core.event_observer = events;
}

void Plane::watch(int fd, std::function<bool()> callback) {
  state_->watches.push_back({fd, std::move(callback)});
}

void Plane::run() {
  State& state = *state_;
  const int slack = prctl(PR_GET_TIMERSLACK);
  prctl(PR_SET_TIMERSLACK, 1UL);
  state.core.lay_out();
  while (!state.stopping.load(std::memory_order_relaxed)) {
    bool busy = state.drain_all();
    busy |= state.core.handle_due(kDuePerTurn);
    if (busy) state.core.flush();
    const bool more = std::ranges::find(state.readable, true) != state.readable.end();
    state.wait(!more);
  }
  state.core.heap.clear();
  std::uint64_t stops = 0;
  (void)!read(state.wake_fd, &stops, sizeof stops);
  state.stopping = false;
  if (slack > 0) prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack));
}

void Plane::stop() {
  state_->stopping.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  (void)!write(state_->wake_fd, &one, sizeof one);
}

Time Plane::now() const { return state_->core.read_clock(); }

const EndpointCounts& Plane::endpoint_counts(std::uint32_t endpoint) const {
  return state_->core.endpoints[endpoint]->counts();
}

std::vector<DirectionReport> Plane::report() const {
  std::vector<DirectionReport> reports;
  for (const auto& direction : state_->core.directions) {
    DirectionReport report{direction->name, {}};
    for (const auto& slot : direction->slots) report.stages.push_back(slot->counts());
    reports.push_back(std::move(report));
  }
  return reports;
}

Lateness Plane::lateness() const { return state_->core.lateness.summary(); }

}  // namespace slowpath::lab
