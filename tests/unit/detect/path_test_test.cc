// SPDX-License-Identifier: Apache-2.0
// What path tests prove, and what they must not: facts by hand, no network.
#include "detect/path_test.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace slowpath::detect {
namespace {

constexpr IpAddress kPeer{.bytes = {10, 0, 0, 9}, .version = 4};
constexpr IpAddress kRouter{.bytes = {10, 0, 0, 254}, .version = 4};

SizeSweep sweep(SizeProbeKind kind, std::uint32_t passes, std::uint32_t fails,
                Direction direction = Direction::to_server) {
  SizeSweep sweep;
  sweep.kind = kind;
  sweep.direction = direction;
  sweep.ceiling_bytes = 1500;
  sweep.largest_passed_bytes = passes;
  sweep.smallest_failed_bytes = fails;
  sweep.sizes.push_back({passes, 10, 10, 0});
  if (fails > 0) sweep.sizes.push_back({fails, 10, 0, 0});
  sweep.control_sent = sweep.control_passed = 10;
  sweep.finished = true;
  return sweep;
}

/// What UDP towards a closed port shows of an edge that echo found.
SizeSweep udp_edge(std::uint32_t passes, std::uint32_t fails) {
  return sweep(SizeProbeKind::udp, passes, fails);
}

PathTestFacts facts_with(std::vector<SizeSweep> sweeps) {
  PathTestFacts facts;
  facts.peer = kPeer;
  facts.mtu.emplace();
  facts.mtu->interface_mtu_bytes = 1500;
  facts.mtu->sweeps = std::move(sweeps);
  return facts;
}

PathTestFacts facts_of_latency() {
  PathTestFacts facts;
  facts.peer = kPeer;
  facts.with_peer = true;
  facts.latency.emplace();
  facts.latency->idle = RoundTrips{
      .sent = 20, .answered = 20, .min_s = 0.01, .median_s = 0.011, .p95_s = 0.012, .max_s = 0.013};
  return facts;
}

std::string verdict(const PathTestFacts& facts) { return diagnose_path_test(facts).verdict; }

const Finding* find(const std::vector<Finding>& findings, std::string_view fault) {
  const auto found = std::ranges::find(findings, fault, &Finding::fault);
  return found == findings.end() ? nullptr : &*found;
}

TEST(PathTest, EverythingPassesIsHealthy) {
  EXPECT_EQ(verdict(facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 0)})), "healthy");
}

TEST(PathTest, NothingAnsweredIsUnclear) {
  SizeSweep silent;
  silent.unable = "no answer";
  EXPECT_EQ(verdict(facts_with({silent})), "unclear");
}

TEST(PathTest, ASilentEdgeByUdpIsABlackHole) {
  EXPECT_EQ(
      verdict(facts_with({sweep(SizeProbeKind::icmp_echo, 1400, 1401), udp_edge(1400, 1401)})),
      "pmtud-blackhole");
}

TEST(PathTest, ASilentEdgeByPingAloneIsASuspect) {
  const Diagnosis diagnosis =
      diagnose_path_test(facts_with({sweep(SizeProbeKind::icmp_echo, 1400, 1401)}));
  EXPECT_EQ(diagnosis.verdict, "unclear");
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].severity, Severity::suspect);
  EXPECT_FALSE(diagnosis.look_next.empty());
}

TEST(PathTest, AReportedEdgeIsHowItShouldBe) {
  SizeSweep told = sweep(SizeProbeKind::icmp_echo, 1400, 1401);
  told.sizes.back().reported = 10;
  told.reports.push_back({kRouter, 1400, 10, 1401, 1500, std::nullopt});
  EXPECT_EQ(verdict(facts_with({told})), "healthy");
}

TEST(PathTest, TheWayBackIsNamedWhereUdpPassesOnTheWayThere) {
  const auto findings = inspect_path_test(facts_with(
      {sweep(SizeProbeKind::icmp_echo, 1400, 1401), sweep(SizeProbeKind::udp, 1500, 0)}));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].direction, Direction::to_client);
  EXPECT_EQ(findings[0].severity, Severity::suspect);
}

