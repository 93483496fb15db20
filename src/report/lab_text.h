// SPDX-License-Identifier: Apache-2.0
// What `lab run` shows: the network that is built, each run of it, and the comparison at the end.
// Plain structs: this room knows nothing of how runs are made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "report/layout.h"

namespace slowpath::report {

/// What is built and what is wrong with it.
struct LabStory {
  std::string name, title, story, about;
  std::vector<std::string> faults;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::string> hosts;      // "server: MTU 1500, cubic"
  std::vector<std::string> stages;     // "server → client: delay 10ms"
  std::vector<std::string> faulty;     // what the broken world has beyond that
  std::vector<std::string> transfers;  // "main: stream, bytes 20MiB"
};

/// What the sending kernel says of itself; shares of the time with data outstanding.
struct LabKernel {
  std::uint64_t retransmissions = 0, timeouts = 0;
  double busy_s = 0, rwnd_limited_share = 0, sndbuf_limited_share = 0;
  double min_rtt_s = 0;
};

/// One direction of one transfer.
struct LabStream {
  std::string transfer{}, from{}, to{};
  std::uint64_t bytes = 0;
  double seconds = 0, goodput_bps = 0;
  bool complete = false, bytes_right = true;
  std::uint64_t bad_bytes = 0;
  std::optional<std::uint64_t> first_bad_offset{};
  std::string sent_sha256{}, received_sha256{};
  std::optional<LabKernel> kernel{};
};

/// A transfer beyond its streams.
struct LabTransfer {
  std::string name{}, error{};  // empty: none
  std::uint64_t attempts = 0, successes = 0;
  double response_median_s = 0, response_worst_s = 0;
};

struct LabCapture {
  std::string point{}, file{};  // file: empty unless it is kept
  std::string verdict{};
  double confidence = 0;
  std::string summary{};
  std::optional<bool> is_right{};  // none: nothing was promised
  std::string judged{};            // why: "right", "NOT RIGHT: random-loss would be"
};

/// Something that the scenario promises of a run.
struct LabTarget {
  std::string text{};  // "goodput below 2 Mbit/s"
  bool is_met = false;
};

struct LabRun {
  std::string label{};                  // "broken", "fix 1"
  std::string summary{};                // of a fix: "segmentation offload off on the server"
  std::vector<std::string> commands{};  // "server: ethtool -K eth0 tso off"
  bool hides = false;                   // a fix that only hides the fault
  double seconds = 0;
  std::vector<LabTransfer> transfers{};
  std::vector<LabStream> streams{};
  std::vector<LabCapture> captures{};
  std::vector<LabTarget> targets{};
  std::vector<std::string> void_because{};

  [[nodiscard]] bool targets_met() const;
  [[nodiscard]] bool verdicts_right() const;
};

std::string lab_story_text(const LabStory& story, const Style& style);
std::string lab_run_text(const LabRun& run, const Style& style);
/// Before and after, a line a run, and whether everything came as the scenario says.
std::string lab_comparison_text(std::span<const LabRun> runs, const Style& style);

/// Everything as one document, `slowpath.lab-run.v1`, ended by a newline.
std::string lab_run_json(const LabStory& story, std::span<const LabRun> runs);

}  // namespace slowpath::report
