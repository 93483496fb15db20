// SPDX-License-Identifier: Apache-2.0
// What is left to expect: the ceiling that binds next, and when only a bound can be told.
#include "detect/prediction.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/synthesis.h"
#include "detect/synthesis_steps.h"
#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

using detect::Repair;
using detect::Repairs;

detect::Transfer transfer_of(const Case& facts) {
  return {facts, facts.connections[0], Direction::to_client};
}

/// Bursts that agree on a rate, and a sender that said that it was finished.
void show_path(Case& facts, double bps) {
  download_of(facts).trains = {.trains = 100, .median_bps = bps, .p75_bps = bps, .p90_bps = bps};
  facts.connections[0].beside.first_fin = Direction::to_client;
}

/// Gaps between segments that agree on a rate, and what was sustained.
void space_path(Case& facts, double bps, double sustained_bps) {
  DirectionFacts& data = download_of(facts);
  data.trains = {.trains = 500, .median_bps = sustained_bps, .p75_bps = bps, .p90_bps = bps};
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(400, {});
  for (TimelineBin& bin : data.timeline.bins.kept()) {
    bin.acked_bytes = static_cast<std::uint64_t>(sustained_bps * 0.02 / 8);
  }
}

AfterFix after(const Case& facts, Repair repair, double seconds) {
  Repairs repairs;
  repairs.add(repair, seconds);
  return predict(transfer_of(facts), repairs, detect::Witness::stretches);
}

TEST(Prediction, BurstsThatAgreeAreThePathsRate) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 50e6);
  const AfterFix loss = after(facts, Repair::loss, 6);
  ASSERT_TRUE(loss.goodput_bps.has_value());
  EXPECT_EQ(loss.bound, Bound::about);
  // 1.6 s at 50 Mbit/s, and a few round trips of slow start.
  EXPECT_GT(*loss.goodput_bps, 44e6);
  EXPECT_LT(*loss.goodput_bps, 50e6);
}

TEST(Prediction, SlowStartBindsWhereThePathIsFaster) {
  Case facts = healthy_case({.bytes = 1'000'000, .seconds = 8});
  show_path(facts, 1e9);
  const AfterFix loss = after(facts, Repair::loss, 6);
  // 10 segments doubled: 7 rounds of 20 ms.
  EXPECT_EQ(loss.bound, Bound::about);
  EXPECT_NEAR(loss.goodput_bps.value_or(0), 8e6 / 0.14, 8e6 / 0.14 * 0.2);
}

TEST(Prediction, AnUnfinishedTransferIsABound) {
  Case facts = healthy_case({.bytes = 1'000'000, .seconds = 8});
  show_path(facts, 1e9);
  facts.connections[0].beside.first_fin.reset();
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::at_least);
}

TEST(Prediction, APathThatWasNeverUsedIsABound) {
  const AfterFix loss = after(healthy_case({.seconds = 8}), Repair::loss, 4);
  EXPECT_EQ(loss.bound, Bound::at_least);
  EXPECT_TRUE(loss.goodput_bps.has_value());
}

TEST(Prediction, TheWindowsScaleBindsOnceTheLossIsGone) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 500e6);
  download_of(facts).window.shift = 0;
  const AfterFix loss = after(facts, Repair::loss, 6);
  ASSERT_TRUE(loss.goodput_bps.has_value());
  EXPECT_LE(*loss.goodput_bps, 65'535 * 8 / 0.020);
  EXPECT_NE(loss.basis.find("scale of 0"), std::string::npos) << loss.basis;
}

TEST(Prediction, LossesThatStayBind) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 500e6);
  download_of(facts).lost_packets = download_of(facts).loss_episodes = 70;  // 1 %
  const AfterFix window = after(facts, Repair::window, 6);
  // Reno's 1.22 / sqrt(1 %) segments in 20 ms (Mathis 1997); CUBIC's are fewer.
  EXPECT_NEAR(window.goodput_bps.value_or(0), 7.1e6, 0.5e6);
}

TEST(Prediction, WaitsAreTakenAway) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  const double left_s = download_of(facts).transfer_s - 4;
  const AfterFix waits = after(facts, Repair::waits, 4);
  EXPECT_EQ(waits.bound, Bound::about);
  EXPECT_NEAR(waits.goodput_bps.value_or(0), 8e7 / left_s, 1);
}

