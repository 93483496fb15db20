// SPDX-License-Identifier: Apache-2.0
// The order of the page: the witnesses, the verdict's connection, the verdict, the rest in short.
#include "report/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "facts/connection.h"
#include "report/compare_parts.h"
#include "report/text_parts.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

const std::string& verdict_of(const Answer& answer, std::size_t position) {
  const std::vector<std::string>& verdicts = answer.diagnosis.connection_verdicts;
  return position < verdicts.size() ? verdicts[position] : answer.diagnosis.verdict;
}

/// The connection that the verdict is about: its finding's, else the one that carried most.
const ConnectionFacts* main_connection(const Answer& answer, const Finding* verdict) {
  if (verdict != nullptr) {
    // A finding about a path or a capture has no connection to show.
    return connection_of(answer.facts, *verdict);
  }
  const std::vector<std::size_t> order = connections_worst_first(answer);
  return order.empty() ? nullptr : &answer.facts.connections[order.front()];
}

/// "healthy" or "unclear", and what is known all the same.
void write_plain_verdict(Page& page, const Answer& answer, const ConnectionFacts* connection) {
  const Diagnosis& diagnosis = answer.diagnosis;
  const bool healthy = diagnosis.verdict == "healthy";
  page.entry_with_margin("VERDICT", fmt::format("{}: {}", diagnosis.verdict, diagnosis.summary),
                         fmt::format("{:.2f}", diagnosis.confidence),
                         healthy ? Tone::good : Tone::doubtful);
  if (connection != nullptr) {
    const Direction direction = main_direction(*connection, nullptr);
    const std::string shares = shares_of((*connection)[direction].time);
    if (!shares.empty()) page.entry("time", shares);
    const std::string difference = wireshark_difference(*connection, direction);
    if (!difference.empty()) page.entry("resends", difference);
  }
  for (const std::string& command : diagnosis.look_next) page.entry("next", command);
}

void write_other_findings(Page& page, const Answer& answer, const Finding* verdict,
                          const TextOptions& options) {
  constexpr std::size_t kMostBrief = 5;
  std::size_t shown = 0;
  std::size_t hidden = 0;
  for (const Finding& finding : answer.diagnosis.findings) {
    if (&finding == verdict) continue;
    if (options.all) {
      page.gap();
      if (const ConnectionFacts* connection = connection_of(answer.facts, finding)) {
        write_connection(page, *connection, main_direction(*connection, &finding));
      }
      write_finding(page, answer, finding, to_string(finding.severity), options);
    } else if (shown < kMostBrief) {
      if (shown++ == 0) page.gap();
      write_finding_briefly(page, finding);
    } else {
      ++hidden;
    }
  }
  if (hidden > 0) {
    page.entry("", fmt::format("{} more finding{} with --all", hidden, hidden == 1 ? "" : "s"));
  }
}

/// "890 connections: 750 healthy, 100 random-loss, 40 zero-window"; `with_total`: "890 of 12 040
/// connections analysed: ..." where others were only counted.
std::string verdicts_of_all(const Answer& answer, bool with_total) {
  std::string text;
  for (const auto& [verdict, count] : count_verdicts(answer.diagnosis)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(count), verdict);
  }
  const std::uint64_t all = answer.facts.connections_total;
  const std::size_t analysed = answer.facts.connections.size();
  const std::string of_all = with_total && all > analysed
                                 ? fmt::format(" of {} connections analysed", format_count(all))
                                 : std::string{" connections"};
  return fmt::format("{}{}: {}", format_count(analysed), of_all, text);
}

/// Faults that many connections share: their findings speak of hosts and paths.
std::set<std::string_view> shared_faults(const Diagnosis& diagnosis) {
  std::set<std::string_view> shared;
  for (const Finding& finding : diagnosis.findings) {
    if (finding.spread) shared.insert(finding.fault);
  }
  return shared;
}

/// Connections that need a line of their own where findings speak of many: neither sound, nor told
/// by one of those.
std::vector<std::size_t> told_by_none(const Answer& answer, const std::vector<std::size_t>& order) {
  const std::set<std::string_view> shared = shared_faults(answer.diagnosis);
  if (shared.empty()) return order;
  std::set<std::uint32_t> alone;
  for (const Finding& finding : answer.diagnosis.findings) {
    if (!finding.spread) alone.insert(finding.connections.begin(), finding.connections.end());
  }
  std::vector<std::size_t> left;
  for (const std::size_t position : order) {
    const std::string& verdict = verdict_of(answer, position);
    if (verdict == "healthy") continue;
    const bool is_alone = alone.contains(answer.facts.connections[position].id);
    if (is_alone || !shared.contains(verdict)) left.push_back(position);
  }
  return left;
}

/// "first random-loss: about 26 Mbit/s", "then rwnd-limited: ...": one switch a step.
void write_steps(Page& page, const Diagnosis& diagnosis) {
  std::string_view label = "in order";
  for (const FixStep& step : diagnosis.steps) {
    if (step.finding >= diagnosis.findings.size()) continue;
    const std::string rate = step.after.goodput_bps
                                 ? fmt::format("{} {}", to_string(step.after.bound),
                                               format_rate(*step.after.goodput_bps))
                                 : step.after.basis;
    page.entry(label, fmt::format("{} repair {}: {}", label.empty() ? "then" : "first",
                                  diagnosis.findings[step.finding].fault, rate));
    label = "";
  }
}

