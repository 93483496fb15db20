// SPDX-License-Identifier: Apache-2.0
// What changed since another reading of the host: a part of the text and of the JSON.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "report/inspection_parts.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFewValues = 20;

std::string shown(const std::string& value) { return value.empty() ? "(none)" : value; }

void write_finding(Page& page, std::string_view label, const FindingChange& change) {
  const std::string state = change.after.empty() ? fmt::format("gone, was a {}", change.before)
                            : change.before.empty()
                                ? fmt::format("new, a {}", change.after)
                                : fmt::format("{} -> {}", change.before, change.after);
  page.entry(label, fmt::format("{} ({}): {}", change.finding.fault, state, change.finding.claim));
}

}  // namespace

void write_changes(Page& page, const HostChanges& changes, const std::string& against, bool all) {
  page.gap();
  page.entry("CHANGED",
             fmt::format("{} of {} values since {}", format_count(changes.values.size()),
                         format_count(changes.compared), against),
             Tone::bold);
  const std::size_t count =
      all ? changes.values.size() : std::min(changes.values.size(), kFewValues);
  for (std::size_t i = 0; i < count; ++i) {
    const HostChange& change = changes.values[i];
    page.entry("",
               fmt::format("{}: {} -> {}", change.what, shown(change.before), shown(change.after)));
  }
  if (count < changes.values.size())
    page.entry("", fmt::format("{} more with --all", changes.values.size() - count));
  if (changes.only_before + changes.only_after > 0)
    page.entry("",
               fmt::format("not compared, as only one told them: {} then, {} now",
                           format_count(changes.only_before), format_count(changes.only_after)));
  std::string_view label = "so that";
  if (changes.findings.empty()) page.entry(label, "the rules say the same");
  for (const FindingChange& change : changes.findings) {
    write_finding(page, label, change);
    label = "";
  }
  if (changes.unjudged > 0)
    page.entry("", fmt::format("findings of one that the other lacks the facts for: {}",
                               format_count(changes.unjudged)));
}

Json changes_to_json(const HostChanges& changes, const std::string& against) {
  Json values = Json::array(), findings = Json::array();
  const auto word = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  for (const HostChange& change : changes.values)
    values.push_back(
        {{"what", change.what}, {"before", word(change.before)}, {"after", word(change.after)}});
  for (const FindingChange& change : changes.findings)
    findings.push_back({{"rule", change.finding.rule},
                        {"fault", change.finding.fault},
                        {"interface", change.finding.interface},
                        {"claim", change.finding.claim},
                        {"before", word(change.before)},
                        {"after", word(change.after)}});
  return {{"against", against},
          {"compared", changes.compared},
          {"only_before", changes.only_before},
          {"only_after", changes.only_after},
          {"unjudged", changes.unjudged},
          {"values", std::move(values)},
          {"findings", std::move(findings)}};
}

}  // namespace slowpath::report
