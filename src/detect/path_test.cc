// SPDX-License-Identifier: Apache-2.0
#include "detect/path_test.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/active_verdict.h"
#include "detect/path/rules.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

constexpr void (*kRules[])(const PathTestFacts&, std::vector<Finding>&) = {
    path::pmtud_blackhole, path::icmp_bogus_mtu,  path::pmtu_stuck_low, path::fragments,
    path::large_sends,     path::bufferbloat,     path::random_loss,    path::length_loss,
    path::reordering,      path::options_changed, path::idle_nat_drop,  path::churn,
    path::rate_limit,
};

/// A router that reports nonsense is why packets vanish: the black hole is its shadow. What
/// vanishes above a size is no random loss.
bool is_shadow(const Finding& finding, const std::vector<Finding>& all) {
  const auto has = [&](std::string_view fault) {
    return std::ranges::any_of(all, [&](const Finding& other) {
      return other.fault == fault && other.severity >= finding.severity;
    });
  };
  // A credit and its queue are one thing.
  return (finding.fault == "pmtud-blackhole" && has("icmp-bogus-mtu")) ||
         (finding.fault == "random-loss" && has("csum-bad-on-arrival")) ||
         (finding.fault == "shaper" && finding.severity == Severity::note && has("bufferbloat"));
}

/// Whether anything was measured that could have shown a fault.
bool says_something(const PathTestFacts& test) {
  if (test.mtu && std::ranges::any_of(test.mtu->sweeps, [](const SizeSweep& sweep) {
        return sweep.largest_passed_bytes > 0;
      })) {
    return true;
  }
  if (test.latency && ((test.latency->connect && test.latency->connect->trips.answered > 0) ||
                       (test.latency->echo && test.latency->echo->answered > 0) ||
                       (test.latency->idle && test.latency->idle->answered > 0))) {
    return true;
  }
  const bool boxes =
      test.middlebox && test.middlebox->unable.empty() && test.middlebox->syn_seen.known;
  const bool idle = test.idle && test.idle->unable.empty() && test.idle->tried > 0;
  const bool churn = test.churn && test.churn->unable.empty() && test.churn->connected > 0;
  return boxes || idle || churn;
}

std::string sound(const PathTestFacts& test) {
  std::string text = fmt::format("No fault was found on the path to {}", to_string(test.peer));
  if (test.mtu) {
    if (const SizeSweep* there = path::best_sweep(*test.mtu, Direction::to_server)) {
      text += fmt::format("; packets of {} bytes pass", there->largest_passed_bytes);
    }
  }
  return text + ".";
}

/// Runs of datagrams that nobody can judge: what they would have shown is not known to be sound.
std::string not_known(const PathTestFacts& test) {
  std::string text;
  if (!test.latency) return text;
  for (const DatagramRun& run : test.latency->runs) {
    if (run.unable.empty()) continue;
    text +=
        fmt::format(" What datagrams at {} meet {} is not known: {}.", format_rate(run.offered_bps),
                    path::way_of(test, run.direction), run.unable);
  }
  return text;
}

}  // namespace

std::vector<Finding> inspect_path_test(const PathTestFacts& test) {
  std::vector<Finding> findings;
  for (const auto rule : kRules) rule(test, findings);
  for (Finding& finding : findings) {
    const Fault* fault = find_fault(finding.fault);
    if (fault != nullptr) finding.severity = std::min(finding.severity, fault->max_severity);
  }
  const std::vector<Finding> all = findings;
  std::erase_if(findings, [&](const Finding& finding) { return is_shadow(finding, all); });
  fold(findings);
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::tuple(a.severity, a.confidence) > std::tuple(b.severity, b.confidence);
  });
  return findings;
}

Diagnosis diagnose_path_test(const PathTestFacts& test) {
  Diagnosis diagnosis;
  diagnosis.findings = inspect_path_test(test);
  if (tell_worst(diagnosis)) return diagnosis;
  if (!says_something(test)) {
    tell_unclear(fmt::format("{} answered nothing that could be measured.", to_string(test.peer)),
                 diagnosis);
    diagnosis.look_next.push_back(fmt::format("slowpath serve    (on {})", to_string(test.peer)));
  } else {
    const std::string unknown = not_known(test);
    diagnosis.verdict = "healthy";
    diagnosis.confidence = !unknown.empty() ? 0.7 : test.with_peer ? 0.95 : 0.85;
    diagnosis.summary = sound(test) + unknown;
  }
  diagnosis.summary = capitalised(std::move(diagnosis.summary));
  return diagnosis;
}

void add_path_findings(const PathTestFacts& test, Diagnosis& diagnosis) {
  std::vector<Finding> findings = inspect_path_test(test);
  if (findings.empty()) return;
  const std::string_view first = findings.front().fault;
  std::vector<Finding> all = std::move(diagnosis.findings);
  all.insert(all.end(), findings.begin(), findings.end());
  // What the sender's sockets only suspect, the path has shown.
  std::erase_if(all, [&](const Finding& suspect) {
    return suspect.fault == "random-loss" && suspect.severity == Severity::suspect &&
           std::ranges::any_of(findings, [&](const Finding& shown) {
             return shown.fault == "policer" && shown.severity == Severity::fault &&
                    shown.direction == suspect.direction;
           });
  });
  fold(all);
  std::ranges::stable_sort(all, std::greater{}, &Finding::severity);
  diagnosis.findings = std::move(all);
  const Finding& worst = diagnosis.findings.front();
  if (worst.severity == Severity::fault && diagnosis.verdict != worst.fault) {
    tell_fault(worst, diagnosis);
    diagnosis.look_next.clear();
  } else if (worst.severity == Severity::suspect && worst.fault == first &&
             diagnosis.verdict == "healthy") {
    tell_suspect(worst, diagnosis);
  }
}

}  // namespace slowpath::detect
