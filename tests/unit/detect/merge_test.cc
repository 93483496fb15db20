// SPDX-License-Identifier: Apache-2.0
// Many connections: findings of one cause become one about hosts and paths, and nobody sound is
// accused.
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "detect/synthesis.h"
#include "detect/synthesis_steps.h"
#include "support/case_builder.h"

namespace slowpath::testing {
namespace {

IpAddress ip(unsigned a, unsigned b, unsigned c, unsigned d) {
  IpAddress address;
  address.version = 4;
  address.bytes = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                   static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(d)};
  return address;
}

/// Connections and findings about them, as detectors give them.
struct Crowd {
  Case facts;
  std::vector<Finding> findings;

  Crowd() { facts.captures.emplace_back(); }

  std::uint32_t add(const IpAddress& client, const IpAddress& server) {
    ConnectionFacts& connection = add_connection(facts, {.bytes = 100'000, .seconds = 2});
    connection.client.address = client;
    connection.server.address = server;
    return connection.id;
  }
  void blame(std::uint32_t id, std::string_view fault, double seconds,
             Severity severity = Severity::fault) {
    Finding finding;
    finding.fault = fault;
    finding.severity = severity;
    finding.confidence = 0.8;
    finding.connections = {id};
    finding.direction = Direction::to_client;
    finding.seconds_lost = seconds;
    finding.claim = fmt::format("something happened to {}", id);
    findings.push_back(std::move(finding));
  }
  std::vector<Finding> merged() {
    detect::merge_many(facts, findings);
    return findings;
  }
};

TEST(MergeMany, OneCauseOnePathIsOneFinding) {
  Crowd crowd;
  for (unsigned i = 0; i < 40; ++i) {
    const auto id = crowd.add(ip(10, 0, 0, i), ip(10, 1, 0, 5));
    if (i % 4 == 0) crowd.blame(id, "random-loss", 0.1 * i);
  }
  const auto found = crowd.merged();
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].spread);
  EXPECT_EQ(found[0].spread->senders, "10.1.0.5");
  EXPECT_EQ(found[0].spread->receivers, "10.0.0.0/26");
  EXPECT_EQ(found[0].spread->connections, 10U);
  EXPECT_EQ(found[0].spread->between, 40U);
  EXPECT_EQ(found[0].spread->worst, 36U);
  EXPECT_NEAR(found[0].spread->worst_s, 3.6, 1e-9);
  EXPECT_NEAR(found[0].seconds_lost, 18, 1e-9);
  EXPECT_EQ(found[0].connections.front(), 36U);
  EXPECT_EQ(found[0].connections.size(), 10U);
  EXPECT_EQ(found[0].claim,
            "10 of 40 connections 10.1.0.5 → 10.0.0.0/26, 18 s lost in all; worst #36 (3.6 s): "
            "something happened to 36");
  for (const std::uint32_t id : found[0].connections) EXPECT_EQ(id % 4, 0U) << "a sound one";
}

TEST(MergeMany, AFewStayAsTheyAre) {
  Crowd crowd;
  for (unsigned i = 0; i < 5; ++i) {
    crowd.blame(crowd.add(ip(10, 0, 0, i), ip(10, 1, 0, 5)), "random-loss", 1);
  }
  const auto found = crowd.merged();
  EXPECT_EQ(found.size(), 5U);
  EXPECT_TRUE(std::ranges::none_of(found, [](const Finding& f) { return f.spread.has_value(); }));
}

TEST(MergeMany, CausesSeveritiesAndDirectionsStayApart) {
  Crowd crowd;
  for (unsigned i = 0; i < 36; ++i) {
    const auto id = crowd.add(ip(10, 0, 0, i), ip(10, 1, 0, 5));
    crowd.blame(id, i % 2 == 0 ? "random-loss" : "zero-window", 1,
                i % 3 == 0 ? Severity::note : Severity::fault);
  }
  auto found = crowd.merged();
  EXPECT_EQ(found.size(), 4U);
  Crowd ways;
  for (unsigned i = 0; i < 20; ++i) {
    ways.blame(ways.add(ip(10, 0, 0, i), ip(10, 1, 0, 5)), "random-loss", 1);
    if (i % 2 == 0) ways.findings.back().direction = Direction::to_server;
  }
  found = ways.merged();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].spread->senders, found[1].spread->receivers);
}

TEST(MergeMany, NetworksOfAHostAreTheirOwnPaths) {
  Crowd crowd;
  for (unsigned i = 0; i < 60; ++i) {
    crowd.blame(crowd.add(ip(10, 0, i % 3, i), ip(10, 1, 0, 5)), "random-loss", 1);
  }
  const auto found = crowd.merged();
  ASSERT_EQ(found.size(), 3U);
  for (const Finding& finding : found) EXPECT_EQ(finding.spread->connections, 20U);
}

