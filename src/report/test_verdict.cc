// SPDX-License-Identifier: Apache-2.0
#include "report/test_verdict.h"

#include <fmt/format.h>

#include "report/text_parts.h"

namespace slowpath::report {

void write_test_verdict(Page& page, const Diagnosis& diagnosis, const TextOptions& options) {
  Answer shell;
  shell.diagnosis = diagnosis;
  if (diagnosis.findings.empty() || diagnosis.verdict != diagnosis.findings.front().fault) {
    page.entry_with_margin("VERDICT", diagnosis.verdict,
                           fmt::format("{:.2f}", diagnosis.confidence),
                           diagnosis.verdict == "healthy" ? Tone::good : Tone::doubtful);
    page.entry("", diagnosis.summary);
  }
  bool first = diagnosis.verdict != "healthy" && diagnosis.verdict != "unclear";
  for (const Finding& finding : diagnosis.findings) {
    if (!first && !options.all) {
      write_finding_briefly(page, finding);
      continue;
    }
    if (!first) page.gap();
    write_finding(page, shell, finding, first ? "VERDICT" : to_string(finding.severity), options);
    if (!options.all) page.gap();
    first = false;
  }
  for (const std::string& each : diagnosis.look_next) page.entry("next", each);
}

}  // namespace slowpath::report
