// SPDX-License-Identifier: Apache-2.0
// The plane between two hosts in memory: what goes along, in which order, and who sees it.
#include "lab/plane.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/lab/memory_endpoint.h"
#include "support/lab/stage_test_context.h"

namespace slowpath::lab {
namespace {

using namespace slowpath::test;
using namespace std::chrono_literals;

/// What stages of the test write down of themselves: "mark a", "wake a" ...
std::vector<std::string> diary;

class Mark final : public Stage {
 public:
  explicit Mark(std::string name) : name_(std::move(name)) {}
  void take(FramePtr frame, StageContext& context) override {
    diary.push_back(name_);
    context.pass(std::move(frame));
  }

 private:
  std::string name_;
};

/// Half of a pair: notes its name and which half it is.
Result<StagePair> make_mark(Settings& settings) {
  const std::string name = settings.text("name");
  const bool pair = settings.flag("pair");
  return StagePair{std::make_unique<Mark>(name),
                   pair ? std::make_unique<Mark>(name + "'") : nullptr};
}

class Later final : public Stage {
 public:
  explicit Later(Duration by) : by_(by) {}
  void take(FramePtr frame, StageContext& context) override {
    context.pass_at(context.now() + by_, std::move(frame));
  }

 private:
  Duration by_;
};

/// Every frame at the same instant.
class AllAtOnce final : public Stage {
 public:
  void take(FramePtr frame, StageContext& context) override {
    if (when_ == Time{}) when_ = context.now() + 20ms;
    context.pass_at(when_, std::move(frame));
  }

 private:
  Time when_{};
};

class Answer final : public Stage {
 public:
  void take(FramePtr frame, StageContext& context) override { context.answer(std::move(frame)); }
};

class Drop final : public Stage {
 public:
  void take(FramePtr frame, StageContext& context) override {
    context.touched(*frame, "looked at");
    context.drop(std::move(frame), "because");
  }
};

/// Holds one frame and lets it go when woken.
class Sleeper final : public Stage {
 public:
  void take(FramePtr frame, StageContext& context) override {
    held_ = std::move(frame);
    context.wake_at(context.now() + 10ms);
    diary.emplace_back("asleep");
  }
  void wake(StageContext& context) override {
    diary.emplace_back("awake");
    context.pass(std::move(held_));
  }

 private:
  FramePtr held_;
};

/// Holds frames until the input runs dry.
class Holder final : public Stage {
 public:
  void take(FramePtr frame, StageContext&) override { held_.push_back(std::move(frame)); }
  void flush(StageContext& context) override {
    if (!held_.empty()) diary.push_back("flush " + std::to_string(held_.size()));
    for (auto& frame : held_) context.pass(std::move(frame));
    held_.clear();
  }

