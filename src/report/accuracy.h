// SPDX-License-Identifier: Apache-2.0
// How often diagnose is right: verdicts on captures whose fault is known, counted into a confusion
// matrix, a calibration of confidence, and a comparison of time accounts with the kernel's own. The
// grading itself is done by whoever knows the truth.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "facts/finding.h"
#include "facts/severity.h"
#include "facts/time_account.h"

namespace slowpath::report {

struct GradedFinding {
  std::string fault;
  Severity severity = Severity::note;
  double confidence = 0;
  bool is_right = false;  // one of the faults that may be named here
};

/// What the sender's kernel says of itself (TCP_INFO), in seconds.
struct KernelAccount {
  double busy_s = 0;  // data outstanding or waiting to be sent
  double rwnd_limited_s = 0, sndbuf_limited_s = 0;
};

/// What diagnose said to expect of a repair, and what the repaired world then made.
struct Prediction {
  std::string faults;  // whose repair was predicted; several joined by " + "
  Bound bound = Bound::unknown;
  std::optional<double> predicted_bps{};
  double measured_bps = 0;
  std::string basis;

  [[nodiscard]] bool is_near() const;         // within kNear of the measured rate
  [[nodiscard]] bool holds_at_least() const;  // the measured rate is not below it, but for noise
  [[nodiscard]] bool is_of_order() const;     // holds_at_least(), and no more than kOrder times it
  static constexpr double kNear = 0.25;
  static constexpr double kNoise = 0.10;  // of the measured rate, between runs of one world
  static constexpr double kOrder = 3;     // a bound farther below says little
};

/// Of the faults of a world that has several: which of them diagnose named at a capture point, as a
/// fault or a suspect.
struct Causes {
  std::vector<std::string> named, missed;
  std::vector<std::string> unseen;  // the point cannot show it; the scenario says why
};

/// One capture of one run, diagnosed without the truth and then held against it. A void run is one
/// of these without point and verdict.
struct GradedCapture {
  std::string scenario, family;
  std::string variant;  // "broken", "healthy"
  std::string point{};
  std::string lessened{};  // how the capture was made to tell less; empty: as it was taken
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string
      path_rate{};  // of a bottleneck that the scenario does not have: only the prediction counts
  std::uint64_t seed = 0;
  std::vector<std::string> truth;       // faults that were made; empty: healthy
  std::vector<std::string> accepted{};  // verdicts
  std::string verdict{};
  double confidence = 0;
  bool is_accepted = false;
  std::vector<std::string> false_alarms{};  // faults that were named and must not be
  std::vector<GradedFinding> findings{};
  double goodput_bps = 0;
  std::optional<double> twin_goodput_bps;  // of the same world without the fault
  bool bytes_right = true;
  std::optional<KernelAccount> kernel;
  TimeAccount ours{};
  std::optional<Causes> causes{};          // of worlds with several faults
  std::optional<Prediction> prediction{};  // where the fix was applied and the truth was named
  std::vector<std::string> void_because;

  [[nodiscard]] bool is_void() const { return !void_because.empty(); }
  [[nodiscard]] bool is_healthy() const { return truth.empty(); }
};

/// One line of JSON, ended by a newline.
std::string to_line(const GradedCapture& capture);
/// Errors: input, with what is wrong.
Result<GradedCapture> graded_capture_of(const std::string& line);

/// True fault (several joined by " + "; "healthy") against verdicts.
struct ConfusionRow {
  std::string truth;
  std::uint64_t captures = 0, accepted = 0;
  std::map<std::string, std::uint64_t> verdicts;
};

/// Faults and suspects whose confidence lies in one tenth.
struct CalibrationBin {
  std::uint64_t count = 0, right = 0;
  std::uint64_t suspects = 0;  // of count
  double stated_sum = 0;

