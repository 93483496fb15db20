// SPDX-License-Identifier: Apache-2.0
// One finding: claim, cost, evidence, what was ruled out, what to do and what to expect.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "detect/remedies.h"
#include "facts/catalogue.h"
#include "report/text_parts.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

std::string_view name_of(const Finding& finding) {
  const Fault* fault = find_fault(finding.fault);
  return fault != nullptr ? fault->name : std::string_view{};
}

/// " (frames 4, 5, 10 …)", with the file where there are several.
std::string frames_of(const Evidence& evidence, const Case& facts, bool all) {
  constexpr std::size_t kFew = 3;
  std::vector<FrameRef> frames;
  std::ranges::copy_if(evidence.frames, std::back_inserter(frames),
                       [](FrameRef frame) { return static_cast<bool>(frame); });
  if (frames.empty()) return {};
  const std::size_t shown = all ? frames.size() : std::min(frames.size(), kFew);
  std::string text = frames.size() == 1 ? " (frame " : " (frames ";
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", frames[i].number());
  }
  if (shown < frames.size()) text += fmt::format("{}…", kNoBreak);
  const std::uint16_t input = frames.front().input();
  if (facts.captures.size() > 1 && input < facts.captures.size()) {
    text += " of " + facts.captures[input].file;
  }
  return text + ")";
}

/// "7.8 s of 8.2 s; without them 30 Mbit/s".
std::string cost_of(const Finding& finding, const Case& facts) {
  if (!(finding.seconds_lost > 0)) return {};
  std::string text = format_duration(finding.seconds_lost);
  const ConnectionFacts* connection = connection_of(facts, finding);
  if (finding.spread) {
    return fmt::format("{} over {} connections", text, format_count(finding.spread->connections));
  }
  if (connection == nullptr || finding.connections.size() > 1) return text;
  const DirectionFacts& direction = (*connection)[main_direction(*connection, &finding)];
  const double left_s = direction.transfer_s - finding.seconds_lost;
  if (direction.transfer_s <= 0 || left_s < 0) return text;
  text += " of " + format_duration(direction.transfer_s);
  if (finding.after_fix.goodput_bps) return text;  // The line on what to expect has the rate.
  // A remainder within the account's own error would make any rate look possible.
  constexpr double kSmallestRemainder = 0.001;
  if (direction.bytes > 0 && left_s > kSmallestRemainder * direction.transfer_s) {
    text += "; without them " + format_rate(static_cast<double>(direction.bytes) * 8 / left_s);
  }
  return text;
}

void write_evidence(Page& page, const Answer& answer, const Finding& finding, bool all) {
  std::string_view label = "evidence";
  for (const Evidence& evidence : finding.evidence) {
    page.entry(label, evidence.text + frames_of(evidence, answer.facts, all));
    label = "";
  }
}

void write_rivals(Page& page, const Finding& finding) {
  std::string rivals;
  for (const RuledOut& rival : finding.ruled_out) {
    rivals += fmt::format("{}{} ({})", rivals.empty() ? "" : ", ", rival.fault, rival.why);
  }
  if (!rivals.empty()) page.entry("not", rivals);
}

/// "10.0.0.1", or the role where the packets do not tell the address.
std::string place_of(const RemedyStep& step, const Answer& answer, const Finding& finding) {
  std::string address = address_of(step.where, answer.facts, finding);
  if (!address.empty()) return address;
  if (step.where == Role::both_ends) return std::string(to_string(step.where));
  return fmt::format("the {}", to_string(step.where));
}

/// Under `label`, or as what it is where it changes nothing.
void write_remedy(Page& page, std::string_view label, const RemedyStep& step, const Answer& answer,
                  const Finding& finding) {
  std::string what = fmt::format("on {}: {}", place_of(step, answer, finding),
                                 command_of(step.action, step.where, answer.facts, finding));
  if (step.platform != Platform::any) what += fmt::format("   ({})", to_string(step.platform));
  if (step.check_first) what += fmt::format("   (check it first: {})", step.source);
  if (step.only_looks()) return page.entry("look", what);
  const std::string undo = "undo: " + command_of(step.undo, step.where, answer.facts, finding);
  const std::string line = what + "        " + undo;
  constexpr std::size_t kLabelColumns = 10;
  if (display_width(line) + kLabelColumns <= page.style().width) {
    page.entry(label, line);
  } else {
    page.entry(label, what);
    page.entry("", undo);
  }
}

