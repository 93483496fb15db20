// SPDX-License-Identifier: Apache-2.0
// Faults that two capture points prove: each fires on what the comparison found, once for all
// views, and says nothing of it where nobody compared.
#include "detect/comparison_evidence.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/synthesis.h"
#include "detect/views.h"
#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

using ::testing::HasSubstr;

/// A download seen at the client (connection 0), a gateway (1) and the server (2), in inputs 0, 1
/// and 2.
Case three_views(const Download& download = {}) {
  Case facts = healthy_case(download);
  add_connection(facts, download);
  add_connection(facts, download);
  facts.captures.resize(3, facts.captures.front());
  ComparisonFacts& compared = facts.comparisons;
  compared.order_known = true;
  compared.connections_shared = 1;
  compared.clocks = {{.from = 0, .to = 1, .known = true}, {.from = 1, .to = 2, .known = true}};
  ComparedConnection& connection = compared.connections.emplace_back();
  const std::array<std::string, 3> names{"client", "gateway", "server"};
  for (std::uint16_t i = 0; i < 3; ++i) {
    ConnectionFacts& view = facts.connections[i];
    view.client.port = 40000;
    view.first_frame = FrameRef{i, 1};
    view.last_frame = FrameRef{i, 9000};
    compared.points.push_back({.name = names[i], .inputs = {i}});
    connection.points.push_back({i, view.client, view.server, view.first_frame, 100, view.id});
    compared.by_connection[view.id] = 0;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    BetweenFacts up;
    up.upstream = up.clock = i;
    up.downstream = i + 1;
    up.direction = Direction::to_server;
    up.upstream_bytes = 100;
    BetweenFacts down = up;
    std::swap(down.upstream, down.downstream);
    down.direction = Direction::to_client;
    down.upstream_packets = 1000;
    down.upstream_bytes = 1'000'000;
    connection.between.push_back(up);
    connection.between.push_back(down);
  }
  return facts;
}

/// The stretch from the server to the gateway (0), or from there to the client (1), of the data.
BetweenFacts& data_stretch(Case& facts, std::size_t number) {
  return facts.comparisons.connections[0].between[number == 0 ? 3 : 1];
}
/// The stretch from the client to the gateway (0), or from there to the server (1), of SYNs and
/// ACKs.
BetweenFacts& reply_stretch(Case& facts, std::size_t number) {
  return facts.comparisons.connections[0].between[number == 0 ? 0 : 2];
}

Rewrite rewrite_of(Rewritten what, std::int64_t from, std::int64_t to, std::uint64_t changed = 1) {
  Rewrite rewrite{
      .what = what, .compared = 100, .changed = changed, .from = from, .to = to, .frames = {}};
  note(rewrite.frames, {FrameRef{0, 1}, FrameRef{1, 1}});
  return rewrite;
}

/// Time that losses cost, at every view.
void lose(Case& facts) {
  for (ConnectionFacts& view : facts.connections) {
    DirectionFacts& data = view[Direction::to_client];
    charge(data, TimeOwner::timeout, 0.8);
    charge(data, TimeOwner::loss_recovery, 0.4);
    data.timeouts = 4;
    data.timeout_s = 0.8;
    data.lost_packets = 40;
    data.loss_episodes = 10;
  }
}

/// The only finding with this id over all views.
Finding only(std::string_view id, const Case& facts) {
  const std::vector<Finding> found = run(id, facts);
  EXPECT_EQ(found.size(), 1U) << id;
  return found.empty() ? Finding{} : found.front();
}

TEST(ComparisonEvidence, StretchesFollowTheData) {
  const Case facts = three_views();
  const detect::Transfer transfer{facts, facts.connections[1], Direction::to_client};
  const auto stretches = detect::stretches_of(transfer);
  ASSERT_EQ(stretches.size(), 2U);
  EXPECT_EQ(stretches[0].upstream(), "server");
  EXPECT_EQ(stretches[1].downstream(), "client");
  EXPECT_EQ(detect::reply_stretches_of(transfer)[0].upstream(), "client");
  EXPECT_FALSE(detect::speaks_for_all(transfer));
  EXPECT_TRUE(detect::speaks_for_all({facts, facts.connections[2], Direction::to_client}));
  const Case alone = healthy_case();
  EXPECT_TRUE(detect::stretches_of({alone, alone.connections[0], Direction::to_client}).empty());
}