TEST(PathTest, ThePeerProvesEachWay) {
  const auto findings = inspect_path_test(
      facts_with({sweep(SizeProbeKind::udp_peer, 1500, 0),
                  sweep(SizeProbeKind::udp_peer, 1400, 1401, Direction::to_client)}));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].fault, "pmtud-blackhole");
  EXPECT_EQ(findings[0].direction, Direction::to_client);
  EXPECT_EQ(findings[0].severity, Severity::fault);
}

TEST(PathTest, JumboFramesOnOneLinkAreAMismatchAndBehindARouterABlackHole) {
  PathTestFacts facts =
      facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 1501), udp_edge(1500, 1501)});
  facts.mtu->interface_mtu_bytes = 9000;
  PathHop target;
  target.ttl = 1;
  target.address = kPeer;
  target.is_target = true;
  facts.mtu->hops = {target};
  EXPECT_EQ(verdict(facts), "jumbo-mismatch");
  const auto findings = inspect_path_test(facts);
  const bool has_arithmetic = std::ranges::any_of(findings[0].evidence, [](const Evidence& item) {
    return item.text.find("ping -M do -s 1472 10.0.0.9 is 1500 bytes") != std::string::npos;
  });
  EXPECT_TRUE(has_arithmetic);
  PathHop router;
  router.ttl = 1;
  router.address = kRouter;
  facts.mtu->hops = {router, target};
  EXPECT_EQ(verdict(facts), "pmtud-blackhole");
}

TEST(PathTest, AnMtuThatTheRefusedPacketKeepsToIsBogus) {
  SizeSweep bogus = sweep(SizeProbeKind::icmp_echo, 1400, 1401);
  bogus.sizes.back().reported = 10;
  bogus.reports.push_back({kRouter, 1500, 10, 1401, 1500, std::nullopt});
  EXPECT_EQ(verdict(facts_with({bogus, udp_edge(1400, 1401)})), "icmp-bogus-mtu");
}

TEST(PathTest, TwoHonestRoutersAreNotBogus) {
  SizeSweep told = sweep(SizeProbeKind::icmp_echo, 1400, 1401);
  told.sizes.back().reported = 10;
  told.reports.push_back({kRouter, 1450, 3, 1460, 1500, std::nullopt});
  told.reports.push_back({kPeer, 1400, 10, 1401, 1450, std::nullopt});
  EXPECT_EQ(verdict(facts_with({told})), "healthy");
}

TEST(PathTest, AKernelThatKeepsTooSmallIsNamed) {
  PathTestFacts facts = facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 0)});
  facts.mtu->kernel_pmtu_bytes = 1500;
  EXPECT_EQ(verdict(facts), "healthy");
  facts.mtu->kernel_pmtu_bytes = 576;
  EXPECT_EQ(verdict(facts), "pmtu-stuck-low");
}

FragmentTest fragments(bool out_of_order, std::uint32_t arrived, bool by_peer = true) {
  FragmentTest test;
  test.out_of_order = out_of_order;
  test.ip_bytes = 3750;
  test.fragments = 3;
  test.sent = test.whole_sent = test.whole_arrived = 10;
  test.arrived = arrived;
  test.by_peer = by_peer;
  return test;
}

TEST(PathTest, Fragments) {
  PathTestFacts facts = facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 0)});
  facts.mtu->fragments = {fragments(false, 10, false), fragments(true, 10, false)};
  EXPECT_EQ(verdict(facts), "healthy");
  facts.mtu->fragments = {fragments(false, 0), fragments(true, 0)};
  EXPECT_EQ(verdict(facts), "fragments-dropped");
  facts.mtu->fragments = {fragments(false, 0, false), fragments(true, 0, false)};
  EXPECT_EQ(verdict(facts), "unclear");
  facts.mtu->fragments = {fragments(false, 10, false), fragments(true, 0, false)};
  EXPECT_EQ(verdict(facts), "fragments-ooo-dropped");
  facts.mtu->fragments = {fragments(false, 9, false), fragments(true, 8, false)};
  EXPECT_EQ(verdict(facts), "healthy");
}

