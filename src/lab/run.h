// SPDX-License-Identifier: Apache-2.0
// One run of a world: hosts made, plane started, transfers run, captures and truth written,
// everything gone again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/host.h"
#include "lab/plane.h"
#include "lab/scenario.h"
#include "lab/traffic.h"

namespace slowpath::lab {

enum class Variant : std::uint8_t { broken, healthy, fixed };
std::string_view to_string(Variant variant);

struct RunOptions {
  std::uint64_t seed = 1;
  /// Existing directory for captures and truth: POINT.pcapng, truth.json, events.jsonl,
  /// tcp_info.jsonl. Empty: none are written.
  std::string directory;
  /// Commands to run on hosts before the transfers begin: a fix.
  std::vector<HostCommand> commands;
  /// In place of the world's transfers: starts something of the user's (a shell) and returns a
  /// descriptor that is readable when it has ended; the run ends with it.
  std::function<Result<int>(const std::vector<const Host*>&)> instead_of_transfers;
  /// Told now and then, on the calling thread: seconds since the start.
  std::function<void(double)> progress;
  /// Asked often; true ends the run early (a signal came).
  std::function<bool()> stopped;
};

struct CaptureFile {
  std::string point, file;
  std::uint64_t frames = 0;
};

/// When a stage did something to frames: the interval in which a fault was active.
struct StageActivity {
  std::uint32_t direction = 0, stage = 0;  // indices into RunResult::directions and its stages
  std::uint64_t events = 0;
  Time first{}, last{};
};

struct RunResult {
  std::uint64_t seed = 0;
  double seconds = 0;
  std::vector<TransferResult> transfers;
  std::vector<CaptureFile> captures;
  std::vector<DirectionReport> directions;
  std::vector<StageActivity> activity;  // empty where nothing was recorded
  std::vector<HostCommand> commands;    // of the options: a fix, as it was applied
  Lateness lateness;
  std::map<std::string, std::map<std::string, std::uint64_t>> counters_before,
      counters_after;  // by host
  /// Why this run proves nothing: unintended drops or failed writes. Empty for a sound run.
  std::vector<std::string> void_because;
  bool stopped = false;

  /// Goodput of the first transfer's first stream; 0 if it never began.
  [[nodiscard]] double main_goodput_bps() const;
  /// Median round-trip time of that stream as the sender's kernel measured it; 0 if it never did.
  [[nodiscard]] double main_rtt_seconds() const;
  [[nodiscard]] bool bytes_right() const;  // of all transfers
};

/// Errors: environment (nothing could be set up), usage (a stage's or transfer's table).
Result<RunResult> run_world(const World& world, const Privileges& privileges,
                            const RunOptions& options);

/// Writes truth.json beside the captures of a run: what was done, where, with which parameters and
/// seed, and what came out.
Result<void> write_truth(const std::string& directory, const Scenario& scenario, Variant variant,
                         const World& world, const RunResult& result);

}  // namespace slowpath::lab
