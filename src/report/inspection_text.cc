// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "facts/catalogue.h"
#include "report/inspection.h"
#include "report/inspection_parts.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

// So many in full, and so many lines of each list, fit on a screen.
constexpr std::size_t kInFull = 3;
constexpr std::size_t kFewLines = 5;

std::string_view label_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "NOTE";
    case Severity::suspect:
      return "SUSPECT";
    case Severity::fault:
      return "FAULT";
  }
  std::unreachable();
}

std::string host_of(const MachineFacts& facts) {
  std::vector<std::string> parts;
  if (!facts.os.empty()) parts.push_back(facts.os);
  if (facts.os.empty() && facts.platform) parts.emplace_back(to_string(*facts.platform));
  if (!facts.kernel.empty() && !facts.os.contains(facts.kernel))
    parts.push_back("kernel " + facts.kernel);
  if (!facts.virtualization.empty()) parts.push_back("on " + facts.virtualization);
  if (parts.empty()) parts.emplace_back("a host of unknown platform");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string verdict_of(const Inspected& inspected) {
  return fmt::format("{}: {}", inspected.inspection.verdict, inspected.inspection.summary);
}

Tone tone_of_verdict(const Inspection& inspection) {
  if (inspection.verdict == "healthy") return Tone::good;
  return inspection.verdict == "unclear" ? Tone::doubtful : Tone::bad;
}

void write_step(Page& page, std::string_view label, const HostStep& step) {
  const std::string what =
      step.where.empty() ? step.action : fmt::format("at the {}: {}", step.where, step.action);
  page.entry(label,
             step.check_first ? fmt::format("{}   (check it first: {})", what, step.source) : what);
  page.entry("", "undo: " + step.undo);
}

void write_steps(Page& page, const HostFinding& finding, bool all) {
  if (finding.steps.empty()) return;
  write_step(page, "do", finding.steps.front());
  if (!all) {
    if (finding.steps.size() > 1)
      page.entry("", fmt::format("{} other {} with --all", finding.steps.size() - 1,
                                 finding.steps.size() == 2 ? "step" : "steps"));
    return;
  }
  for (std::size_t i = 1; i < finding.steps.size(); ++i) write_step(page, "or", finding.steps[i]);
}

void write_in_full(Page& page, const HostFinding& finding, bool all) {
  page.gap();
  page.entry_with_margin(label_of(finding.severity), finding.claim, std::string(finding.fault),
                         tone_of(finding.severity));
  page.entry("value", fmt::format("{}; expected: {}", finding.value, finding.expected));
  if (!finding.why.empty()) page.entry("why", finding.why);
  if (!finding.cost.empty()) page.entry("cost", finding.cost);
  std::string_view label = "evidence";
  for (const HostEvidence& evidence : finding.evidence) {
    page.entry(label, evidence.origin.empty()
                          ? evidence.text
                          : fmt::format("{}   ({})", evidence.text, evidence.origin));
    label = "";
  }
  write_steps(page, finding, all);
}

void write_findings(Page& page, const Inspection& inspection, bool all) {
  std::size_t shown = 0;
  for (const HostFinding& finding : inspection.findings) {
    const bool in_full = all || (shown < kInFull && finding.severity != Severity::note);
    if (in_full) {
      write_in_full(page, finding, all);
    } else {
      if (shown == 0 || shown == kInFull) page.gap();
      page.entry_with_margin(label_of(finding.severity), finding.claim, std::string(finding.fault),
                             tone_of(finding.severity));
    }
    ++shown;
  }
  if (!all && shown > kInFull) page.entry("", "all of them in full with --all");
}

template <typename Items>
void count_up(std::vector<std::string>& parts, const Items& items, std::string_view singular,
              std::string_view plural) {
  if (!items.empty())
    parts.push_back(
        fmt::format("{} {}", format_count(items.size()), items.size() == 1 ? singular : plural));
}

void write_looked_at(Page& page, const Inspected& inspected, const TextOptions& options) {
  const MachineFacts& facts = inspected.facts;
  const std::vector<HostRuleState>& rules = inspected.inspection.rules;
  std::vector<std::string> parts;
  count_up(parts, facts.interfaces, "interface", "interfaces");
  count_up(parts, facts.settings, "setting", "settings");
  count_up(parts, facts.counters, "counter", "counters");
  count_up(parts, facts.routes, "route", "routes");
  count_up(parts, facts.sockets, "socket", "sockets");
  count_up(parts, facts.cpus, "CPU", "CPUs");
  count_up(parts, facts.packages, "line of packages", "lines of packages");
  count_up(parts, facts.measured, "test of another program", "tests of other programs");
  page.gap();
  page.entry("looked at", parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", ")));
  if (facts.interval_s)
    page.entry("", fmt::format("rates over {}", format_duration(*facts.interval_s)));
  const auto judged =
      static_cast<std::size_t>(std::ranges::count(rules, true, &HostRuleState::judged));
  std::string text = fmt::format("{} of {} rules could judge", judged, rules.size());
  if (judged < rules.size() && !options.explain) text += "; --explain names what the others need";
  page.entry("rules", text);
  if (!options.explain) return;
  for (const HostRuleState& rule : rules) {
    if (!rule.judged) page.entry("", fmt::format("{} needs: {}", rule.rule, rule.needs));
  }
}