TEST(Prediction, AtTheReceiverWaitsAreInferred) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8, .vantage = Vantage::receiver});
  facts.connections[0].beside.first_fin = Direction::to_client;
  EXPECT_EQ(after(facts, Repair::waits, 4).bound, Bound::at_least);
}

TEST(Prediction, ALossyTransferDoesNotShowWhatThePathCarries) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 50e6);
  DirectionFacts& data = download_of(facts);
  data.trains.p90_bps = 200e6;  // bursts do not agree
  charge(data, TimeOwner::bottleneck, 2);
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(400, {});
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 25'000;  // 10 Mbit/s, not 50
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::at_least);
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 120'000;  // 48 Mbit/s
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::about);
}

TEST(Prediction, LossesThatStayWithTimeoutsBindMore) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 500e6);
  DirectionFacts& data = download_of(facts);
  data.lost_packets = data.loss_episodes = 700;  // 10 %
  const double without = after(facts, Repair::window, 1).goodput_bps.value_or(0);
  data.timeouts = 10;
  data.timeout_s = 4;
  charge(data, TimeOwner::timeout, 4);
  const AfterFix window = after(facts, Repair::window, 1);
  EXPECT_LT(window.goodput_bps.value_or(1e12), 0.8 * without);
  EXPECT_NE(window.basis.find("PFTK"), std::string::npos) << window.basis;
}

TEST(Prediction, ALansRoundTripTellsNoRate) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8, .rtt_s = 0.0002});
  show_path(facts, 900e6);
  const AfterFix loss = after(facts, Repair::loss, 6);
  EXPECT_EQ(loss.bound, Bound::at_least);
  EXPECT_LT(loss.goodput_bps.value_or(1e12), 100e6);
}

TEST(Prediction, ALansSpacingIsABound) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8, .rtt_s = 0.0002});
  show_path(facts, 50e6);  // a segment each 230 us: no host took them so
  const AfterFix loss = after(facts, Repair::loss, 6);
  EXPECT_EQ(loss.bound, Bound::at_least);
  // Nine tenths of it are used; 1.78 s, and a few round trips of 0.2 ms.
  EXPECT_NEAR(loss.goodput_bps.value_or(0), 45e6, 0.2e6);
  download_of(facts).trains.p90_bps = 80e6;  // they do not agree
  EXPECT_LT(after(facts, Repair::loss, 6).goodput_bps.value_or(1e12), 40e6);
}

TEST(Prediction, SpacingAloneIsWhatThePathIsKnownToCarry) {
  // Fewer segments came in a row than a train has: only the gaps between two agree.
  Case facts = healthy_case({.bytes = 1'000'000, .seconds = 8});
  DirectionFacts& data = download_of(facts);
  data.trains = {.trains = 40, .median_bps = 0, .p75_bps = 1.1e6, .p90_bps = 1.1e6};
  // A gap of 10.5 ms is more than half of the round trip of 20 ms: maybe a small window's.
  const AfterFix loss = after(facts, Repair::loss, 1);
  EXPECT_EQ(loss.bound, Bound::at_least);
  // Lost time says more: 1 MB in 7 s, and a tenth of a second that may be wrong.
  EXPECT_NEAR(loss.goodput_bps.value_or(0), 8e6 / 7.1, 0.05e6);
}

TEST(Prediction, WithoutALimitNoLessThanPassesNow) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 50e6);  // bursts that the bucket let pass
  Repairs repairs;
  repairs.add(Repair::limit, 3);
  const AfterFix now = predict(transfer_of(facts), repairs, detect::Witness::stretches);
  EXPECT_EQ(now.bound, Bound::at_least);
  EXPECT_DOUBLE_EQ(now.goodput_bps.value_or(0), download_of(facts).goodput_bps);
  repairs.passes_bps = 20e6;
  const AfterFix passes = predict(transfer_of(facts), repairs, detect::Witness::stretches);
  EXPECT_EQ(passes.bound, Bound::at_least);
  // 4 s at 20 Mbit/s, and two round trips of 20 ms in slow start: 29 KB of 50 KB fill the path.
  EXPECT_NEAR(passes.goodput_bps.value_or(0), 8e7 / 4.03, 0.2e6);
}

