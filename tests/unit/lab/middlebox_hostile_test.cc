// SPDX-License-Identifier: Apache-2.0
// Every middlebox kind against frames that are short, torn or of another world.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lab/random.h"
#include "support/lab/stage_test_context.h"

namespace slowpath::test {
namespace {

using lab::FramePtr;

std::map<std::string, std::string> keys_of(std::string_view kind) {
  if (kind == "mtu-drop" || kind == "fragment") return {{"mtu", "200"}};
  if (kind == "wscale-rewrite" || kind == "mss-rewrite") return {{"value", "5"}};
  if (kind == "mss-clamp") return {{"max", "100"}};
  if (kind == "dnat") return {{"from", "10.0.0.2"}, {"to", "10.0.0.3:9"}};
  if (kind == "snat") return {{"low", "9"}, {"high", "30"}};
  return {};
}

std::vector<const lab::StageKind*> middlebox_kinds() {
  std::vector<const lab::StageKind*> kinds;
  for (const auto* kind : lab::all_stage_kinds()) {
    if (kind->level == lab::Level::middlebox) kinds.push_back(kind);
  }
  return kinds;
}

std::vector<FramePtr> models(lab::FramePool& pool) {
  std::vector<FramePtr> frames;
  for (const bool ipv6 : {false, true}) {
    const Look look{.tos = 2, .ipv6 = ipv6, .dont_fragment = false};
    frames.push_back(syn_frame(pool, false, look));
    frames.push_back(syn_frame(pool, true, look));
    frames.push_back(tcp_frame(pool, ack | psh, 300, look));
    frames.push_back(tcp_frame(pool, syn | ece | cwr, 40, look));
    frames.push_back(tcp_frame(pool, fin | ack, 0, look));
    frames.push_back(udp_frame(pool, 300, look));
    frames.push_back(echo_frame(pool, 300, look));
    frames.push_back(fragment_frame(pool, 0, true, 304, look));
    frames.push_back(fragment_frame(pool, 312, false, 300, look));
  }
  auto sacked = packet();
  sacked.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(ack, sack({{1, 2}, {3, 4}})).payload(0);
  frames.push_back(frame_of(pool, sacked));
  return frames;
}

/// Gives `frame` to both halves; each must dispose of it.
void give_both(StageTestContext& context, const lab::StagePair& stages, const lab::Frame& frame) {
  for (auto* half : {stages.forward.get(), stages.backward.get()}) {
    if (half == nullptr) continue;
    context.give(*half, context.pool().copy(frame));
    EXPECT_FALSE(context.passed.empty() && context.dropped.empty());
    context.passed.clear();
    context.dropped.clear();
    context.answered.clear();
    context.touches.clear();
  }
}

TEST(MiddleboxKinds, AreAllHere) { EXPECT_GE(middlebox_kinds().size(), 25U); }

TEST(MiddleboxKinds, SurviveFramesCutAnywhere) {
  for (const auto* kind : middlebox_kinds()) {
    SCOPED_TRACE(kind->name);
    StageTestContext context;
    const auto stages = stages_of(kind->name, keys_of(kind->name));
    for (const auto& model : models(context.pool())) {
      for (std::uint32_t len = 0; len <= model->len; len += len < 120 ? 1 : 37) {
        auto cut = context.pool().copy(*model);
        cut->len = len;
        give_both(context, stages, *cut);
      }
    }
  }
}

TEST(MiddleboxKinds, SurviveFramesOfNoise) {
  lab::Random random(42);
  for (const auto* kind : middlebox_kinds()) {
    SCOPED_TRACE(kind->name);
    StageTestContext context;
    const auto stages = stages_of(kind->name, keys_of(kind->name));
    const auto frames = models(context.pool());
    for (int round = 0; round < 400; ++round) {
      auto torn = context.pool().copy(*frames[random.below(frames.size())]);
      for (auto flips = 1 + random.below(4); flips > 0; --flips) {
        torn->data[12 + random.below(std::min<std::uint32_t>(torn->len, 90) - 12)] =
            static_cast<std::byte>(random.next());
      }
      give_both(context, stages, *torn);
    }
  }
}

TEST(MiddleboxKinds, LetWhatIsNotIpBe) {
  for (const auto* kind : middlebox_kinds()) {
    SCOPED_TRACE(kind->name);
    StageTestContext context;
    const auto stages = stages_of(kind->name, keys_of(kind->name));
    auto arp = context.pool().make(60);
    std::fill_n(arp->data, arp->len, std::byte{8});
    const Buffer before(arp->data, arp->data + arp->len);
    context.give(*stages.forward, std::move(arp));
    ASSERT_EQ(context.passed.size(), 1U);
    const auto& after = *context.passed[0].frame;
    EXPECT_EQ(Buffer(after.data, after.data + after.len), before);
    EXPECT_TRUE(context.touches.empty());
  }
}

}  // namespace
}  // namespace slowpath::test