TEST(MergeMany, OneClientOfManyServersIsOnePath) {
  Crowd crowd;
  for (unsigned i = 0; i < 200; ++i) {
    crowd.blame(crowd.add(ip(10, 0, 0, 9), ip(20 + i, i * 7 % 256, i, 1)), "bufferbloat", 1);
  }
  const auto found = crowd.merged();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].spread->receivers, "10.0.0.9");
  EXPECT_EQ(found[0].spread->senders, "200 hosts");
  EXPECT_EQ(found[0].spread->between, 200U);
}

TEST(MergeMany, ScatteredHostsAreCounted) {
  Crowd crowd;
  for (unsigned i = 0; i < 100; ++i) {
    crowd.blame(crowd.add(ip(50 + i, 1, 1, 1), ip(160, i, 1, 1)), "random-loss", 1);
  }
  crowd.add(ip(50, 1, 1, 1), ip(8, 8, 8, 8));  // another server: not of this path
  const auto found = crowd.merged();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].spread->receivers, "100 hosts");
  EXPECT_EQ(found[0].spread->between, 100U);
}

TEST(MergeMany, Ipv6AndMixedHosts) {
  Crowd crowd;
  for (unsigned i = 0; i < 20; ++i) {
    IpAddress client;
    client.version = 6;
    client.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, static_cast<std::uint8_t>(i)};
    client.bytes[15] = 1;
    crowd.blame(crowd.add(client, ip(10, 1, 0, 5)), "random-loss", 1);
  }
  auto found = crowd.merged();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].spread->receivers, "2001:db8:1::/59");
  for (unsigned i = 0; i < 10; ++i) {
    crowd.blame(crowd.add(ip(32, 1, 13, i), ip(10, 1, 0, 5)), "tail-loss", 1);
  }
  found = crowd.merged();
  EXPECT_EQ(found.size(), 2U);
}

TEST(MergeMany, FindingsAboutPathsAndGroupsAreLeftAlone) {
  Crowd crowd;
  for (unsigned i = 0; i < 12; ++i) crowd.add(ip(10, 0, 0, i), ip(10, 1, 0, 5));
  for (unsigned i = 0; i < 8; ++i) {
    crowd.blame(i, "rss-one-queue", 1);
    crowd.findings.back().connections =
        i < 4 ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{i, i + 1};
  }
  EXPECT_EQ(crowd.merged().size(), 8U);
}

TEST(MergeMany, TheDiagnosisListsTheWorstAndCountsAll) {
  Crowd crowd;
  for (unsigned i = 0; i < 3000; ++i) {
    const auto id = crowd.add(ip(10, 0, i / 250, i % 250), ip(10, 1, 0, 5));
    if (i % 10 == 0) crowd.blame(id, "random-loss", 0.5 + 0.0001 * i);
    if (i % 100 == 1) crowd.blame(id, "zero-window", 0.4);
  }
  const Diagnosis diagnosis = detect::synthesise(crowd.facts, crowd.findings);
  EXPECT_EQ(diagnosis.verdict, "random-loss");
  ASSERT_LE(diagnosis.findings.size(), 24U);
  std::uint64_t lossy = 0, closed = 0;
  for (const Finding& finding : diagnosis.findings) {
    ASSERT_TRUE(finding.spread);
    EXPECT_LE(finding.connections.size(), detect::kListedConnections);
    (finding.fault == "random-loss" ? lossy : closed) += finding.spread->connections;
  }
  EXPECT_EQ(lossy, 300U);
  EXPECT_EQ(closed, 30U);
  EXPECT_EQ(std::ranges::count(diagnosis.connection_verdicts, "healthy"), 2670);
  EXPECT_NE(diagnosis.summary.find("connections 10.1.0.5 → 10.0."), std::string::npos)
      << diagnosis.summary;
}

TEST(MergeMany, SuspectsOfManyDoNotMakeADoubtGreater) {
  Crowd crowd;
  for (unsigned i = 0; i < 100; ++i) {
    const auto id = crowd.add(ip(10, 0, 0, i), ip(10, 1, 0, 5));
    if (i < 10) crowd.blame(id, "random-loss", 1.5, Severity::suspect);
  }
  const Diagnosis diagnosis = detect::synthesise(crowd.facts, crowd.findings);
  EXPECT_EQ(diagnosis.verdict, "healthy");
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].spread->connections, 10U);
}

}  // namespace
}  // namespace slowpath::testing