TEST(Prediction, WithoutOthersNoLessThanBurstsShow) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 50e6);
  const AfterFix share = after(facts, Repair::share, 3);
  EXPECT_EQ(share.bound, Bound::at_least);
  EXPECT_GT(share.goodput_bps.value_or(0), 40e6);
  EXPECT_LE(share.goodput_bps.value_or(0), 45e6);
}

TEST(Prediction, AHandshakesRepairLeavesTheRate) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  const AfterFix setup = after(facts, Repair::setup, 7);
  EXPECT_EQ(setup.bound, Bound::about);
  EXPECT_DOUBLE_EQ(setup.goodput_bps.value_or(0), download_of(facts).goodput_bps);
  facts.connections[0].close = CloseKind::reset;  // it would have gone on
  EXPECT_EQ(after(facts, Repair::setup, 0).bound, Bound::at_least);
}

TEST(Prediction, AHandshakesFindingSpeaksOfTheData) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  std::vector<Finding> findings(1);
  findings[0].fault = "syn-blocked";
  findings[0].connections = {facts.connections[0].id};
  findings[0].direction = Direction::to_server;  // of the SYNs
  findings[0].after_fix = {std::nullopt, "the handshake then takes one round trip"};
  detect::predict_each(facts, findings);
  EXPECT_DOUBLE_EQ(findings[0].after_fix.goodput_bps.value_or(0), download_of(facts).goodput_bps);
  EXPECT_EQ(findings[0].after_fix.basis,
            "the handshake then takes one round trip; the rate stays as it is");
}

TEST(Prediction, DataThatIsVerifiedIsResent) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  DirectionFacts& data = download_of(facts);
  data.data_packets = 7000;
  EXPECT_EQ(after(facts, Repair::verify, 0).bound, Bound::about);
  // One in 7000 (0.014 %) leaves Reno 1.22 / sqrt(p) = 102 segments in 20 ms, 59 Mbit/s: no eight
  // times the 10 that it had. Ten and 59 in turn make 8.5.
  data.checksums.bad_but_acknowledged = 1;
  EXPECT_EQ(after(facts, Repair::verify, 0).bound, Bound::at_least);
  EXPECT_NEAR(after(facts, Repair::verify, 0).goodput_bps.value_or(0), 8.5e6, 0.2e6);
  // One in 100 leaves 7.1 Mbit/s; in turn with 10 that is 4.1.
  data.checksums.bad_but_acknowledged = 70;
  EXPECT_NEAR(after(facts, Repair::verify, 0).goodput_bps.value_or(0), 4.1e6, 0.2e6);
}

TEST(Prediction, SpacingBesideOthersTrafficIsABound) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 26e6, 10e6);  // every second segment is another's: the path carries 50
  EXPECT_EQ(after(facts, Repair::loss, 3).bound, Bound::about);
  // Full for nearly all of the time, such a path would have brought 20 Mbit/s and more.
  charge(download_of(facts), TimeOwner::bottleneck, 7);
  EXPECT_EQ(after(facts, Repair::loss, 3).bound, Bound::at_least);
}

// Three of them share what their bursts say: none of them will have all of it.
TEST(Prediction, APathIsSharedWithTheOtherTransfersOfItsHosts) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 45e6, 10e6);
  const auto expected = [&] {
    std::vector<Finding> findings(1);
    findings[0].fault = "random-loss";
    findings[0].connections = {facts.connections[0].id};
    findings[0].seconds_lost = 3;
    detect::predict_each(facts, findings);
    return findings[0].after_fix;
  };
  const double own_bps = download_of(facts).goodput_bps;
  const AfterFix alone = expected();
  EXPECT_GT(alone.goodput_bps.value_or(0), 35e6);
  for (std::uint16_t i = 1; i <= 2; ++i) {
    ConnectionFacts other = facts.connections[0];
    other.id += i;
    other.client.port += i;
    facts.connections.push_back(other);
  }
  const AfterFix shared = expected();
  EXPECT_EQ(shared.bound, Bound::at_least);
  EXPECT_NEAR(shared.goodput_bps.value_or(0), *alone.goodput_bps / 3, 0.2e6)
      << "the others are repaired as well";
  EXPECT_GT(*shared.goodput_bps, own_bps);
  EXPECT_NE(shared.basis.find("other transfers between these hosts have"), std::string::npos);
}