TEST(ComparisonEvidence, AStrippedWindowScaleIsProved) {
  Case facts = three_views();
  for (ConnectionFacts& view : facts.connections) {
    WindowFacts& window = view[Direction::to_client].window;
    window.knowledge = ScaleKnowledge::not_in_use;
    window.max_bytes = window.median_bytes = 65535;
    charge(view[Direction::to_client], TimeOwner::receive_window, 1.5);
  }
  reply_stretch(facts, 1).rewrites.push_back(rewrite_of(Rewritten::window_scale, 7, -1));
  const Finding finding = only("wscale-stripped", facts);
  EXPECT_THAT(finding.claim, HasSubstr("between gateway and server"));
  EXPECT_GE(finding.evidence.size(), 2U);
  EXPECT_TRUE(finding.next_capture.empty());
  EXPECT_TRUE(run("wscale-absent", facts).empty());
}

TEST(ComparisonEvidence, StrippedSackIsProved) {
  Case facts = three_views();
  lose(facts);
  reply_stretch(facts, 0).rewrites.push_back(rewrite_of(Rewritten::sack_permitted, 1, -1));
  EXPECT_EQ(only("sack-stripped", facts).severity, Severity::fault);
}

TEST(ComparisonEvidence, ARewrittenMssIsProvedAndANoteWhileItCostsNothing) {
  Case facts = three_views();
  reply_stretch(facts, 0).rewrites.push_back(rewrite_of(Rewritten::mss, 1460, 1400));
  const Finding finding = only("mss-rewritten", facts);
  EXPECT_EQ(finding.severity, Severity::note);
  EXPECT_THAT(finding.claim, HasSubstr("was changed from 1460 on the way to 1400"));
}

TEST(ComparisonEvidence, ChangedBytesUnderGoodChecksumsAreProved) {
  Case facts = three_views();
  BetweenContents& contents = data_stretch(facts, 1).contents;
  contents.changed_good = 1;
  contents.changed_bytes = 1;
  note(contents.changed_good_frames, {FrameRef{1, 5}, FrameRef{0, 6}});
  ChangedRange range;
  range.compared = 1448;
  range.differing = 1;
  range.upstream_checksum = ChecksumSeen::unfinished;
  range.downstream_checksum = ChecksumSeen::good;
  range.expected = {std::byte{1}};
  range.seen = {std::byte{2}};
  contents.ranges.push_back(range);
  const Finding finding = only("payload-altered-csum-good", facts);
  EXPECT_EQ(finding.severity, Severity::fault);
  EXPECT_THAT(finding.claim, HasSubstr("between gateway and client"));
  contents.ranges.front().downstream_checksum = ChecksumSeen::bad;
  EXPECT_TRUE(run("payload-altered-csum-good", facts).empty());
}

TEST(ComparisonEvidence, FramesMergedAndThenLostAreAForwardersFault) {
  Case facts = three_views();
  lose(facts);
  data_stretch(facts, 0).cuts.merged = 20;
  BetweenLosses& losses = data_stretch(facts, 1).losses;
  losses.packets = losses.large_lost = 20;
  losses.single_passed = 500;
  losses.large_then_pieces = 50'000;
  EXPECT_EQ(only("gro-forward-broken", facts).severity, Severity::fault);
  // Nobody merged them: they left their sender so.
  data_stretch(facts, 0).cuts.merged = 0;
  EXPECT_TRUE(run("gro-forward-broken", facts).empty());
}