/// Of a large capture: what was not analysed, and with which signs that could be a fault.
void write_screening(Page& page, const ScreeningFacts& screening) {
  page.entry("", fmt::format("{} of {} connections were analysed, the others only screened",
                             format_count(screening.connections_analysed),
                             format_count(screening.connections)));
  std::string left;
  for (std::size_t i = 0; i < kLightSignCount; ++i) {
    if (screening.signs[i].grave_left == 0) continue;
    left += fmt::format("{}{} {}", left.empty() ? "" : ", ", to_string(static_cast<LightSign>(i)),
                        format_count(screening.signs[i].grave_left));
  }
  if (left.empty()) return;
  page.entry("", fmt::format("not analysed one by one, though they show signs: {} ({}); --full "
                             "analyses all",
                             format_count(screening.grave_left), left));
}

void write_other_connections(Page& page, const Answer& answer, const ConnectionFacts* main,
                             const TextOptions& options) {
  const std::vector<ConnectionFacts>& connections = answer.facts.connections;
  const bool has_overview = !shared_faults(answer.diagnosis).empty();
  std::vector<std::size_t> order = connections_worst_first(answer);
  std::size_t hidden = order.size();
  if (!options.all) order = told_by_none(answer, order);
  // The verdict's own has been shown.
  const auto is_main = [&](std::size_t position) { return &connections[position] == main; };
  std::erase_if(order, is_main);
  hidden -= order.size() + (main == nullptr ? 0 : 1);
  std::size_t shown = 0;
  for (const std::size_t position : order) {
    const ConnectionFacts& connection = connections[position];
    if (!options.all && shown == options.most_connections) {
      ++hidden;
      continue;
    }
    const Direction direction = main_direction(connection, nullptr);
    if (shown++ == 0 || options.all) page.gap();
    if (options.all) write_connection(page, connection, direction);
    const std::string line = fmt::format("{} #{}", verdict_of(answer, position), connection.id);
    if (options.all) {
      page.entry("verdict", line);
      const std::string shares = shares_of(connection[direction].time);
      if (!shares.empty()) page.entry("time", shares);
    } else {
      page.entry(fmt::format("#{}", connection.id),
                 fmt::format("{}   {}   {}", ends_of(connection, direction),
                             transfer_of(connection, direction), verdict_of(answer, position)));
    }
  }
  if (hidden > 0) {
    page.entry("", fmt::format("{} more connection{} with --all", format_count(hidden),
                               hidden == 1 ? "" : "s"));
    if (!has_overview) page.entry("", verdicts_of_all(answer, false));
  }
  const std::uint64_t totals_only =
      answer.facts.connections_total -
      std::min<std::uint64_t>(answer.facts.connections_total, connections.size());
  if (answer.screening.used) return write_screening(page, answer.screening);
  if (totals_only > 0) {
    page.entry("", fmt::format("{} connections too small to judge were only counted",
                               format_count(totals_only)));
  }
}

std::string quiet_line(const Answer& answer, bool utf8) {
  const Diagnosis& diagnosis = answer.diagnosis;
  const Finding* verdict = finding_of_verdict(diagnosis);
  const std::string& why = verdict != nullptr ? verdict->claim : diagnosis.summary;
  return printable(fmt::format("{}: {}", diagnosis.verdict, why), utf8) + "\n";
}

}  // namespace

void write_silences(Page& page, const Answer& answer) {
  // Detectors say the same about many connections: each sentence once, with how often.
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> counts;
  for (const detect::Silence& silence : answer.silences) ++counts[{silence.fault, silence.why}];
  std::string_view previous;
  for (const auto& [key, count] : counts) {
    const auto& [fault, why] = key;
    const std::string times = count > 1 ? fmt::format(" ({} times)", format_count(count)) : "";
    page.entry(previous.empty() ? "silent" : "", fmt::format("{}: {}{}", fault, why, times));
    previous = fault;
  }
}

std::string to_text(const Answer& answer, const TextOptions& options) {
  if (options.quiet) return quiet_line(answer, options.style.utf8);
  Page page{options.style};
  write_inputs(page, answer, options);
  if (!answer.facts.comparisons.points.empty()) {
    write_comparison(page, answer, 1);
    page.gap();
  }
  const Finding* verdict = finding_of_verdict(answer.diagnosis);
  const ConnectionFacts* connection = main_connection(answer, verdict);
  if (!shared_faults(answer.diagnosis).empty()) {
    page.entry("in all", verdicts_of_all(answer, true));
    page.gap();
  }
  if (connection != nullptr) {
    if (verdict != nullptr && verdict->spread) {
      page.entry("worst", fmt::format("#{} of the {} connections with the verdict's fault:",
                                      connection->id, format_count(verdict->spread->connections)));
    }
    write_connection(page, *connection, main_direction(*connection, verdict));
  }
  page.gap();
  if (verdict != nullptr) {
    write_finding(page, answer, *verdict, "VERDICT", options);
  } else {
    write_plain_verdict(page, answer, connection);
  }
  write_steps(page, answer.diagnosis);
  write_other_findings(page, answer, verdict, options);
  write_other_connections(page, answer, connection, options);
  if (answer.interrupted) {
    page.gap();
    page.entry("stopped", "by a signal: this is the answer so far", Tone::doubtful);
  }
  if (options.explain) {
    page.gap();
    write_silences(page, answer);
  }
  return std::move(page).take();
}

}  // namespace slowpath::report