TEST(PathTest, TheFarEndsCountOfFragmentsTellsTheWay) {
  PathTestFacts facts = facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 0)});
  FragmentTest back = fragments(false, 0);
  back.direction = Direction::to_client;
  facts.mtu->fragments = {fragments(false, 0, false), fragments(true, 0, false),
                          fragments(false, 10), back};
  const auto findings = inspect_path_test(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].fault, "fragments-dropped");
  EXPECT_EQ(findings[0].direction, Direction::to_client);
}

SegmentTest segments(std::uint32_t singles_resent, std::uint32_t bursts_resent) {
  SegmentTest test;
  test.mss_bytes = 1448;
  test.singles_sent = 8;
  test.singles_resent = singles_resent;
  test.bursts = 6;
  test.bursts_resent = bursts_resent;
  test.burst_bytes = std::uint64_t{6} * 4 * 1448;
  test.timeouts = bursts_resent;
  test.singles_done = test.bursts_done = true;
  test.kernel_pmtu_after = 1500;
  return test;
}

TEST(PathTest, LargeSends) {
  PathTestFacts facts = facts_with({sweep(SizeProbeKind::icmp_echo, 1500, 0)});
  facts.mtu->segments = {segments(0, 0)};
  EXPECT_EQ(verdict(facts), "healthy");
  facts.mtu->segments = {segments(0, 6)};
  EXPECT_EQ(verdict(facts), "lso-not-segmented");
  facts.mtu->segments[0].too_big_in_singles = 0;
  facts.mtu->segments[0].too_big_in_bursts = 6;
  EXPECT_EQ(verdict(facts), "icmp-fragneeded-coalesced");
  facts.mtu->segments = {segments(5, 6)};  // Singles die, too: not the super-frames.
  EXPECT_EQ(verdict(facts), "healthy");
  facts.mtu->segments = {segments(0, 2)};  // Some loss.
  EXPECT_EQ(verdict(facts), "healthy");
}

LatencyTest::Loaded loaded(double median_s) {
  LatencyTest::Loaded loaded;
  loaded.trips = {.sent = 20,
                  .answered = 20,
                  .min_s = 0.01,
                  .median_s = median_s,
                  .p95_s = median_s,
                  .max_s = median_s};
  loaded.load_bps = 1e8;
  return loaded;
}

TEST(PathTest, AQueueUnderLoad) {
  PathTestFacts facts = facts_of_latency();
  facts.latency->loaded = {loaded(0.03)};
  EXPECT_EQ(verdict(facts), "healthy");
  facts.latency->loaded = {loaded(0.4)};
  EXPECT_EQ(verdict(facts), "bufferbloat");
  facts.latency->loaded[0].own_busy_share = 0.99;  // The processors may be why.
  EXPECT_EQ(verdict(facts), "unclear");
  facts.latency->loaded[0].load_bps = 5e9;  // No port holds so much.
  EXPECT_EQ(verdict(facts), "healthy");
}

DatagramRun run_at(double share, std::uint64_t lost, std::uint64_t in_runs) {
  DatagramRun run;
  run.ip_bytes = 1400;
  run.rate_share = share;
  run.offered_bps = share * 1e8;
  run.late_bps = run.offered_bps;
  run.sent = 10000;
  run.received = 10000 - lost;
  run.loss_runs = in_runs;
  return run;
}

TEST(PathTest, LossWithoutLoadIsRandomAndLossUnderLoadIsNot) {
  PathTestFacts facts = facts_of_latency();
  facts.latency->runs = {run_at(0.1, 0, 0), run_at(0.5, 0, 0), run_at(0.9, 300, 10)};
  EXPECT_EQ(verdict(facts), "healthy");
  facts.latency->runs = {run_at(0.1, 90, 89), run_at(0.5, 100, 99), run_at(0.9, 110, 100)};
  EXPECT_EQ(verdict(facts), "random-loss");
  facts.latency->runs = {run_at(0.1, 2, 2), run_at(0.9, 2, 2)};
  EXPECT_EQ(verdict(facts), "healthy");
}

