// SPDX-License-Identifier: Apache-2.0
#include "detect/throughput_test.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/active_verdict.h"
#include "detect/synthesis_steps.h"
#include "detect/throughput/rules.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace throughput {

std::string way_of(const Look& look) {
  const std::string peer = to_string(look.test.server.address);
  return look.flow.to_server ? fmt::format("from this host to {}", peer)
                             : fmt::format("from {} to this host", peer);
}

Evidence tested(std::string text, Figures values) {
  Evidence evidence;
  evidence.kind = EvidenceKind::test;
  evidence.text = std::move(text);
  evidence.values = std::move(values);
  return evidence;
}

Finding found(const Look& look, std::string_view fault, Severity severity, double confidence,
              std::string claim) {
  Finding finding;
  finding.fault = fault;
  finding.severity = severity;
  finding.confidence = confidence;
  finding.claim = std::move(claim);
  finding.direction = look.flow.to_server ? Direction::to_server : Direction::to_client;
  return finding;
}

}  // namespace throughput

namespace {

constexpr void (*kRules[])(const throughput::Look&, std::vector<Finding>&) = {
    throughput::contents, throughput::receive_window, throughput::send_buffer,
    throughput::timeouts, throughput::bad_checksums,  throughput::loss,
    throughput::steal,
};

// The ends of one host, and of a fault that several runs show: once is enough.
void keep_strongest(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::tuple(a.severity, a.confidence, a.seconds_lost) >
           std::tuple(b.severity, b.confidence, b.seconds_lost);
  });
  std::vector<Finding> kept;
  for (Finding& finding : findings) {
    const bool is_said = std::ranges::any_of(kept, [&](const Finding& other) {
      return other.fault == finding.fault && other.direction == finding.direction;
    });
    if (!is_said) kept.push_back(std::move(finding));
  }
  findings = std::move(kept);
}

std::string sound(const TestFacts& test) {
  std::string text;
  for (const TestRun& run : test.runs) {
    if (run.flows.size() != 1 || !test.sweep.empty()) continue;  // A sweep has a table and a knee.
    const TestFlow& flow = run.flows.front();
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", format_rate(flow.goodput_bps),
                        flow.to_server ? "to the server" : "back",
                        to_string(judge_flow(test, run, flow).limit));
  }
  const bool verified = std::ranges::all_of(test.runs, [](const TestRun& run) {
    return std::ranges::all_of(run.flows, &TestFlow::verified);
  });
  text = "No fault was found" + (text.empty() ? text : ": " + text);
  return text + (verified ? "; every byte arrived as it was sent." : ".");
}

bool is_complete(const TestFacts& test) {
  return !test.runs.empty() && std::ranges::all_of(test.runs, [](const TestRun& run) {
    return std::ranges::all_of(run.flows, &TestFlow::complete);
  });
}

}  // namespace

std::vector<Finding> inspect_throughput(const TestFacts& test) {
  std::vector<Finding> findings;
  for (const TestRun& run : test.runs) {
    for (const TestFlow& flow : run.flows) {
      const throughput::Look look{test, run, flow, account_of(flow), judge_flow(test, run, flow)};
      if (test.sweep.empty()) {
        for (const auto rule : kRules) rule(look, findings);
      } else {
        throughput::contents(look, findings);
      }
    }
  }
  keep_strongest(findings);
  fold(findings);
  return findings;
}

Diagnosis diagnose_throughput(const TestFacts& test) {
  Diagnosis diagnosis;
  diagnosis.findings = inspect_throughput(test);
  if (tell_worst(diagnosis)) return diagnosis;
  if (!is_complete(test)) {
    tell_unclear(test.interrupted ? "It was interrupted before every stream had ended."
                                  : "Not every stream ended as planned.",
                 diagnosis);
    if (!test.interrupted)
      diagnosis.look_next.emplace_back("repeat it; if it happens again: slowpath diagnose -i DEV");
  } else {
    diagnosis.verdict = "healthy";
    diagnosis.confidence = 0.9;
    diagnosis.summary = sound(test);
  }
  return diagnosis;
}

double knee_of(const TestFacts& test) {
  constexpr double kOfTheBest = 0.9;
  const auto rate = [](const TestRun& run) {
    return run.flows.empty() ? 0 : run.flows.front().goodput_bps;
  };
  double best = 0;
  for (const TestRun& run : test.runs) best = std::max(best, rate(run));
  if (test.sweep.empty() || best <= 0) return 0;
  for (const TestRun& run : test.runs) {
    if (rate(run) >= kOfTheBest * best) return run.value;
  }
  return 0;
}

}  // namespace slowpath::detect