TEST(ComparisonEvidence, SackBlocksThatStayBehindAreProved) {
  Case facts = three_views();
  lose(facts);
  reply_stretch(facts, 1).rewrites.push_back(rewrite_of(Rewritten::sack_blocks, -1'000'000, 0, 50));
  const Finding finding = only("sack-mangled", facts);
  EXPECT_EQ(finding.severity, Severity::fault);
  EXPECT_THAT(finding.claim, HasSubstr("-1000000"));
}

TEST(ComparisonEvidence, IcmpThatDoesNotPassIsProved) {
  Case facts = three_views();
  lose(facts);
  BetweenIcmp& icmp = data_stretch(facts, 0).icmp;
  icmp.filtered_between = 4;
  icmp.from.version = 4;
  icmp.type = 3;
  icmp.code = 4;
  icmp.mtu = 1400;
  icmp.quoted_ip_len = 1500;
  EXPECT_EQ(only("icmp-filtered", facts).severity, Severity::fault);
  icmp.passed = 1;  // one came through: that filter is none
  EXPECT_TRUE(run("icmp-filtered", facts).empty());
}

TEST(ComparisonEvidence, ChecksumsThatNobodyFinishedAreProved) {
  Case facts = three_views();
  lose(facts);
  BetweenContents& contents = data_stretch(facts, 0).contents;
  contents.became_bad = contents.unfinished_became_bad = 9;
  contents.downstream_verified = 1000;
  EXPECT_EQ(only("tx-csum-offload-broken", facts).severity, Severity::fault);
  contents.unfinished_became_bad = 0;
  EXPECT_TRUE(run("tx-csum-offload-broken", facts).empty());
}

TEST(Views, OneAnswerForAll) {
  Case facts = three_views();
  lose(facts);
  BetweenFacts& between = data_stretch(facts, 1);
  between.losses.packets = 40;
  note(between.losses.frames, FrameRef{1, 77});
  std::vector<Finding> findings;
  for (const ConnectionFacts& view : facts.connections) {
    Finding finding;
    finding.fault = "random-loss";
    finding.severity = view.id == 1 ? Severity::fault : Severity::suspect;
    finding.connections = {view.id};
    finding.direction = Direction::to_client;
    finding.seconds_lost = 1;
    finding.confidence = 0.8;
    findings.push_back(finding);
  }
  const Diagnosis diagnosis = detect::synthesise(facts, findings);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].severity, Severity::fault);
  EXPECT_EQ(diagnosis.findings[0].connections, std::vector<std::uint32_t>{2});
  EXPECT_THAT(diagnosis.findings[0].evidence.back().text,
              HasSubstr("between gateway and client: 40 of 1000 packets were lost"));
  EXPECT_THAT(diagnosis.connection_verdicts, ::testing::Each("random-loss"));
}

TEST(Views, DamageIsTheCauseWhereEveryPacketCame) {
  Case facts = three_views();
  lose(facts);
  data_stretch(facts, 0).contents.became_bad = 40;
  Finding loss;
  loss.fault = "random-loss";
  loss.severity = Severity::fault;
  loss.connections = {2};
  loss.direction = Direction::to_client;
  loss.seconds_lost = 1.5;
  Finding damage = loss;
  damage.fault = "csum-bad-on-arrival";
  damage.connections = {0};
  damage.seconds_lost = 0.5;
  const Diagnosis diagnosis = detect::synthesise(facts, {loss, damage});
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.verdict, "csum-bad-on-arrival");
  EXPECT_DOUBLE_EQ(diagnosis.findings[0].seconds_lost, 1.5);
  // One that was lost keeps its finding.
  data_stretch(facts, 0).losses.packets = 1;
  EXPECT_EQ(detect::synthesise(facts, {loss, damage}).findings.size(), 2U);
}

TEST(Views, EachPointIsJudgedByItself) {
  const Case facts = three_views();
  const std::vector<Case> points = detect::split_by_point(facts);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1].connections.size(), 1U);
  EXPECT_EQ(points[1].connections[0].id, 1U);
}

}  // namespace
}  // namespace slowpath::testing