// 64 KiB each 20 ms fill the round trip evenly, two segments at a time: all trains agree on the 26
// Mbit/s of that window, and pairs on the path's 48.
TEST(Prediction, ASmallWindowsRhythmIsNoPath) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 3});
  facts.connections[0].beside.first_fin = Direction::to_client;
  space_path(facts, 27e6, 26e6);
  EXPECT_EQ(after(facts, Repair::window, 2).bound, Bound::at_least);
  TrainFacts& trains = download_of(facts).trains;
  trains.pair_bps = 48e6;
  trains.pair_share = 0.25;
  const AfterFix window = after(facts, Repair::window, 2);
  EXPECT_EQ(window.bound, Bound::about);
  EXPECT_GT(window.goodput_bps.value_or(0), 40e6);
  EXPECT_LT(window.goodput_bps.value_or(0), 48e6);
  trains.pair_bps = 2 * 27e6;  // as where one ACK is for two that came as one
  EXPECT_EQ(after(facts, Repair::window, 2).bound, Bound::at_least);
  trains.pair_bps = 48e6;
  trains.pair_share = 0.1;
  EXPECT_EQ(after(facts, Repair::window, 2).bound, Bound::at_least);
}

TEST(Prediction, WhatAHostTookInOneGoIsNoPath) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 1.8e9, 10e6);  // six segments in 40 us, when it woke
  download_of(facts).trains.p90_bps = 5e9;
  const AfterFix sender = after(facts, Repair::sender, 5);
  EXPECT_EQ(sender.bound, Bound::at_least);
  EXPECT_LT(sender.goodput_bps.value_or(1e12), 30e6);
}

TEST(Prediction, AWindowsSecondsPromiseNoMoreThanWasSustained) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  DirectionFacts& data = download_of(facts);
  data.trains = {};
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(400, {});
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 50'000;  // 20 Mbit/s
  // 7.9 s of 8 are the window's, and may be wrong by a tenth: 89 Mbit/s, if the path carried them.
  const AfterFix window = after(facts, Repair::reader, data.transfer_s - 0.1);
  EXPECT_EQ(window.bound, Bound::at_least);
  EXPECT_NEAR(window.goodput_bps.value_or(0), 18e6, 0.1e6);
  EXPECT_THAT(window.basis, ::testing::HasSubstr("as its fastest stretch went")) << window.basis;
}

TEST(Prediction, OneLossIsNoRateOfLoss) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 50e6);
  const double without = after(facts, Repair::window, 6).goodput_bps.value_or(0);
  download_of(facts).lost_packets = 4;
  download_of(facts).loss_episodes = 1;
  EXPECT_DOUBLE_EQ(after(facts, Repair::window, 6).goodput_bps.value_or(0), without);
}

TEST(Prediction, BurstsBeyondWhatWasKeptUpAreNotPromised) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 90e6);
  DirectionFacts& data = download_of(facts);
  data.trains.p90_bps = 300e6;
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(400, {});
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 125'000;  // 50 Mbit/s
  const AfterFix window = after(facts, Repair::window, 6);
  EXPECT_EQ(window.bound, Bound::at_least);
  EXPECT_LE(window.goodput_bps.value_or(1e12), 45e6);
  EXPECT_THAT(window.basis,
              ::testing::HasSubstr("as its fastest stretch went; bursts arrived at 90"))
      << "not the seconds that are left";
}

TEST(Prediction, AFewPacketsBetweenLossesDoNotShowWhatThePathCarries) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  show_path(facts, 500e6);
  DirectionFacts& data = download_of(facts);
  data.trains.p90_bps = 900e6;  // taken in one go, now and then
  data.timeline.bin_s = 0.02;
  data.timeline.bins.assign(400, {});
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 25'000;  // 10 Mbit/s
  const AfterFix loss = after(facts, Repair::loss, 6);
  EXPECT_EQ(loss.bound, Bound::at_least);
  EXPECT_LE(loss.goodput_bps.value_or(1e12), 11e6);
  for (TimelineBin& bin : data.timeline.bins.kept()) bin.acked_bytes = 1'000'000;  // 400 Mbit/s
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::about);
}