 private:
  std::vector<FramePtr> held_;
};

template <typename T>
Result<StagePair> make_plain(Settings&) {
  return StagePair{std::make_unique<T>(), nullptr};
}
Result<StagePair> make_later(Settings& settings) {
  return StagePair{std::make_unique<Later>(settings.duration("by")), nullptr};
}

StageKind kind(std::string_view name, Level level, Result<StagePair> (*make)(Settings&),
               bool needs_segments = false) {
  return {name, level, needs_segments, "for tests", make};
}
const StageKind kNicMark = kind("nic-mark", Level::nic_tx, make_mark);
const StageKind kBoxMark = kind("box-mark", Level::middlebox, make_mark);
const StageKind kWireMark = kind("wire-mark", Level::middlebox, make_mark, true);
const StageKind kPathMark = kind("path-mark", Level::path, make_mark);
const StageKind kRxMark = kind("rx-mark", Level::nic_rx, make_mark);
const StageKind kCutMark = kind("cut-mark", Level::segmentation, make_mark);
const StageKind kLater = kind("later", Level::path, make_later);
const StageKind kAllAtOnce = kind("all-at-once", Level::path, make_plain<AllAtOnce>);
const StageKind kAnswer = kind("answer", Level::middlebox, make_plain<Answer>);
const StageKind kDrop = kind("drop", Level::path, make_plain<Drop>);
const StageKind kSleeper = kind("sleeper", Level::path, make_plain<Sleeper>);
const StageKind kHolder = kind("holder", Level::nic_rx, make_plain<Holder>);

StageSpec spec(const StageKind& kind, std::map<std::string, std::string> keys = {}) {
  return {&kind, Settings("stage (" + std::string(kind.name) + ")", std::move(keys))};
}
StageSpec named(const StageKind& kind, const std::string& name, bool pair = false) {
  return spec(kind, {{"name", name}, {"pair", pair ? "true" : "false"}});
}

class Seen final : public FrameObserver, public EventObserver {
 public:
  void saw(std::uint32_t direction, Viewpoint viewpoint, const Frame& frame, Time when) override {
    constexpr const char* kNames[]{"guest_out", "wire_near", "wire_far", "guest_in"};
    const std::string name = kNames[static_cast<int>(viewpoint)];
    frames.push_back(std::to_string(direction) + " " + name + " " + std::to_string(frame.len));
    diary.push_back(name);
    EXPECT_GE(when, last_);
    last_ = when;
  }
  void happened(std::uint32_t direction, std::uint32_t stage, Time, const Frame&,
                std::string_view what, std::string_view detail) override {
    events.push_back(std::to_string(direction) + "." + std::to_string(stage) + " " +
                     std::string(what) + " " + std::string(detail));
  }
  std::vector<std::string> frames, events;

 private:
  Time last_{};
};

class PlaneTest : public testing::Test {
 protected:
  PlaneTest() {
    diary.clear();
    auto a = std::make_unique<MemoryEndpoint>(), b = std::make_unique<MemoryEndpoint>();
    a_ = a.get();
    b_ = b.get();
    plane.add_endpoint(std::move(a));
    plane.add_endpoint(std::move(b));
  }
  ~PlaneTest() override { close(timer_); }

  void link(std::vector<StageSpec> a_to_b, std::vector<StageSpec> b_to_a = {},
            bool segments_on_wire = false) {
    const auto added = plane.add_link(
        {0, 1, "server", "client", std::move(a_to_b), std::move(b_to_a), segments_on_wire});
    ASSERT_TRUE(added) << added.error().message();
    EXPECT_EQ(*added, 0U);
  }
  /// Runs until this holds, which is looked at every millisecond: a busy machine takes its time.
  void run_until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    const itimerspec each_ms{.it_interval = {0, 1'000'000}, .it_value = {0, 1'000'000}};
    ASSERT_EQ(timerfd_settime(timer_, 0, &each_ms, nullptr), 0);
    plane.watch(timer_, [&] {
      std::uint64_t times = 0;
      (void)!read(timer_, &times, sizeof times);
      if (!holds() && std::chrono::steady_clock::now() < limit) return true;
      plane.stop();
      return false;
    });
    plane.run();
    EXPECT_TRUE(holds()) << "not within 30 s";
  }
  void run_until_received(std::size_t at_b) {
    run_until([&] { return b_->received.size() >= at_b; });
  }
  FramePtr data(std::uint32_t seq, std::size_t len = 100) {
    return tcp_frame(pool, ack, len, {.seq = seq});
  }
  static std::vector<std::uint32_t> sequences(const MemoryEndpoint& endpoint) {
    std::vector<std::uint32_t> found;
    for (const auto& kept : endpoint.received) found.push_back(load_be32(kept.bytes.data() + 38));
    return found;
  }