/// Those with one reason and one remedy stand together.
void write_unread(Page& page, const MachineFacts& facts, bool all) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> reasons;
  for (const Unread& unread : facts.unread)
    reasons[{unread.why, unread.allow}].push_back(unread.what);
  std::string_view label = "not read";
  for (const auto& [reason, what] : reasons) {
    const std::size_t shown = all ? what.size() : std::min(what.size(), kFewLines);
    std::string text = fmt::format(
        "{}", fmt::join(what.begin(), what.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (shown < what.size()) text += fmt::format(" and {} more", what.size() - shown);
    text += fmt::format(": {}", reason.first);
    if (!reason.second.empty()) text += fmt::format(" (needs {})", reason.second);
    page.entry(label, text);
    label = "";
  }
}

void write_not_understood(Page& page, const MachineFacts& facts, bool all) {
  const std::vector<NotUnderstood>& lines = facts.not_understood;
  if (lines.empty()) return;
  page.entry("unknown", fmt::format("{} {} not understood", format_count(lines.size()),
                                    lines.size() == 1 ? "line was" : "lines were"));
  const std::size_t shown = all ? lines.size() : std::min(lines.size(), kFewLines);
  for (std::size_t i = 0; i < shown; ++i) {
    page.entry("", lines[i].line > 0
                       ? fmt::format("{}, line {}: {}", lines[i].file, lines[i].line, lines[i].text)
                       : fmt::format("{}: {}", lines[i].file, lines[i].text));
  }
  if (shown < lines.size()) page.entry("", fmt::format("{} more", lines.size() - shown));
}

}  // namespace

std::string inspection_to_text(const Inspected& inspected, const TextOptions& options) {
  Page page(options.style);
  const std::string name = inspected.facts.name.empty() ? "this host" : inspected.facts.name;
  if (options.quiet) {
    page.entry("VERDICT", verdict_of(inspected), tone_of_verdict(inspected.inspection));
    return std::move(page).take();
  }
  page.heading(name, fmt::format("{}   ({})", host_of(inspected.facts), inspected.source));
  page.entry("VERDICT", verdict_of(inspected), tone_of_verdict(inspected.inspection));
  if (inspected.interrupted) page.entry("", "interrupted: the answer so far");
  if (inspected.changes) write_changes(page, *inspected.changes, inspected.against, options.all);
  write_findings(page, inspected.inspection, options.all);
  write_looked_at(page, inspected, options);
  write_unread(page, inspected.facts, options.all);
  write_not_understood(page, inspected.facts, options.all);
  return std::move(page).take();
}

}  // namespace slowpath::report