  [[nodiscard]] double stated() const;
  [[nodiscard]] double observed() const;
};

/// The kernel's account is kept in ticks (HZ=250); of so many the error of one or two is below five
/// points. Shorter transfers cannot be compared.
inline constexpr double kKernelTick_s = 0.004;
inline constexpr double kLeastBusy_s = 40 * kKernelTick_s;
/// And of a capture that saw nothing in most of that time: what was sent was lost before it.
inline constexpr double kLeastSeenShare = 0.5;

/// Means over the captures of one scenario at one point; shares of the time with data outstanding.
struct AccountRow {
  std::string scenario, variant, point;
  std::uint64_t captures = 0;
  double kernel_window = 0, our_window = 0;  // receive window and zero window
  double our_repair = 0;  // losses and timeouts, in which the kernel may go on counting a window
  double kernel_send_buffer = 0;  // the sending application blocked
  double our_sender = 0;  // buffer, pacing, processor, or the sending host with no way to say which

  /// How far our window is from what the kernel can have meant; above 0: ours is more.
  [[nodiscard]] double apart() const;
};

/// Predictions for one scenario at one point. Rates are medians over its captures.
struct PredictionRow {
  std::string scenario, point, faults;
  std::string path_rate{};                        // of GradedCapture
  std::uint64_t about = 0, near = 0;              // said "about"; of these, within kNear
  std::uint64_t at_least = 0, at_least_true = 0;  // said "at least"; of these, true
  std::uint64_t of_order = 0;                     // of these, within kOrder
  std::uint64_t unknown = 0;
  std::vector<double> predicted_bps{}, measured_bps{};

  [[nodiscard]] std::uint64_t captures() const { return about + at_least + unknown; }
};

/// Worlds with several faults, by scenario and point.
struct CausesRow {
  std::string scenario, point;
  std::uint64_t captures = 0, complete = 0;  // of these: nothing that can be seen was missed
  std::map<std::string, std::uint64_t> named, missed, unseen;
};

/// Captures that were made to tell less, by how. Named wrongly is a fault that may not be named
/// there.
struct LessenedRow {
  std::string how;
  std::uint64_t faulty = 0, right = 0, wrong = 0, unclear = 0, called_healthy = 0;
  std::uint64_t healthy = 0, alarms = 0;  // captures of healthy worlds; of these: a fault is named
};

struct Accuracy {
  std::uint64_t faulty = 0, faulty_accepted = 0;    // captures of broken worlds
  std::uint64_t healthy = 0, healthy_accepted = 0;  // captures of healthy ones
  std::uint64_t healthy_alarms = 0;                 // of these: captures in which a fault was named
  std::uint64_t void_runs = 0;
  std::map<std::string, std::uint64_t> false_alarms;  // "broken-lso at client: random-loss"
  std::map<std::string, std::uint64_t> misses;        // "broken-lso at client: healthy"
  std::map<std::string, std::uint64_t> draws;  // runs that count, by scenario: each its own seed
  std::vector<ConfusionRow> rows;
  std::array<CalibrationBin, 10> bins{};
  std::vector<LessenedRow> lessened;                     // in the order in which they came
  std::array<CalibrationBin, 10> lessened_bins{};        // of these
  std::map<std::string, std::uint64_t> lessened_alarms;  // "broken-lso at client, begun-late: ..."
  std::vector<AccountRow> accounts;
  std::uint64_t too_short_accounts = 0;  // captures that are left out of them
  std::uint64_t unseen_accounts = 0;     // likewise
  std::vector<PredictionRow> predictions;
  std::vector<CausesRow> causes;

  /// Of broken worlds' captures; 1 where there are none.
  [[nodiscard]] double accepted_share() const;
};

Accuracy summarise(std::span<const GradedCapture> captures);

/// The matrix, calibration and counts for a terminal of `width` columns.
std::string accuracy_text(const Accuracy& accuracy, std::size_t width);

/// How the matrix was made; for the head of the document.
struct MatrixOrigin {
  std::string date;     // "2026-11-20"
  std::string kernel;   // "Linux 6.18.1 x86_64"
  std::string command;  // "slowpath lab matrix --draw 3 --seed 7"
  std::string seed;
  std::vector<std::string> scenarios{};  // that were to be run; empty: only those that were
};

/// docs/accuracy.md: all of accuracy_text() as a document, with the time accounts.
std::string accuracy_markdown(const Accuracy& accuracy, const MatrixOrigin& origin);

}  // namespace slowpath::report