TEST(Prediction, ARemainderAsSmallAsItsErrorIsABound) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  const double whole_s = download_of(facts).transfer_s;
  const AfterFix waits = after(facts, Repair::waits, whole_s);
  EXPECT_EQ(waits.bound, Bound::at_least);
  EXPECT_NEAR(waits.goodput_bps.value_or(0), 8e7 / (0.05 * whole_s), 1);
}

TEST(Prediction, WithoutDataNothingIsSaid) {
  Case facts = healthy_case();
  download_of(facts).bytes = 0;
  EXPECT_EQ(bound_of(after(facts, Repair::loss, 1)), Bound::unknown);
}

Finding claim(std::string_view fault, double seconds, Severity severity = Severity::fault) {
  Finding finding;
  finding.fault = fault;
  finding.severity = severity;
  finding.confidence = 0.9;
  finding.connections = {0};
  finding.direction = Direction::to_client;
  finding.seconds_lost = seconds;
  return finding;
}

TEST(Steps, SeveralCausesAreRepairedOneByOne) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  show_path(facts, 50e6);
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("server-think-time", 3), claim("random-loss", 5)});
  ASSERT_EQ(diagnosis.steps.size(), 2U);
  EXPECT_EQ(diagnosis.findings[diagnosis.steps[0].finding].fault, "random-loss");
  EXPECT_EQ(diagnosis.findings[diagnosis.steps[1].finding].fault, "server-think-time");
  EXPECT_GE(*diagnosis.steps[1].after.goodput_bps, *diagnosis.steps[0].after.goodput_bps);
}

TEST(Steps, OneCauseNeedsNoOrder) {
  EXPECT_TRUE(
      detect::synthesise(healthy_case({.seconds = 10}), {claim("random-loss", 5)}).steps.empty());
}

TEST(Steps, AWindowHiddenBehindAFaultIsNamed) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  show_path(facts, 500e6);
  download_of(facts).window.shift = 0;
  download_of(facts).window.knowledge = ScaleKnowledge::not_in_use;
  const Diagnosis diagnosis = detect::synthesise(facts, {claim("random-loss", 8)});
  EXPECT_EQ(diagnosis.verdict, "random-loss");
  ASSERT_EQ(diagnosis.steps.size(), 2U);
  const Finding& hidden = diagnosis.findings[diagnosis.steps[1].finding];
  EXPECT_EQ(hidden.fault, "wscale-absent");
  EXPECT_EQ(hidden.severity, Severity::suspect);
}

TEST(Steps, BehindAPolicerAWindowBelowUsualPathsIsNamed) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  download_of(facts).window.shift = 0;  // 26 Mbit/s in 20 ms
  const auto named = [&] {
    const Diagnosis diagnosis = detect::synthesise(facts, {claim("policer", 8)});
    return std::ranges::any_of(diagnosis.findings, [](const Finding& finding) {
      return finding.fault == "rwnd-limited" && finding.severity == Severity::suspect;
    });
  };
  EXPECT_TRUE(named());
  download_of(facts).window.shift = 3;  // 209 Mbit/s
  EXPECT_TRUE(named());
  download_of(facts).window.shift = 4;  // 419 Mbit/s
  EXPECT_FALSE(named());
}

TEST(Steps, NoWindowIsSuspectedWithoutAFault) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  show_path(facts, 500e6);
  download_of(facts).window.shift = 0;
  EXPECT_TRUE(
      detect::synthesise(facts, {claim("random-loss", 8, Severity::suspect)}).steps.empty());
  EXPECT_TRUE(detect::synthesise(facts, {}).findings.empty());
}