/// Twice 20 Mbit/s for a second through a limit of 20 that holds `room_bytes`: what exceeds it is
/// dropped, or waits first. `credit_bytes` pass without waiting.
DatagramRun overload(double room_bytes, bool waits, double credit_bytes = 0) {
  constexpr double kSent = 40e6, kLimit = 20e6;
  DatagramRun run;
  run.ip_bytes = 1000;
  run.rate_share = 2;
  run.offered_bps = run.sent_bps = kSent;
  run.sent = 5000;
  run.late_bps = kLimit;
  const double full_s = (room_bytes + credit_bytes) * 8 / (kSent - kLimit);
  run.first_lost = static_cast<std::uint64_t>(full_s * kSent / 8 / run.ip_bytes);
  run.received = std::min<std::uint64_t>(
      5000, 2500 + static_cast<std::uint64_t>((room_bytes + credit_bytes) / run.ip_bytes));
  if (run.received == run.sent) run.first_lost.reset();
  run.loss_runs = run.sent - run.received;
  run.longest_loss_run = 1;
  for (int i = 0; i < 48; ++i) {
    const double at_s = i / 48.0;
    const double behind = std::min(at_s * (kSent - kLimit) / 8, room_bytes + credit_bytes);
    const double delay_s = std::max(0.0, behind - credit_bytes) * 8 / kLimit;
    run.course.emplace_back(at_s, waits ? delay_s : 0.0001);
    if (waits) run.delay_growth_s = delay_s;
  }
  return run;
}

PathTestFacts facts_of_overload(const DatagramRun& over, std::uint64_t lost_below = 0) {
  PathTestFacts facts = facts_of_latency();
  facts.latency->runs = {run_at(0.1, lost_below, lost_below), run_at(0.5, lost_below, lost_below),
                         run_at(0.9, lost_below, lost_below), over};
  return facts;
}

// A shaper that a run would have shown is not ruled out by a run that could not be sent.
TEST(PathTest, HealthSaysWhichRunsTellNothing) {
  DatagramRun over = overload(400'000, true, 200'000);
  over.unable = "the sending host did not send all of it";
  const Diagnosis diagnosis = diagnose_path_test(facts_of_overload(over));
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_LE(diagnosis.confidence, 0.7);
  EXPECT_NE(diagnosis.summary.find("did not send all of it"), std::string::npos);
}

