// SPDX-License-Identifier: Apache-2.0
// Stages that every frame of a fast transfer goes through allocate nothing for it. Counts every
// operator new of this test program.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/allocation_counter.h"
#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using namespace std::chrono_literals;

/// Lets every frame go at once and keeps counts alone.
class CountingContext final : public lab::StageContext {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  lab::Random& random() override { return random_; }
  lab::FramePool& pool() override { return pool_; }
  void pass(lab::FramePtr frame) override { passed += frame != nullptr; }
  void pass_at(Time, lab::FramePtr frame) override { passed += frame != nullptr; }
  void answer(lab::FramePtr) override {}
  void drop(lab::FramePtr frame, std::string_view) override { dropped += frame != nullptr; }
  void touched(const lab::Frame&, std::string_view, std::string_view) override {}
  void wake_at(Time) override {}
  void advance(Duration by) { now_ += by; }

  std::size_t passed = 0, dropped = 0;

 private:
  lab::FramePool pool_;
  lab::Random random_{1};
  Time now_ = time_from_ns(1'700'000'000'000'000'000);
};

TEST(Allocations, StagesMakeNoneForAFrame) {
  const std::map<std::string, std::map<std::string, std::string>> kinds{
      {"delay", {{"time", "10ms"}}},
      {"jitter", {{"time", "1ms"}}},
      {"loss", {{"share", "1%"}, {"only", "data"}}},
      {"burst-loss", {{"p", "1%"}, {"r", "10%"}}},
      {"rate", {{"rate", "1Gbit/s"}, {"queue", "20KB"}}},
      {"policer", {{"rate", "1Gbit/s"}, {"burst", "20KB"}}},
      {"duplicate", {{"every", "10"}}},
      {"outage", {{"from", "1ms"}, {"for", "1ms"}}},
      {"bit-errors", {{"rate", "1e-12"}}},
      {"tso-drop", {{"above", "9000"}}},
      {"csum-skip", {{"probability", "1%"}}},
      {"rx-csum-trust", {}},
      {"ring-drop", {{"pps", "100000"}}},
      {"rss-one-queue", {{"pps", "100000"}}},
  };
  for (const auto& [kind, keys] : kinds) {
    CountingContext context;
    const auto stage = stage_of(kind, keys);
    const auto model = tcp_frame(context.pool(), ack, 1448);
    constexpr std::size_t kFrames = 1000;
    std::size_t before = 0;
    for (std::size_t i = 0; i < 2 * kFrames; ++i) {
      if (i == kFrames) before = allocations;  // the pool is warm
      context.advance(5us);
      stage->take(context.pool().copy(*model), context);
    }
    EXPECT_EQ(allocations, before) << kind;
    EXPECT_GE(context.passed + context.dropped, 2 * kFrames) << kind;
  }
}

}  // namespace
}  // namespace slowpath::test