TEST(Prediction, AnswersTakeTheirRoundTrips) {
  Case facts = healthy_case({.bytes = 2'400'000, .seconds = 8});
  show_path(facts, 1e9);
  const std::uint32_t mss = download_of(facts).segment_size;
  ASSERT_EQ(mss, 1448U);
  facts.connections[0].beside.exchanges.count = 11;
  // Twelve answers of 200 000 bytes, windows of 14 480 doubled: 4 round trips of 20 ms for the
  // first, 2 for the second, 1 for each of ten; their last rounds at 1 Gbit/s.
  const double bits_s = (98'640 + 84'160 + 10 * 200'000) * 8 / 1e9;
  EXPECT_NEAR(2'400'000 * 8 / after(facts, Repair::loss, 6).goodput_bps.value_or(1),
              16 * 0.020 + bits_s, 1e-6);
  facts.connections[0].beside.exchanges.count = 1199;
  // Answers that one window holds take one.
  EXPECT_NEAR(2'400'000 * 8 / after(facts, Repair::loss, 6).goodput_bps.value_or(1),
              1200 * 0.020 + 2'400'000 * 8 / 1e9, 1e-6);
}

TEST(Prediction, GapsThatAgreeAreThePathsRateWhereNoBurstFillsIt) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 48e6, 10e6);
  facts.connections[0].beside.first_fin = Direction::to_client;
  const AfterFix loss = after(facts, Repair::loss, 6);
  EXPECT_EQ(loss.bound, Bound::about);
  // 120 000 bytes fill 20 ms at 48 Mbit/s: four rounds, 217 200 bytes; then the rest at the rate,
  // and a round trip for the last ACK.
  EXPECT_NEAR(8e7 / loss.goodput_bps.value_or(1), 5 * 0.020 + (10'000'000 - 217'200) * 8 / 48e6,
              1e-3);
  EXPECT_NE(loss.basis.find("by the spacing of 500"), std::string::npos) << loss.basis;
}

TEST(Prediction, GapsThatATransferOutranAreNotThePaths) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 20e6, 40e6);
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::at_least);
}

TEST(Prediction, WhatHostsTakeInOneGoIsNotThePaths) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 3e9, 20e6);
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::at_least);
  EXPECT_LE(after(facts, Repair::loss, 6).goodput_bps.value_or(1e12), 40e6);
  facts.connections[0].beside.first_fin = Direction::to_client;
  space_path(facts, 3e9, 600e6);
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::about);
}

TEST(Prediction, AFewSegmentsInFlightFillNoPath) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 12e6, 10e6);
  charge(download_of(facts), TimeOwner::bottleneck, 2);
  EXPECT_EQ(after(facts, Repair::nothing, 0).bound, Bound::about);
  facts.connections[0].beside.first_fin.reset();
  download_of(facts).flight_plateau_bytes = 2 * 1448;
  EXPECT_EQ(after(facts, Repair::nothing, 0).bound, Bound::at_least);
}

TEST(Prediction, WhatTheTransferPassedIsNoCeiling) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin.reset();
  const double goodput = download_of(facts).goodput_bps;
  space_path(facts, 0.8 * goodput, goodput);  // a host that wakes at its scheduler's pace
  charge(download_of(facts), TimeOwner::bottleneck, 2);
  EXPECT_GE(after(facts, Repair::nothing, 0).goodput_bps.value_or(0), 0.99 * goodput);
}

TEST(Prediction, AWindowThatHeldLongerThanThePathHidesWhatItCarries) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  space_path(facts, 20e6, 12e6);
  download_of(facts).trains.p90_bps = 300e6;  // bursts agree on nothing
  charge(download_of(facts), TimeOwner::bottleneck, 2);
  EXPECT_EQ(after(facts, Repair::window, 5).bound, Bound::about);
  charge(download_of(facts), TimeOwner::receive_window, 5);
  EXPECT_EQ(after(facts, Repair::window, 5).bound, Bound::at_least);
}

TEST(Steps, BehindAStepThatTellsNothingNothingIsTold) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  show_path(facts, 50e6);
  const Diagnosis diagnosis =
      detect::synthesise(facts, {claim("conntrack-invalid", 5), claim("random-loss", 3)});
  ASSERT_EQ(diagnosis.steps.size(), 2U);
  EXPECT_EQ(bound_of(diagnosis.steps[1].after), Bound::unknown);
}

TEST(Prediction, GapsOfAProgramsOwnRhythmAreNotThePaths) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  space_path(facts, 22e6, 20e6);
  EXPECT_EQ(after(facts, Repair::sender, 1).bound, Bound::at_least);
  space_path(facts, 48e6, 20e6);
  EXPECT_EQ(after(facts, Repair::sender, 1).bound, Bound::about);
}

