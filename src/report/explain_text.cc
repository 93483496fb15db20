// SPDX-License-Identifier: Apache-2.0
#include "report/explain_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

#include "detect/detector.h"
#include "detect/host_rule.h"

namespace slowpath::report {
namespace {

/// Ids stand in backquotes in the catalogue, which a document wants and a terminal does not.
std::string without_quotes_around_ids(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto open = std::min(text.find('`'), text.size());
    const auto close = text.find('`', open + 1);
    if (close == std::string_view::npos) return shown.append(text);
    const std::string_view word = text.substr(open + 1, close - open - 1);
    const bool is_id = find_fault(word) != nullptr || find_non_fault(word) != nullptr;
    shown.append(text.substr(0, open));
    shown.append(is_id ? word : text.substr(open, close - open + 1));
    text.remove_prefix(close + 1);
  }
  return shown;
}

void write(Page& page, std::string_view label, std::string_view text) {
  if (!text.empty()) page.entry(label, without_quotes_around_ids(text));
}

std::string special_cases_of(const Fault& general) {
  std::string ids;
  for (const Fault& fault : all_faults()) {
    if (fault.specialises != general.id) continue;
    if (!ids.empty()) ids += ", ";
    ids += fault.id;
  }
  return ids;
}

void write_kinship(Page& page, const Fault& fault) {
  if (!fault.specialises.empty()) {
    page.entry("kind of", fmt::format("{}: found together, they are one finding, this one",
                                      fault.specialises));
  }
  write(page, "general",
        special_cases_of(fault).empty() ? std::string{}
                                        : "its special cases are " + special_cases_of(fault));
}

bool has_detector(const Fault& fault) {
  return std::ranges::any_of(detect::all_detectors(), [&](const detect::Detector* detector) {
    return detector->id == fault.id;
  });
}

void write_proof(Page& page, const Fault& fault) {
  write(page, "proof", fmt::format("{}: {}", to_string(fault.proved_by), fault.minimum_evidence));
  if (fault.max_severity != Severity::fault) {
    page.entry("severity", fmt::format("at most {}", to_string(fault.max_severity)));
  }
  page.entry("detector", has_detector(fault)  ? "this version can name it"
                         : is_detected(fault) ? "'slowpath inspect' alone can name it"
                                              : "none in this version: it is never a verdict yet");
}

void write_host_rules(Page& page, const Fault& fault) {
  std::string_view label = "inspect";
  for (const detect::HostFault* known : detect::all_host_faults()) {
    if (known->id != fault.id) continue;
    for (const detect::HostRule& rule : known->rules) {
      page.entry(label, fmt::format("{}: {}", rule.name, rule.fires_when));
      label = "";
    }
  }
}

/// "sender, linux"; the sender alone where the system does not matter.
std::string place_of(const RemedyStep& step) {
  std::string place{to_string(step.where)};
  if (step.platform != Platform::any) place.append(", ").append(to_string(step.platform));
  return place;
}

void write_step(Page& page, const RemedyStep& step) {
  page.entry(step.only_looks() ? "look" : "do",
             fmt::format("{}: {}", place_of(step), without_quotes_around_ids(step.action)));
  if (!step.only_looks()) write(page, "  undo", step.undo);
  write(page, "  source",
        step.check_first ? fmt::format("{} (read it first: the command depends on release "
                                       "or driver)",
                                       step.source)
                         : std::string{step.source});
}

constexpr std::size_t kIdColumns = 26;  // the longest id has 25 letters
constexpr std::size_t kIndent = 2;

/// One line of the list: mark, id and name; a long name goes on under itself.
std::string list_entry(std::string_view mark, std::string_view id, std::string_view name,
                       const Style& style) {
  constexpr std::size_t kNameColumn = kIndent + kIdColumns + kIndent;
  std::string text = fmt::format("{:<{}}{:<{}}", mark, kIndent, id, kIdColumns + kIndent);
  std::size_t column = kNameColumn;
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (column > kNameColumn && column + 1 + word.size() > style.width) {
      text.append("\n").append(kNameColumn, ' ');
      column = kNameColumn;
    } else if (column > kNameColumn) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return text + '\n';
}

}  // namespace

bool is_detected(const Fault& fault) {
  return has_detector(fault) ||
         std::ranges::any_of(detect::all_host_faults(),
                             [&](const detect::HostFault* known) { return known->id == fault.id; });
}

std::string explain_text(const Fault& fault, const Style& style) {
  Page page{style};
  page.heading(fault.id, fault.name);
  page.entry("family", to_string(fault.family));
  write_kinship(page, fault);
  page.gap();
  write(page, "sender", fault.at_sender);
  write(page, "receiver", fault.at_receiver);
  write(page, "midpath", fault.at_midpath);
  write(page, "host", fault.at_host);
  write_host_rules(page, fault);
  write(page, "test", fault.active);
  page.gap();
  write(page, "not", fault.told_apart_by);
  write_proof(page, fault);
  page.gap();
  for (const RemedyStep& step : fault.remedies) {
    write_step(page, step);
    page.gap();
  }
  write(page, "see", fault.references);
  return std::move(page).take();
}

std::string explain_text(const NonFault& normal, const Style& style) {
  Page page{style};
  page.heading(normal.id, "normal, and never a finding");
  page.gap();
  write(page, "looks", normal.looks_like);
  write(page, "meaning", normal.meaning);
  write(page, "marks", normal.how_recognised);
  write(page, "not", normal.must_not_hide);
  return std::move(page).take();
}

std::string explain_list(const Style& style) {
  std::string text;
  const Fault* before = nullptr;
  for (const Fault& fault : all_faults()) {
    if (before == nullptr || before->family != fault.family)
      text += fmt::format("{}{}\n", before == nullptr ? "" : "\n", to_string(fault.family));
    text += list_entry(is_detected(fault) ? "" : "-", fault.id, fault.name, style);
    before = &fault;
  }
  text += "\nnormal, and never a finding\n";
  for (const NonFault& normal : all_non_faults())
    text += list_entry("", normal.id, normal.looks_like, style);
  const bool all_detected = std::ranges::all_of(all_faults(), is_detected);
  if (!all_detected) text += "\n- this version has no detector for it yet\n";
  return text;
}

}  // namespace slowpath::report