/// The first change and, where the catalogue has something to look at before it, the first of that.
/// With `all` the others follow, else their number.
void write_remedies(Page& page, const Answer& answer, const Finding& finding, bool all) {
  std::vector<const RemedyStep*> steps = detect::steps_against(finding, answer.facts);
  // What is shown alone comes first.
  const auto change = std::ranges::find_if_not(steps, &RemedyStep::only_looks);
  std::size_t shown = std::min<std::size_t>(steps.size(), 1);
  if (change != steps.end() && change != steps.begin()) {
    std::rotate(steps.begin() + 1, change, change + 1);
    shown = 2;
  }
  for (std::size_t i = 0; i < (all ? steps.size() : shown); ++i) {
    write_remedy(page, i < shown ? "do" : "or", *steps[i], answer, finding);
  }
  const std::size_t others = all ? 0 : steps.size() - shown;
  if (others != 0) {
    page.entry("", fmt::format("{} other {} with --all", others,
                               others == 1 ? "step or system" : "steps or systems"));
  }
}

void write_outlook(Page& page, const Finding& finding, bool all) {
  std::string expected;
  if (finding.after_fix.goodput_bps && std::isfinite(*finding.after_fix.goodput_bps)) {
    expected = fmt::format("{} {}", to_string(finding.after_fix.bound),
                           format_rate(*finding.after_fix.goodput_bps));
  }
  if (!finding.after_fix.basis.empty()) {
    expected += (expected.empty() ? "" : ": ") + finding.after_fix.basis;
  }
  if (!expected.empty()) page.entry("expect", expected);
  if (!finding.wireshark_filter.empty()) {
    page.entry("look", "Wireshark: " + finding.wireshark_filter);
  }
  if (!finding.next_capture.empty()) page.entry("next", finding.next_capture);
  if (all && !finding.refuted_by.empty()) page.entry("refuted", "by " + finding.refuted_by);
}

}  // namespace

void write_finding(Page& page, const Answer& answer, const Finding& finding, std::string_view label,
                   const TextOptions& options) {
  const std::string_view name = name_of(finding);
  page.entry_with_margin(label,
                         fmt::format("{}{}{}", finding.fault, name.empty() ? "" : ": ", name),
                         fmt::format("{:.2f}", finding.confidence), tone_of(finding.severity));
  page.entry("", finding.claim);
  const ConnectionFacts* connection = connection_of(answer.facts, finding);
  if (connection != nullptr) {
    const Direction direction = main_direction(*connection, &finding);
    const std::string shares = shares_of((*connection)[direction].time);
    if (!shares.empty()) page.entry("time", shares);
    const std::string difference = wireshark_difference(*connection, direction);
    if (!difference.empty()) page.entry("resends", difference);
  }
  const std::string cost = cost_of(finding, answer.facts);
  if (!cost.empty()) page.entry("cost", cost);
  write_evidence(page, answer, finding, options.all);
  write_rivals(page, finding);
  write_remedies(page, answer, finding, options.all);
  write_outlook(page, finding, options.all);
}

void write_finding_briefly(Page& page, const Finding& finding) {
  std::string text = fmt::format("{}: {}", finding.fault, finding.claim);
  if (finding.seconds_lost > 0 && !finding.spread) {  // of many, the claim says it
    text += fmt::format(" ({} lost)", format_duration(finding.seconds_lost));
  }
  page.entry(to_string(finding.severity), text, tone_of(finding.severity));
  if (!finding.next_capture.empty()) page.entry("", "next: " + finding.next_capture);
}

}  // namespace slowpath::report
