// SPDX-License-Identifier: Apache-2.0
// A frame goes step by step until a stage holds it, ends it, or it is sent. Stages call back here
// through their slots; the recursion is as deep as the direction has stages.
#include "lab/plane_core.h"

#include <time.h>

#include <utility>

namespace slowpath::lab {
namespace {

Duration read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return Duration{now.tv_sec * 1'000'000'000 + now.tv_nsec};
}

}  // namespace

Time Slot::now() const { return core_.now; }
FramePool& Slot::pool() { return core_.pool; }

void Slot::pass(FramePtr frame) { core_.go_on(direction_, step_ + 1, std::move(frame)); }

void Slot::pass_at(Time due, FramePtr frame) {
  // At once only if nothing that waits is due before: it would be overtaken.
  if (due <= core_.now && (core_.heap.empty() || core_.heap.next() > due)) {
    pass(std::move(frame));
  } else {
    core_.heap.push(due, direction_, step_ + 1, std::move(frame));
  }
}

void Slot::answer(FramePtr frame) {
  const std::uint32_t reverse = direction_ ^ 1U;
  core_.go_on(reverse, core_.directions[reverse]->answer_step, std::move(frame));
}

void Slot::drop(FramePtr frame, std::string_view why) {
  ++counts_.dropped;
  if (core_.event_observer != nullptr) {
    core_.event_observer->happened(direction_, number_, core_.now, *frame, "dropped", why);
  }
}

void Slot::touched(const Frame& frame, std::string_view what, std::string_view detail) {
  ++counts_.touched;
  if (core_.event_observer != nullptr) {
    core_.event_observer->happened(direction_, number_, core_.now, frame, what, detail);
  }
}

void Slot::wake_at(Time due) { core_.heap.push(due, direction_, step_, nullptr); }

void PlaneCore::go_on(std::uint32_t direction, std::uint32_t step, FramePtr frame) {
  const Direction& way = *directions[direction];
  for (;; ++step) {
    const Step& next = way.steps[step];
    switch (next.kind) {
      case Step::Kind::stage:
        next.slot->take(std::move(frame));
        return;
      case Step::Kind::observe:
        frame_observer->saw(direction, next.viewpoint, *frame, read_clock());
        break;
      case Step::Kind::send:
        if (frame->leave_checksum) {
          // Nothing cut it: the host is not to complete what the broken NIC left.
          frame->vnet.flags = 0;
        }
        way.to->send(*frame);
        return;
    }
  }
}

void PlaneCore::enter(std::uint32_t direction, FramePtr frame) {
  // A held frame keeps its buffer: not one for 64 KiB if it is small.
  if (frame->len <= FramePool::kSmallBytes && !directions[direction]->slots.empty()) {
    FramePtr small = pool.copy(*frame);
    small->parent = 0;
    frame = std::move(small);
  }
  frame->arrived = now;
  go_on(direction, 0, std::move(frame));
}

bool PlaneCore::handle_due(std::uint32_t most) {
  bool any = false;
  for (; most > 0 && !heap.empty(); --most) {
    refresh_now();
    if (heap.next() > now) break;
    any = true;
    auto [due, frame] = heap.pop();
    if (frame) {
      lateness.add(now - due.when);
      go_on(due.direction, due.step, std::move(frame));
    } else {
      directions[due.direction]->steps[due.step].slot->wake();
    }
  }
  return any;
}

void PlaneCore::flush() {
  for (const auto& direction : directions) {
    for (const auto& slot : direction->slots) slot->flush();
  }
}

void PlaneCore::refresh_now() { now = read_clock(); }

Time PlaneCore::read_clock() const { return Time{read(CLOCK_MONOTONIC) + utc_offset_}; }

Duration PlaneCore::find_utc_offset() { return read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC); }

}  // namespace slowpath::lab
