// SPDX-License-Identifier: Apache-2.0
// Looking twice against looking at everything, on captures of every kind: no fault may be lost, the
// counts are the same, and connections have the same numbers.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "cli/pipeline.h"
#include "detect/screened.h"
#include "detect/synthesis.h"
#include "support/shared.h"

namespace slowpath::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> shared_captures() {
  std::vector<fs::path> found;
  const fs::path folder = testing::shared_dir() / "captures";
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().string().find(".pcap") != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

cli::PipelineOptions options_for(const fs::path& path, bool full) {
  cli::PipelineOptions options;
  options.inputs = {{path.string(), {}}};
  options.show_progress = false;
  options.screen_from_bytes = 0;
  options.full = full;
  options.threads = 2;
  options.largest = 1;  // Beside it only signs choose.
  return options;
}

using Fault = std::tuple<std::string, std::uint32_t>;

std::set<Fault> faults_of(const Case& facts) {
  std::set<Fault> faults;
  for (const Finding& finding : detect::diagnose(facts).findings) {
    if (finding.severity != Severity::fault) continue;
    if (finding.connections.empty()) faults.insert({std::string(finding.fault), ~0U});
    for (const std::uint32_t id : finding.connections) {
      faults.insert({std::string(finding.fault), id});
    }
  }
  return faults;
}

std::string text_of(const std::set<Fault>& faults) {
  std::string text;
  for (const auto& [fault, id] : faults) text += fault + " #" + std::to_string(id) + "  ";
  return text;
}

TEST(Screening, LosesNoFault) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "no shared captures";
  std::size_t with_faults = 0;
  for (const fs::path& path : captures) {
    const auto full = cli::look(options_for(path, true));
    const auto twice = cli::look(options_for(path, false));
    ASSERT_EQ(full.has_value(), twice.has_value()) << path;
    if (!full || !twice->screening.used) continue;
    const std::set<Fault> expected = faults_of(full->facts), found = faults_of(twice->facts);
    with_faults += !expected.empty();
    EXPECT_TRUE(std::ranges::includes(found, expected))
        << path << "\n  full: " << text_of(expected) << "\n  found: " << text_of(found);
    EXPECT_EQ(full->facts.connections_total, twice->facts.connections_total) << path;
    EXPECT_EQ(full->facts.unmatched_icmp_errors, twice->facts.unmatched_icmp_errors) << path;
  }
  EXPECT_GE(with_faults, 5U);
}

TEST(Screening, AnalysedConnectionsHaveTheSameNumbersAndFacts) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "no shared captures";
  for (const fs::path& path : captures) {
    const auto full = cli::look(options_for(path, true));
    const auto twice = cli::look(options_for(path, false));
    if (!full || !twice || !twice->screening.used) continue;
    for (const ConnectionFacts& connection : twice->facts.connections) {
      const auto it =
          std::ranges::find(full->facts.connections, connection.id, &ConnectionFacts::id);
      ASSERT_NE(it, full->facts.connections.end()) << path << " #" << connection.id;
      EXPECT_EQ(it->first_frame, connection.first_frame) << path << " #" << connection.id;
      EXPECT_EQ(it->client, connection.client) << path << " #" << connection.id;
      EXPECT_EQ(it->directions[0].packets, connection.directions[0].packets) << path;
      EXPECT_EQ(it->directions[1].bytes, connection.directions[1].bytes) << path;
      EXPECT_EQ(it->reuses, connection.reuses) << path << " #" << connection.id;
    }
  }
}

TEST(Screening, WhatMemoryPushedOutIsSaidAndNotCalledHealthy) {
  Case facts;
  facts.connections.resize(10);
  facts.connections_total = 10;
  Diagnosis diagnosis;
  diagnosis.verdict = "healthy";
  diagnosis.confidence = 0.9;
  detect::weigh_screening(facts, {}, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_EQ(diagnosis.summary, "");
  // One that was ended early was judged, in parts.
  facts.connections[3].forgotten = true;
  detect::weigh_screening(facts, {}, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_NE(diagnosis.summary.find("1 was ended"), std::string::npos) << diagnosis.summary;
  facts.connections_total = 5000;
  detect::weigh_screening(facts, {}, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("4990 of 5000"), std::string::npos) << diagnosis.summary;
  ASSERT_EQ(diagnosis.look_next.size(), 1U);
  diagnosis.verdict = "zero-window";
  detect::weigh_screening(facts, {}, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "zero-window");
}

TEST(Screening, NothingUnjudgedIsCalledHealthy) {
  Diagnosis diagnosis;
  diagnosis.verdict = "healthy";
  ScreeningFacts screening{.used = true, .connections = 100, .connections_analysed = 10};
  detect::weigh_screening({}, screening, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "healthy");
  EXPECT_NE(diagnosis.summary.find("10 of 100"), std::string::npos) << diagnosis.summary;
  screening.grave_left = 3;
  screening[LightSign::silence].grave_left = 3;
  detect::weigh_screening({}, screening, diagnosis);
  EXPECT_EQ(diagnosis.verdict, "unclear");
  EXPECT_NE(diagnosis.summary.find("silence 3"), std::string::npos) << diagnosis.summary;
  ASSERT_EQ(diagnosis.look_next.size(), 1U);
}

}  // namespace
}  // namespace slowpath::test