TEST(Prediction, GapsAsLongAsARoundTripArePathsOnlyWhereItQueues) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8, .rtt_s = 0.0002});
  space_path(facts, 48e6, 10e6);  // 241 us: one segment in flight leaves them too
  EXPECT_EQ(after(facts, Repair::loss, 6).bound, Bound::at_least);
  charge(download_of(facts), TimeOwner::bottleneck, 2);
  download_of(facts).flight_plateau_bytes = 20 * 1448;
  const AfterFix loss = after(facts, Repair::loss, 6);
  EXPECT_EQ(loss.bound, Bound::about);
  EXPECT_NEAR(loss.goodput_bps.value_or(0), 48e6, 0.5e6);
}

TEST(Prediction, WaitsBetweenBoundsThatMeetAreAMeasure) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8, .vantage = Vantage::receiver});
  space_path(facts, 48e6, 25e6);
  // From below: 8e7 bits in 2 s and 5 % of the 6 s lost; from above: the path, for the end was not
  // seen. The answer is the root of both.
  const double transfer_s = download_of(facts).transfer_s;
  const double least = 8e7 / (transfer_s - 6 + 0.3);
  const AfterFix waits = after(facts, Repair::waits, 6);
  EXPECT_EQ(waits.bound, Bound::about);
  EXPECT_NEAR(waits.goodput_bps.value_or(0), std::sqrt(least * 48e6), 1);
  // A path far above leaves the bound.
  space_path(facts, 200e6, 100e6);
  const AfterFix open = after(facts, Repair::waits, 6);
  EXPECT_EQ(open.bound, Bound::at_least);
  EXPECT_NEAR(open.goodput_bps.value_or(0), least, 1);
}

