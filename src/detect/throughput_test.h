// SPDX-License-Identifier: Apache-2.0
// What a throughput test proves: what held each direction back, by the sender's own account of its
// sockets (TCP_INFO), and whether what arrived is what was sent. Faults keep the ids of the
// catalogue; the evidence is of kind `test`. Pure, like all of detect/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "facts/finding.h"
#include "facts/test.h"

namespace slowpath::detect {

/// What a direction would have to have more of to be faster.
enum class FlowLimit : std::uint8_t {
  receive_window,
  send_buffer,
  timeouts,  // silences of the retransmission timer
  loss,      // packets lost without a queue that grew
  sender_cpu,
  receiver_cpu,
  asked_rate,  // the user's own limit
  path,        // what is left: the rate of the path, or of those who share it
  unknown,     // the sender's system gives no account
};
/// "receive-window", "send-buffer", ...: the words of the JSON contract.
std::string_view to_string(FlowLimit limit);

/// The sender's account of all streams of a flow together.
struct FlowAccount {
  double busy_s = 0, rwnd_limited_s = 0, sndbuf_limited_s = 0;
  std::uint64_t segments = 0, retransmits = 0, timeouts = 0;
  bool known = false;
  [[nodiscard]] double rwnd_share() const { return busy_s > 0 ? rwnd_limited_s / busy_s : 0; }
  [[nodiscard]] double sndbuf_share() const { return busy_s > 0 ? sndbuf_limited_s / busy_s : 0; }
  [[nodiscard]] double resent_share() const {
    return segments > 0 ? static_cast<double>(retransmits) / static_cast<double>(segments) : 0;
  }
};
FlowAccount account_of(const TestFlow& flow);

struct FlowJudgement {
  FlowLimit limit = FlowLimit::unknown;
  std::string why;  // "for 92 % of its busy time the sender waited for the receive window"
};
FlowJudgement judge_flow(const TestFacts& test, const TestRun& run, const TestFlow& flow);

/// Findings of all flows, the worst first. Sweeps prove nothing: their runs are meant to be slow.
std::vector<Finding> inspect_throughput(const TestFacts& test);

/// The verdict on the test alone: the first fault, `unclear` where a suspect is left or a flow did
/// not end as planned, else `healthy`.
Diagnosis diagnose_throughput(const TestFacts& test);

/// Of a sweep: the smallest value that reaches nine tenths of the best rate; 0 without a sweep.
double knee_of(const TestFacts& test);

}  // namespace slowpath::detect
