// SPDX-License-Identifier: Apache-2.0
// What detectors state as confidence against how often the lab found them right. Detectors know
// only how far their own evidence reaches; here the doubt that is left is brought to scale, for
// each fault by the lab's record of it; and so is what was only suspected.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// Of 1283 faults that detectors named in the lab with drawn parameters (2026-11-20): stated 0.75
// were right in 0.85 of 39, stated 0.84 in 0.93 of 300, stated 0.95 in 0.985 of 944. Half of the
// doubt was too much, of all faults together.
constexpr double kDoubtScale = 0.5;
// What that is worth where there is a record of the fault itself: so many findings of it.
constexpr double kPriorFindings = 10;
// Nobody is surer than this from a capture alone.
constexpr double kSurest = 0.99;

/// The record of a fault: how often it was named and one that may be named there, and how often
/// not; and the doubt that its detector stated, at the mean.
struct LabRecord {
  std::string_view fault;
  double doubt;
  std::uint32_t right, wrong;
};

// 416 findings (2026-11-21): the verdicts of `lab matrix --draw 4 --seed 20261128`, and all faults
// in the captures of `--draw 1 --seed 20261201` (machine under load, which made most of the wrong
// ones) and of draws of single scenarios, judged again. Of faults with five findings and more.
constexpr LabRecord kRecords[] = {
    {"app-limited-sender", 0.11, 13, 2},
    {"app-ping-pong", 0.06, 6, 0},
    {"bufferbloat", 0.14, 15, 0},
    {"congestion-self", 0.21, 28, 1},
    {"csum-bad-on-arrival", 0.06, 7, 0},
    {"delack-single-segment", 0.06, 6, 0},
    {"icmp-fragneeded-coalesced", 0.04, 6, 0},
    {"lso-not-segmented", 0.02, 23, 0},
    {"nagle-delack", 0.09, 6, 0},
    {"path-outage", 0.26, 12, 0},
    {"pmtud-blackhole", 0.10, 5, 0},
    {"policer", 0.09, 14, 0},
    {"random-loss", 0.12, 67, 1},
    {"reordering", 0.06, 5, 0},
    {"retrans-differs", 0.06, 7, 0},
    {"rst-injected", 0.06, 6, 0},
    {"rto-dominated", 0.11, 12, 0},
    {"rwnd-limited", 0.08, 14, 4},
    {"sender-limited", 0.04, 8, 0},
    {"server-think-time", 0.05, 14, 0},
    {"shaper", 0.22, 15, 0},
    {"syn-blocked", 0.06, 30, 0},
    {"tail-loss", 0.06, 6, 0},
    {"tx-csum-offload-broken", 0.11, 8, 0},
    {"wscale-absent", 0.10, 18, 0},
    {"wscale-misapplied", 0.10, 6, 0},
    {"zero-window", 0.04, 14, 0},
};

// What is only suspected begins no surer than this, whatever the figures: its evidence falls short.
constexpr double kSurestSuspect = 0.75;
// What that is worth beside a record: little, as most faults were always right or half of the time.
constexpr double kPriorSuspects = 4;
// What detectors state of a suspicion at the least; less only of captures that have holes.
constexpr double kUsualSuspicion = 0.5;

/// How often a fault that was suspected was one that may be named there.
struct SuspectRecord {
  std::string_view fault;
  std::uint32_t right, wrong;
};

// 2842 suspects (2026-11-24) in the captures of six `lab matrix --draw 3`, of the seeds 20262405,
// 20262406, 20262501, 20262607, 20263111 and 20263124, each as it was taken and as those that tell
// less. Of faults with five suspects and more.
constexpr SuspectRecord kSuspectRecords[] = {
    {"accept-queue-overflow", 79, 0},
    {"ack-path-congestion", 37, 0},
    {"app-limited-sender", 193, 62},
    {"app-ping-pong", 8, 0},
    {"bufferbloat", 17, 0},
    {"congestion-self", 1, 6},
    {"csum-bad-on-arrival", 20, 0},
    {"cwnd-limited-noloss", 44, 1},
    {"delack-single-segment", 17, 0},
    {"ecn-blackhole", 8, 0},
    {"gro-forward-broken", 46, 3},
    {"lso-not-segmented", 42, 49},
    {"mtu-needlessly-small", 46, 0},
    {"nagle-delack", 17, 0},
    {"path-outage", 0, 6},
    {"peer-gone", 303, 41},
    {"pmtu-stuck-low", 0, 73},
    {"pmtud-blackhole", 50, 0},
    {"policer", 84, 7},
    {"random-loss", 174, 41},
    {"receiver-cpu-drops", 0, 16},
    {"reordering", 22, 6},
    {"rss-one-queue", 48, 0},
    {"rst-injected", 4, 3},
    {"rto-dominated", 217, 0},
    {"rwnd-limited", 188, 6},
    {"rx-csum-skipped", 39, 1},
    {"sack-stripped", 73, 0},
    {"sender-limited", 61, 0},
    {"server-think-time", 34, 0},
    {"shaper", 12, 0},
    {"snat-exhausted", 104, 66},
    {"tail-loss", 71, 0},
    {"tfo-blackhole", 35, 0},
    {"vm-egress-cap", 23, 0},
    {"wscale-absent", 113, 0},
    {"wscale-misapplied", 28, 0},
    {"wscale-stripped", 108, 72},
    {"zero-window", 11, 0},
};

/// The mean of a beta distribution that begins as all faults together would have it, over the doubt
/// that was stated. What is less sure than usual, as in a capture with holes, stays less sure.
double scale_of(std::string_view fault) {
  const auto* record = std::ranges::find(kRecords, fault, &LabRecord::fault);
  if (record == std::end(kRecords)) return kDoubtScale;
  const double wrong = kPriorFindings * kDoubtScale * record->doubt + record->wrong;
  const double share = wrong / (kPriorFindings + record->right + record->wrong);
  return std::min(1.0, share / record->doubt);
}

double suspicion(std::string_view fault, double stated) {
  const double begun = std::min(stated, kSurestSuspect);
  const auto* record = std::ranges::find(kSuspectRecords, fault, &SuspectRecord::fault);
  if (record == std::end(kSuspectRecords)) return begun;
  const auto all = static_cast<double>(record->right + record->wrong);
  const double mean = (kPriorSuspects * begun + record->right) / (kPriorSuspects + all);
  return mean * std::min(1.0, stated / kUsualSuspicion);
}

}  // namespace

void calibrate_suspects(std::span<Finding> findings) {
  for (Finding& finding : findings) {
    if (finding.severity == Severity::suspect)
      finding.confidence = suspicion(finding.fault, finding.confidence);
  }
}

void calibrate(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.severity != Severity::fault) continue;
    const double doubt = scale_of(finding.fault) * (1 - std::clamp(finding.confidence, 0.0, 1.0));
    finding.confidence = std::max(finding.confidence, std::min(1 - doubt, kSurest));
  }
}

}  // namespace slowpath::detect