TEST(Prediction, WaitsGoneLeaveTheRoundTripsOfExchanges) {
  Case facts = healthy_case({.bytes = 100'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  facts.connections[0].beside.exchanges.count = 99;
  const double transfer_s = download_of(facts).transfer_s;
  // A hundred answers of 1000 bytes take 2 s of round trips; 5.9 s of waits leave about as much.
  const AfterFix waits = after(facts, Repair::waits, transfer_s - 2.1);
  EXPECT_EQ(waits.bound, Bound::about);
  EXPECT_LE(waits.goodput_bps.value_or(1e12), 8e5 / 2);
  EXPECT_GE(waits.goodput_bps.value_or(0), 8e5 / 2.5);
  // Where nearly all is said to be lost, the round trips still are a bound that none passes.
  const AfterFix most = after(facts, Repair::waits, transfer_s);
  EXPECT_LE(most.goodput_bps.value_or(1e12), 8e5 / 2 + 1);
  // Fewer turns are what repairs a ping-pong: their round trips go as well.
  EXPECT_GT(after(facts, Repair::turns, transfer_s).goodput_bps.value_or(0), 8e5 / 2 + 1);
}

TEST(Prediction, WaitsForDelayedAcksAreTheAccounts) {
  Case facts = healthy_case({.bytes = 100'000, .seconds = 8});
  facts.connections[0].beside.first_fin = Direction::to_client;
  facts.connections[0].beside.exchanges.count = 99;
  DirectionFacts& data = download_of(facts);
  // A hundred round trips of 20 ms are 2 s, the account leaves 2.4: about 2.2.
  charge(data, TimeOwner::delayed_ack, data.transfer_s - 2.4);
  const AfterFix acks = after(facts, Repair::acks, data.transfer_s - 3);
  EXPECT_EQ(acks.bound, Bound::about);
  EXPECT_NEAR(acks.goodput_bps.value_or(0), 8e5 / 2.2, 1e4);
  // Less than the round trips take cannot be left, and where it is much less, one of them is wrong.
  charge(data, TimeOwner::delayed_ack, 0.7);
  EXPECT_NEAR(after(facts, Repair::acks, data.transfer_s - 3).goodput_bps.value_or(0), 8e5 / 2,
              5e3);
  charge(data, TimeOwner::delayed_ack, 0.7);
  EXPECT_EQ(after(facts, Repair::acks, data.transfer_s - 3).goodput_bps,
            after(facts, Repair::waits, data.transfer_s - 3).goodput_bps);
  // Far from them, it is left to the waits that were proved.
  Case lone = healthy_case({.bytes = 100'000, .seconds = 8});
  charge(download_of(lone), TimeOwner::delayed_ack, 4);
  EXPECT_EQ(after(lone, Repair::acks, 3).goodput_bps, after(lone, Repair::waits, 3).goodput_bps);
}

TEST(Prediction, AnUnfinishedTransferThatStaysIsMeasuredWhereThePathAllowsNoMore) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 8});
  facts.connections[0].beside.first_fin.reset();
  EXPECT_EQ(after(facts, Repair::nothing, 0).bound, Bound::at_least);
  const double goodput = download_of(facts).goodput_bps;
  space_path(facts, 4 * goodput, goodput);
  EXPECT_EQ(after(facts, Repair::nothing, 0).bound, Bound::at_least);
  // Gaps that are no wider than the transfer itself are the path's where it queues.
  space_path(facts, 1.2 * goodput, goodput);
  EXPECT_EQ(after(facts, Repair::nothing, 0).bound, Bound::at_least);
  charge(download_of(facts), TimeOwner::bottleneck, 2);
  const AfterFix same = after(facts, Repair::nothing, 0);
  EXPECT_EQ(same.bound, Bound::about);
  EXPECT_DOUBLE_EQ(same.goodput_bps.value_or(0), goodput);  // "stays as it is", and so it reads
}

TEST(Steps, AWindowThatWasNeverReachedIsPromisedNoMoreThanPassesNow) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  download_of(facts).window.shift = 0;
  const Diagnosis diagnosis = detect::synthesise(facts, {claim("policer", 8)});
  ASSERT_EQ(diagnosis.steps.size(), 2U);
  EXPECT_EQ(diagnosis.findings[diagnosis.steps[1].finding].fault, "rwnd-limited");
  const AfterFix& after = diagnosis.steps[1].after;
  EXPECT_EQ(bound_of(after), Bound::at_least);
  EXPECT_DOUBLE_EQ(after.goodput_bps.value_or(0), download_of(facts).goodput_bps);
  EXPECT_TRUE(after.basis.starts_with("it was never reached")) << after.basis;
}

TEST(Steps, MoreRepairsPromiseNoLess) {
  Case facts = healthy_case({.bytes = 500'000, .seconds = 36});
  DirectionFacts& data = download_of(facts);
  data.window.shift = 0;
  charge(data, TimeOwner::timeout, 27);
  data.timeout_s = 27;
  data.lost_packets = 20;
  const Diagnosis diagnosis = detect::synthesise(facts, {claim("random-loss", 27)});
  ASSERT_EQ(diagnosis.steps.size(), 2U);
  const AfterFix& first = diagnosis.steps[0].after;
  const AfterFix& then = diagnosis.steps[1].after;
  EXPECT_GT(first.goodput_bps.value_or(0), 1.5 * data.goodput_bps);
  EXPECT_EQ(bound_of(then), Bound::at_least);
  EXPECT_GE(then.goodput_bps.value_or(0), first.goodput_bps.value_or(0)) << then.basis;
  EXPECT_TRUE(then.basis.starts_with("it was never reached")) << then.basis;
}

TEST(Steps, BehindLossesThatNothingExplainsAWindowIsSuspected) {
  Case facts = healthy_case({.bytes = 10'000'000, .seconds = 10});
  DirectionFacts& data = download_of(facts);
  data.window.shift = 0;  // 26 Mbit/s in 20 ms
  const auto named = [&] {
    const Diagnosis diagnosis = detect::synthesise(facts, {});
    return std::ranges::any_of(diagnosis.findings, [](const Finding& finding) {
      return finding.fault == "rwnd-limited" && finding.severity == Severity::suspect;
    });
  };
  EXPECT_FALSE(named());
  data.resent_packets = data.lost_packets = 20;
  charge(data, TimeOwner::timeout, 6);
  EXPECT_EQ(detect::synthesise(facts, {}).verdict, "unclear");
  EXPECT_TRUE(named());
}

}  // namespace
}  // namespace slowpath::testing
