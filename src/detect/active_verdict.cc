// SPDX-License-Identifier: Apache-2.0
#include "detect/active_verdict.h"

#include <utility>

#include <fmt/format.h>

namespace slowpath::detect {
namespace {

/// How sure `unclear` is, after an active test.
constexpr double kUnclearTest = 0.6;

}  // namespace

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

void tell_fault(const Finding& worst, Diagnosis& diagnosis) {
  diagnosis.verdict = worst.fault;
  diagnosis.confidence = worst.confidence;
  diagnosis.summary = capitalised(worst.claim) + ".";
}

void tell_unclear(std::string summary, Diagnosis& diagnosis) {
  diagnosis.verdict = "unclear";
  diagnosis.confidence = kUnclearTest;
  diagnosis.summary = std::move(summary);
}

void tell_suspect(const Finding& worst, Diagnosis& diagnosis) {
  tell_unclear(fmt::format("No cause is proved; it may be {}: {}.", worst.fault, worst.claim),
               diagnosis);
  if (!worst.next_capture.empty()) diagnosis.look_next.push_back(worst.next_capture);
}

bool tell_worst(Diagnosis& diagnosis) {
  if (diagnosis.findings.empty()) return false;
  const Finding& worst = diagnosis.findings.front();
  if (worst.severity == Severity::note) return false;
  if (worst.severity == Severity::fault) {
    tell_fault(worst, diagnosis);
  } else {
    tell_suspect(worst, diagnosis);
  }
  return true;
}

}  // namespace slowpath::detect