TEST(PathTest, WhatExceedsARateAndIsDroppedAtOnceIsPoliced) {
  const auto findings = inspect_path_test(facts_of_overload(overload(100'000, false)));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].fault, "policer");
  EXPECT_EQ(findings[0].severity, Severity::fault);
  // Losses below the rate are somebody else's.
  EXPECT_EQ(find(inspect_path_test(facts_of_overload(overload(100'000, false), 90)), "policer"),
            nullptr);
}

TEST(PathTest, ARoomTooSmallToDelayIsASuspectOnly) {
  const auto findings = inspect_path_test(facts_of_overload(overload(2'000, false)));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].fault, "policer");
  EXPECT_EQ(findings[0].severity, Severity::suspect);
}

TEST(PathTest, AQueueThatIsManagedShowsItsDelayFirst) {
  DatagramRun over = overload(400'000, false);  // drops from 0.16 s on
  ASSERT_NE(find(inspect_path_test(facts_of_overload(over)), "policer"), nullptr);
  for (auto& [at_s, delay_s] : over.course) delay_s = at_s < 0.16 ? at_s : 0.0001;
  EXPECT_EQ(find(inspect_path_test(facts_of_overload(over)), "policer"), nullptr);
  EXPECT_EQ(verdict(facts_of_overload(over)), "healthy");
  // One late packet is no queue.
  for (auto& [at_s, delay_s] : over.course) delay_s = at_s > 0.1 && at_s < 0.11 ? 0.2 : 0.0001;
  EXPECT_EQ(verdict(facts_of_overload(over)), "policer");
}

TEST(PathTest, WhatWaitsInAQueueIsALinkAndHealthy) {
  for (const double room : {60'000.0, 250'000.0, 10e6}) {
    const PathTestFacts facts = facts_of_overload(overload(room, true));
    EXPECT_EQ(verdict(facts), "healthy") << room;
    EXPECT_EQ(find(inspect_path_test(facts), "policer"), nullptr) << room;
  }
}

TEST(PathTest, ACreditBeforeTheQueueIsAShaper) {
  const PathTestFacts facts = facts_of_overload(overload(250'000, true, 200'000));
  EXPECT_EQ(verdict(facts), "shaper");
}

std::string verdict_while_busy(const DatagramRun& over, double delay_below_s = 0.001) {
  PathTestFacts facts = facts_of_overload(over);
  for (DatagramRun& run : facts.latency->runs) {
    if (run.rate_share < 1) run.delay_growth_s = delay_below_s;
  }
  facts.latency->loaded = {loaded(0.012)};
  facts.latency->loaded[0].own_busy_share = 0.95;
  return verdict(facts);
}

TEST(PathTest, ABusyHostStopsAndGoesAndALimitDoesNot) {
  const DatagramRun policed = overload(100'000, false);
  EXPECT_EQ(verdict_while_busy(policed), "policer");
  // All that was lost, while the host stood still a few times.
  DatagramRun over = policed;
  over.loss_runs = 8;
  EXPECT_EQ(verdict_while_busy(over), "unclear");
  over = policed;
  over.longest_loss_run = over.sent / 10;
  EXPECT_EQ(verdict_while_busy(over), "unclear");
  over = policed;
  over.late_bps *= 0.9;  // it became slower
  EXPECT_EQ(verdict_while_busy(over), "unclear");
}

TEST(PathTest, ABusyHostDelaysBelowTheRateAsWell) {
  const DatagramRun shaped = overload(250'000, true, 200'000);
  EXPECT_EQ(verdict_while_busy(shaped), "shaper");
  EXPECT_EQ(verdict_while_busy(shaped, 0.08), "unclear");
  // An ordinary link of that rate stays one.
  EXPECT_EQ(verdict_while_busy(overload(250'000, true)), "healthy");
  DatagramRun over = shaped;
  over.rate_share = 2.3;  // TCP reached 13 % less: something else held it
  EXPECT_EQ(verdict_while_busy(over), "unclear");
}

TEST(PathTest, DelaysThatFollowNoCreditAreNoShaper) {
  DatagramRun over = overload(250'000, true, 200'000);
  for (std::size_t i = 0; i < over.course.size(); ++i)
    over.course[i].second = i % 3 == 0 ? 0.1 : 0.02;  // a host that stops and goes
  EXPECT_EQ(verdict(facts_of_overload(over)), "healthy");
  DatagramRun slow = overload(250'000, true, 200'000);
  slow.rate_share = 4;  // TCP reached half of it: the rate is not what held TCP.
  EXPECT_EQ(verdict(facts_of_overload(slow)), "healthy");
}

TEST(PathTest, APathThatTakesTwiceTheRateHasNoLimitThere) {
  DatagramRun over = overload(100'000, false);
  over.late_bps = over.sent_bps;
  over.received = over.sent;
  over.first_lost.reset();
  EXPECT_TRUE(inspect_path_test(facts_of_overload(over)).empty());
}

TEST(PathTest, LossThatTheReceiverCountsAsDamageIsDamage) {
  PathTestFacts facts = facts_of_latency();
  facts.latency->runs = {run_at(0.1, 90, 89), run_at(0.5, 100, 99)};
  for (DatagramRun& run : facts.latency->runs) run.damaged = 85;
  EXPECT_EQ(verdict(facts), "csum-bad-on-arrival");
}

TEST(PathTest, LossThatGrowsWithLength) {
  PathTestFacts facts = facts_of_latency();
  LengthLoss lengths;
  lengths.sizes = {{100, 2000, 1996}, {700, 2000, 1970}, {1400, 2000, 1940}};
  facts.latency->lengths = {lengths};
  EXPECT_EQ(verdict(facts), "unclear");
  facts.latency->lengths[0].checksum_errors = 58;
  EXPECT_EQ(verdict(facts), "csum-bad-on-arrival");
  facts.latency->lengths[0].sizes = {{100, 2000, 1940}, {700, 2000, 1942}, {1400, 2000, 1939}};
  EXPECT_EQ(verdict(facts), "healthy");
}

HandshakeHeader header() {
  HandshakeHeader header;
  header.known = header.has_sequence = header.has_ip = true;
  header.options.has_mss = header.options.has_window_scale = header.options.sack_permitted =
      header.options.has_timestamps = true;
  header.options.mss = 1460;
  header.options.window_scale = 7;
  header.sequence = 1000;
  return header;
}

TEST(PathTest, BoxesThatChangeOptions) {
  PathTestFacts facts;
  facts.peer = kPeer;
  facts.middlebox.emplace();
  MiddleboxTest& boxes = *facts.middlebox;
  boxes.syn_sent = boxes.syn_seen = boxes.syn_ack_sent = boxes.syn_ack_seen = header();
  EXPECT_EQ(verdict(facts), "healthy");
  boxes.syn_seen.options.has_window_scale = false;
  EXPECT_EQ(verdict(facts), "wscale-stripped");
  EXPECT_EQ(inspect_path_test(facts)[0].direction, Direction::to_server);
  boxes.syn_seen = header();
  boxes.syn_ack_seen.options.sack_permitted = false;
  EXPECT_EQ(verdict(facts), "sack-stripped");
  EXPECT_EQ(inspect_path_test(facts)[0].direction, Direction::to_client);
  boxes.syn_ack_seen = header();
  boxes.syn_seen.options.mss = 1360;  // clamped: what such boxes are for
  EXPECT_EQ(verdict(facts), "healthy");
  EXPECT_NE(find(inspect_path_test(facts), "mss-rewritten"), nullptr);
  boxes.syn_seen.options.mss = 8960;
  EXPECT_EQ(verdict(facts), "mss-rewritten");
  boxes.syn_seen = header();
  boxes.syn_seen.options.window_scale = 10;
  EXPECT_EQ(verdict(facts), "wscale-misapplied");
  boxes.syn_sent.has_ip = false;  // What the kernel would send: the shift is not known for sure.
  EXPECT_EQ(verdict(facts), "healthy");
  boxes.syn_sent = boxes.syn_seen = header();
  boxes.syn_seen.known = false;  // One end alone proves nothing.
  boxes.syn_ack_sent.known = false;
  boxes.syn_ack_seen.options.has_window_scale = false;
  EXPECT_TRUE(inspect_path_test(facts).empty());
}

TEST(PathTest, SilenceThatIsForgotten) {
  PathTestFacts facts;
  facts.peer = kPeer;
  facts.idle.emplace();
  facts.idle->tried = 5;
  facts.idle->longest_survived_s = 60;
  EXPECT_EQ(verdict(facts), "healthy");
  facts.idle->shortest_lost_s = 61;
  EXPECT_EQ(verdict(facts), "idle-nat-drop");
}

TEST(PathTest, ManyConnections) {
  PathTestFacts facts;
  facts.peer = kPeer;
  facts.churn.emplace();
  facts.churn->attempts = facts.churn->connected = 1000;
  EXPECT_EQ(verdict(facts), "healthy");
  facts.churn->slow = 40;
  EXPECT_EQ(verdict(facts), "unclear");
  facts.churn->listen_overflows = 45;
  EXPECT_EQ(verdict(facts), "accept-queue-overflow");
  facts.churn->listen_overflows = std::nullopt;
  facts.churn->no_local_port = 10;
  EXPECT_EQ(verdict(facts), "ephemeral-exhausted");
}

}  // namespace
}  // namespace slowpath::detect
