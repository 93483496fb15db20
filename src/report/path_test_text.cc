// SPDX-License-Identifier: Apache-2.0
#include "report/path_test_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/format.h"
#include "report/path_test_parts.h"
#include "report/text_parts.h"

namespace slowpath::report {
namespace {

std::string heading_of(const PathTestFacts& test) {
  std::string text = fmt::format("{} → {}", to_string(test.local), to_string(test.peer));
  if (test.host != to_string(test.peer)) text += fmt::format(" ({})", test.host);
  return text + (test.with_peer ? ", with slowpath serve there" : ", from this end alone");
}

void write_verdict(Page& page, const Diagnosis& diagnosis, bool all) {
  Answer answer;
  answer.diagnosis = diagnosis;
  TextOptions options;
  options.style = page.style();
  options.all = all;
  const Finding* verdict = nullptr;
  if (!diagnosis.findings.empty() && diagnosis.findings.front().severity == Severity::fault) {
    verdict = &diagnosis.findings.front();
    write_finding(page, answer, *verdict, "VERDICT", options);
  } else {
    page.entry_with_margin("VERDICT", fmt::format("{}: {}", diagnosis.verdict, diagnosis.summary),
                           fmt::format("{:.2f}", diagnosis.confidence),
                           diagnosis.verdict == "healthy" ? Tone::good : Tone::doubtful);
    for (const std::string& next : diagnosis.look_next) page.entry("next", next);
  }
  for (const Finding& finding : diagnosis.findings) {
    if (&finding == verdict) continue;
    page.gap();
    if (all || finding.severity == Severity::fault) {
      write_finding(page, answer, finding, to_string(finding.severity), options);
    } else {
      write_finding_briefly(page, finding);
    }
  }
}

}  // namespace

namespace {

void write_measurements(Page& page, const PathTestFacts& test, bool all) {
  if (test.mtu) write_path_mtu(page, test, all);
  if (test.latency) write_path_latency(page, *test.latency);
  if (test.middlebox) write_path_headers(page, *test.middlebox);
  if (test.idle) write_path_idle(page, *test.idle);
  if (test.churn) write_path_churn(page, *test.churn);
}

}  // namespace

std::string path_measurements_text(const PathTestFacts& test, const Style& style, bool all) {
  Page page(style);
  write_measurements(page, test, all);
  return std::move(page).take();
}

std::string path_test_text(const PathTestFacts& test, const Diagnosis& diagnosis,
                           const Style& style, bool all) {
  Page page(style);
  page.heading("path", heading_of(test));
  write_measurements(page, test, all);
  page.gap();
  write_verdict(page, diagnosis, all);
  if (!test.with_peer) {
    page.gap();
    page.entry(
        "more",
        fmt::format(
            "with slowpath serve on {}: each way apart, segments and bursts, delay under load, "
            "loss at rates and by length, what boxes change ({})",
            to_string(test.peer), test.peer_missing));
  }
  return std::move(page).take();
}

}  // namespace slowpath::report
