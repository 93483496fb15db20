// SPDX-License-Identifier: Apache-2.0
// The rules of throughput tests and what they share. Internal to detect/.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "detect/throughput_test.h"

namespace slowpath::detect::throughput {

/// One flow, with what it belongs to.
struct Look {
  const TestFacts& test;
  const TestRun& run;
  const TestFlow& flow;
  FlowAccount account;
  FlowJudgement judgement;

  [[nodiscard]] double rtt_s() const;
};

/// What a window or a buffer allows over the round trip, where that is about what was reached.
struct Ceiling {
  double window_bytes = 0, rate_bps = 0;
};
/// None where arithmetic says that something else held the flow.
std::optional<Ceiling> receive_ceiling(const TestFacts& test, const TestFlow& flow);
std::optional<Ceiling> send_ceiling(const TestFacts& test, const TestFlow& flow);

void contents(const Look& look, std::vector<Finding>& findings);
void receive_window(const Look& look, std::vector<Finding>& findings);
void send_buffer(const Look& look, std::vector<Finding>& findings);
void timeouts(const Look& look, std::vector<Finding>& findings);
void bad_checksums(const Look& look, std::vector<Finding>& findings);
void loss(const Look& look, std::vector<Finding>& findings);
void steal(const Look& look, std::vector<Finding>& findings);

/// Whether most of what was sent again had arrived, with a wrong checksum.
bool is_checksum_loss(const Look& look);

/// "from this host to 10.0.0.2", "from 10.0.0.2 to this host".
std::string way_of(const Look& look);

/// With its direction, and what was measured as the first evidence.
Finding found(const Look& look, std::string_view fault, Severity severity, double confidence,
              std::string claim);

Evidence tested(std::string text, Figures values = {});

}  // namespace slowpath::detect::throughput
