// SPDX-License-Identifier: Apache-2.0
#include "report/compare_text.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "base/format.h"
#include "facts/catalogue.h"
#include "report/compare_parts.h"
#include "report/text_parts.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

bool shares_traffic(const Answer& answer) {
  return answer.facts.comparisons.connections_shared > 0;
}

struct Totals {
  std::uint64_t lost = 0, changed = 0, equal = 0, matched = 0;
};

Totals totals_of(const ComparisonFacts& facts) {
  Totals totals;
  for (const ComparedConnection& connection : facts.connections) {
    for (const BetweenFacts& between : connection.between) {
      totals.lost += between.losses.packets + between.bare_lost * (between.bare_comparable ? 1 : 0);
      totals.changed += between.contents.changed_good + between.contents.became_bad;
      totals.equal += between.contents.identical_bytes;
      totals.matched += between.matched_bytes;
    }
  }
  return totals;
}

void write_places(Page& page, const Answer& answer) {
  for (const CaptureFacts& capture : answer.facts.captures) {
    page.heading(capture.file, fmt::format("{}, {} packets of TCP", capture.name,
                                           format_count(capture.tcp_packets)));
    if (capture.damage_count > 0)
      page.entry("damage", capture.damage.empty() ? "in part" : capture.damage.front());
    if (capture.reported_drops > 0)
      page.entry("capture", fmt::format("lost {} packets, as it says itself",
                                        format_count(capture.reported_drops)));
  }
  for (const Unreadable& input : answer.unreadable)
    page.entry("not read", input.why, Tone::doubtful);
}

/// The finding that gives the verdict in full, and each other fault once: several points show the
/// same.
void write_findings(Page& page, const Answer& answer, const TextOptions& options) {
  if (!shares_traffic(answer)) {
    page.entry("VERDICT", fmt::format("unclear: {}", comparison_summary(answer)), Tone::doubtful);
    page.entry("next", "slowpath diagnose FILE judges each by itself");
    return;
  }
  const Finding* const verdict = finding_of_verdict(answer.diagnosis);
  if (verdict == nullptr) {
    const bool healthy = comparison_verdict(answer) == "healthy";
    page.entry_with_margin(
        "VERDICT", fmt::format("{}: {}", comparison_verdict(answer), comparison_summary(answer)),
        fmt::format("{:.2f}", answer.diagnosis.confidence), healthy ? Tone::good : Tone::doubtful);
    for (const std::string& command : answer.diagnosis.look_next) page.entry("next", command);
  } else {
    write_finding(page, answer, *verdict, "VERDICT", options);
  }
  constexpr std::size_t kMostBrief = 4;
  std::set<std::string_view> told;
  if (verdict != nullptr) told.insert(verdict->fault);
  for (const Finding& finding : answer.diagnosis.findings) {
    const Fault* const fault = find_fault(finding.fault);
    // What two captures alone can prove is worth a line even where it cost nothing.
    const bool is_proof = fault != nullptr && fault->proved_by == ProvedBy::two_captures;
    if (finding.severity == Severity::note && !is_proof) continue;
    if (!told.insert(finding.fault).second) continue;
    if (told.size() <= kMostBrief || options.all) write_finding_briefly(page, finding);
  }
}

}  // namespace

std::string comparison_verdict(const Answer& answer) {
  return shares_traffic(answer) ? answer.diagnosis.verdict : "unclear";
}

std::string comparison_summary(const Answer& answer) {
  const ComparisonFacts& facts = answer.facts.comparisons;
  if (facts.points.size() < 2)
    return "only one point could be read: there is nothing to compare it with";
  if (!shares_traffic(answer)) {
    return "these captures share no traffic: no connection of one is in another, by addresses, "
           "sequence numbers, timestamps or "
           "contents";
  }
  const Totals totals = totals_of(facts);
  const std::string differs =
      totals.lost + totals.changed == 0
          ? fmt::format("nothing was lost or changed between the points; {} compared and equal",
                        format_bytes(static_cast<double>(totals.equal)))
          : fmt::format("{} packets were lost and {} changed between the points",
                        format_count(totals.lost), format_count(totals.changed));
  if (answer.diagnosis.verdict == "healthy" || answer.diagnosis.verdict == "unclear")
    return fmt::format("{}. {}", differs, answer.diagnosis.summary);
  return answer.diagnosis.summary;
}

std::string comparison_to_text(const Answer& answer, const TextOptions& options) {
  Page page(options.style);
  if (!options.quiet) {
    write_places(page, answer);
    if (!answer.facts.comparisons.points.empty())
      write_comparison(page, answer,
                       options.all ? SIZE_MAX : std::min<std::size_t>(options.most_connections, 2));
    page.gap();
    write_findings(page, answer, options);
  } else {
    page.entry("VERDICT",
               fmt::format("{}: {}", comparison_verdict(answer),
                           finding_of_verdict(answer.diagnosis) != nullptr && shares_traffic(answer)
                               ? finding_of_verdict(answer.diagnosis)->claim
                               : comparison_summary(answer)));
  }
  return std::move(page).take();
}

}  // namespace slowpath::report