  FramePool pool;
  Plane plane{1};
  MemoryEndpoint *a_ = nullptr, *b_ = nullptr;
  int timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
};

using Names = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

TEST_F(PlaneTest, passes_frames_untouched_where_there_are_no_stages) {
  link({});
  const FramePtr super = super_frame(pool, 60000);
  a_->host_sends(*super);
  b_->host_sends(*data(5));
  run_until([&] { return !a_->received.empty() && !b_->received.empty(); });
  ASSERT_EQ(b_->received.size(), 1U);
  EXPECT_EQ(b_->received[0].bytes, Buffer(super->bytes().begin(), super->bytes().end()));
  EXPECT_EQ(std::memcmp(&b_->received[0].vnet, &super->vnet, sizeof super->vnet), 0);
  EXPECT_EQ(sequences(*a_), Numbers{5});
  EXPECT_EQ(plane.endpoint_counts(0).super_frames_received, 1U);
  EXPECT_EQ(plane.report()[0].name, "server>client");
  EXPECT_EQ(plane.report()[1].name, "client>server");
}

TEST_F(PlaneTest, takes_stages_in_order_with_viewpoints_between_levels) {
  link({named(kNicMark, "nic"), named(kBoxMark, "box"), named(kPathMark, "path 1"),
        named(kPathMark, "path 2"), named(kRxMark, "rx")});
  Seen seen;
  plane.observe(&seen, [](std::uint32_t, Viewpoint) { return true; }, nullptr);
  a_->host_sends(*data(1));
  run_until_received(1);
  EXPECT_EQ(diary, (Names{"guest_out", "nic", "wire_near", "box", "path 1", "path 2", "wire_far",
                          "rx", "guest_in"}));
}

TEST_F(PlaneTest, asks_which_viewpoints_are_wanted) {
  link({});
  Seen seen;
  plane.observe(
      &seen,
      [](std::uint32_t direction, Viewpoint v) {
        return direction == 1 && v == Viewpoint::wire_far;
      },
      nullptr);
  a_->host_sends(*data(1));
  b_->host_sends(*data(1));
  run_until([&] { return !a_->received.empty() && !b_->received.empty(); });
  EXPECT_EQ(seen.frames, Names{"1 wire_far 166"});
}

TEST_F(PlaneTest, puts_the_other_half_of_a_pair_into_the_way_back) {
  link({named(kBoxMark, "x", true), named(kBoxMark, "y", true), named(kPathMark, "p")},
       {named(kBoxMark, "own"), named(kPathMark, "back")});
  b_->host_sends(*data(1));
  run_until([&] { return !a_->received.empty(); });
  EXPECT_EQ(diary, (Names{"own", "y'", "x'", "back"}));
}

TEST_F(PlaneTest, cuts_super_frames_where_a_later_stage_needs_segments) {
  link({named(kNicMark, "nic"), named(kWireMark, "box")});
  a_->host_sends(*super_frame(pool, 3000));
  a_->host_sends(*tcp_frame(pool, ack, 0, {.partial_checksum = true}));
  run_until_received(4);
  EXPECT_EQ(diary, (Names{"nic", "box", "box", "box", "nic", "box"}));
  ASSERT_EQ(b_->received.size(), 4U);
  for (const auto& kept : b_->received) {
    EXPECT_EQ(kept.vnet.flags, 0);
    EXPECT_EQ(kept.vnet.gso_type, 0);
    const FramePtr frame = pool.make(static_cast<std::uint32_t>(kept.bytes.size()));
    std::memcpy(frame->data, kept.bytes.data(), kept.bytes.size());
    EXPECT_TRUE(checksums_right(*frame));
  }
  ASSERT_EQ(plane.report()[0].stages.size(), 3U);
  EXPECT_EQ(plane.report()[0].stages[1].name, "segment");
  EXPECT_EQ(plane.report()[0].stages[1].taken, 2U);
  EXPECT_EQ(plane.report()[1].stages.size(), 0U);
}

TEST_F(PlaneTest, cuts_where_the_wire_is_observed_and_leaves_whole_elsewhere) {
  link({}, {}, true);
  Seen seen;
  plane.observe(&seen, [](std::uint32_t direction, Viewpoint) { return direction == 0; }, nullptr);
  a_->host_sends(*super_frame(pool, 2000));
  run_until_received(2);
  EXPECT_EQ(seen.frames,
            (Names{"0 guest_out 2066", "0 wire_near 1514", "0 wire_far 1514", "0 guest_in 1514",
                   "0 wire_near 618", "0 wire_far 618", "0 guest_in 618"}));
}

TEST_F(PlaneTest, leaves_frames_whole_where_no_stage_needs_segments) {
  link({named(kBoxMark, "box"), spec(kLater, {{"by", "1ms"}})});
  a_->host_sends(*super_frame(pool, 60000));
  run_until_received(1);
  ASSERT_EQ(b_->received.size(), 1U);
  EXPECT_EQ(b_->received[0].vnet.gso_size, 1448);
}

TEST_F(PlaneTest, does_not_cut_twice) {
  link({named(kCutMark, "cut"), named(kWireMark, "box")});
  EXPECT_EQ(plane.report()[0].stages.size(), 2U);
}

TEST_F(PlaneTest, keeps_the_order_of_equal_due_times) {
  link({spec(kAllAtOnce)});
  Numbers expected;
  for (std::uint32_t i = 0; i < 500; ++i) {
    a_->host_sends(*data(i));
    expected.push_back(i);
  }
  run_until_received(500);
  EXPECT_EQ(sequences(*b_), expected);
  EXPECT_LE(plane.lateness().median, plane.lateness().p99);
  EXPECT_LE(plane.lateness().p99, plane.lateness().worst);
}

TEST_F(PlaneTest, delays_by_what_was_asked) {
  link({spec(kLater, {{"by", "5ms"}})});
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point arrived;
  b_->on_received = [&] {
    arrived = std::chrono::steady_clock::now();
    plane.stop();
  };
  a_->host_sends(*data(1));
  plane.run();
  EXPECT_GE(arrived - begin, 5ms);
  EXPECT_EQ(plane.lateness().frames, 1U);
  EXPECT_LE(plane.lateness().worst, arrived - begin - 5ms);
}

TEST_F(PlaneTest, a_due_time_in_the_past_overtakes_nothing) {
  // The first waits; the second is due at once.
  link({spec(kLater, {{"by", "10ms"}}), spec(kLater, {{"by", "0ms"}})});
  a_->host_sends(*data(1));
  a_->host_sends(*data(2));
  run_until_received(2);
  EXPECT_EQ(sequences(*b_), (Numbers{1, 2}));
}

TEST_F(PlaneTest, answers_go_back_behind_the_path) {
  link({named(kNicMark, "nic"), spec(kAnswer)},
       {named(kBoxMark, "far box"), named(kPathMark, "path"), named(kRxMark, "rx")});
  Seen seen;
  plane.observe(&seen, [](std::uint32_t, Viewpoint) { return true; }, nullptr);
  a_->host_sends(*data(3));
  run_until([&] { return !a_->received.empty(); });
  EXPECT_EQ(diary, (Names{"guest_out", "nic", "wire_near", "wire_far", "rx", "guest_in"}));
  EXPECT_EQ(seen.frames.back(), "1 guest_in 166");
  EXPECT_EQ(sequences(*a_), Numbers{3});
  EXPECT_TRUE(b_->received.empty());
}

TEST_F(PlaneTest, counts_and_tells_what_stages_did) {
  link({named(kPathMark, "p"), spec(kDrop)});
  Seen seen;
  plane.observe(nullptr, nullptr, &seen);
  a_->host_sends(*data(1));
  a_->host_sends(*data(2));
  run_until([&] { return seen.events.size() >= 4; });
  const auto report = plane.report()[0];
  EXPECT_EQ(report.stages[0].taken, 2U);
  EXPECT_EQ(report.stages[1].taken, 2U);
  EXPECT_EQ(report.stages[1].touched, 2U);
  EXPECT_EQ(report.stages[1].dropped, 2U);
  EXPECT_EQ(seen.events.size(), 4U);
  EXPECT_EQ(seen.events[0], "0.1 looked at ");
  EXPECT_EQ(seen.events[1], "0.1 dropped because");
}

TEST_F(PlaneTest, wakes_stages) {
  link({spec(kSleeper)});
  a_->host_sends(*data(9));
  run_until_received(1);
  EXPECT_EQ(diary, (Names{"asleep", "awake"}));
  EXPECT_EQ(sequences(*b_), Numbers{9});
}

TEST_F(PlaneTest, flushes_when_the_input_ran_dry) {
  link({spec(kHolder)});
  for (std::uint32_t i = 0; i < 10; ++i) a_->host_sends(*data(i));
  run_until_received(10);
  EXPECT_EQ(diary, Names{"flush 10"});
  EXPECT_EQ(b_->received.size(), 10U);
}

TEST_F(PlaneTest, lets_go_of_what_is_held_when_it_stops) {
  link({spec(kLater, {{"by", "1h"}})});
  a_->host_sends(*data(1));
  run_until([&] { return plane.endpoint_counts(0).frames_received == 1; });
  EXPECT_TRUE(b_->received.empty());
  EXPECT_EQ(plane.report()[0].stages[0].dropped, 0U);
}

TEST_F(PlaneTest, stops_from_another_thread) {
  link({});
  std::jthread other([this] {
    std::this_thread::sleep_for(20ms);
    plane.stop();
  });
  plane.run();
}

TEST_F(PlaneTest, does_not_let_a_host_complete_what_a_broken_nic_left) {
  class Skip final : public Stage {
   public:
    void take(FramePtr frame, StageContext& context) override {
      frame->leave_checksum = true;
      context.pass(std::move(frame));
    }
  };
  const StageKind skip = kind("skip", Level::nic_tx, make_plain<Skip>);
  link({spec(skip)}, {spec(skip), named(kWireMark, "box")});
  a_->host_sends(*tcp_frame(pool, ack, 10, {.partial_checksum = true}));
  b_->host_sends(*tcp_frame(pool, ack, 10, {.partial_checksum = true}));
  run_until([&] { return !a_->received.empty() && !b_->received.empty(); });
  for (const auto* endpoint : {a_, b_}) {
    ASSERT_EQ(endpoint->received.size(), 1U);
    const auto& kept = endpoint->received[0];
    EXPECT_EQ(kept.vnet.flags, 0);
    const FramePtr frame = pool.make(static_cast<std::uint32_t>(kept.bytes.size()));
    std::memcpy(frame->data, kept.bytes.data(), kept.bytes.size());
    EXPECT_FALSE(checksums_right(*frame));
  }
}

TEST(PlaneOrder, refuses_levels_that_go_back_and_two_segmentations) {
  EXPECT_TRUE(check_order({}));
  EXPECT_TRUE(check_order({spec(kNicMark), spec(kCutMark), spec(kBoxMark), spec(kPathMark),
                           spec(kPathMark), spec(kRxMark)}));
  const auto back = check_order({spec(kPathMark), spec(kNicMark)});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::usage);
  EXPECT_NE(back.error().message().find("cannot put stage (nic-mark) after stage (path-mark)"),
            std::string::npos);
  EXPECT_NE(back.error().message().find("sending NIC, segmentation, middlebox"), std::string::npos);
  EXPECT_FALSE(check_order({spec(kCutMark), spec(kCutMark)}));
}

TEST_F(PlaneTest, a_wrong_key_is_the_writers_mistake) {
  const auto added = plane.add_link({0, 1, "a", "b", {spec(kLater, {{"by", "soon"}})}, {}, false});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::usage);
  EXPECT_TRUE(plane.report().empty());
}

}  // namespace
}  // namespace slowpath::lab
