// SPDX-License-Identifier: Apache-2.0
// The only file that knows the JSON library. One function for each object of the contract.
#include "report/json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "base/version.h"
#include "facts/capture.h"
#include "facts/catalogue.h"
#include "facts/connection.h"
#include "facts/time_account.h"
#include "report/finding_json.h"
#include "report/json_value.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchemaName = "slowpath.diagnosis.v1";

/// JSON has no infinity and no NaN. For keys that promise a number.
double finite(double value) { return std::isfinite(value) ? value : 0.0; }

Json frame_numbers(const std::vector<FrameRef>& frames) {
  Json list = Json::array();
  for (const FrameRef frame : frames) {
    if (frame) list.push_back(frame.number());
  }
  return list;
}

Json to_json(const NormalNote& note) {
  return {{"id", note.id},
          {"count", note.count},
          {"text", note.text},
          {"frames", frame_numbers(note.frames)}};
}

Json time_or_null(const CaptureFacts& capture, Time time) {
  // A capture without packets, or only with packets without time, has neither first nor last.
  const bool timed = capture.packets > capture.frames_without_time;
  return timed ? Json(to_ns(time)) : Json(nullptr);
}

Json to_json(const CaptureFacts& capture) {
  Json notes = Json::array();
  for (const NormalNote& note : capture.notes) notes.push_back(to_json(note));
  return {{"file", capture.file},
          {"name", capture.name},
          {"format", capture.format},
          {"link_type", capture.link_type},
          {"packets", capture.packets},
          {"bytes", capture.bytes},
          {"first_time_ns", time_or_null(capture, capture.first)},
          {"last_time_ns", time_or_null(capture, capture.last)},
          {"vantage", to_word(capture.vantage)},
          {"damaged_bytes", capture.damaged_bytes},
          {"damage", capture.damage},
          {"cut_short", capture.cut_short},
          {"tcp_packets", capture.tcp_packets},
          {"udp_packets", capture.udp_packets},
          {"quic_packets", capture.quic_packets},
          {"icmp_packets", capture.icmp_packets},
          {"other_packets", capture.other_packets},
          {"not_decoded_packets", capture.not_decoded_packets},
          {"malformed_packets", capture.malformed_packets},
          {"truncated_packets", capture.truncated_packets},
          {"filtered_packets", capture.filtered_packets},
          {"reported_drops", capture.reported_drops},
          {"tap_copies", capture.tap_copies},
          {"snap_len", capture.snap_len},
          {"comments", capture.comments},
          {"settings_changes", capture.settings_changes},
          {"notes", std::move(notes)}};
}

Json to_json(const Unreadable& input) {
  CaptureFacts nothing;
  nothing.file = input.file;
  Json json = to_json(nothing);
  json["error"] = input.why;
  return json;
}

Json to_json(const TimeAccount& account) {
  Json list = Json::array();
  const double total = account.total();
  if (!std::isfinite(total) || total <= 0) return list;
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    const auto owner = static_cast<TimeOwner>(i);
    if (account[owner] <= 0) continue;
    list.push_back({{"owner", to_string(owner)},
                    {"seconds", account[owner]},
                    {"share", std::min(1.0, account[owner] / total)}});
  }
  return list;
}

Json to_json(const DirectionFacts& direction) {
  const RttFacts& rtt = direction.rtt.total;
  const auto microseconds = [&](double seconds) {
    return rtt.samples > 0 ? number(std::round(seconds * 1e9) / 1e3) : Json(nullptr);
  };
  return {{"bytes", direction.bytes},
          {"packets", direction.packets},
          {"retransmitted_bytes", direction.resent_bytes},
          {"retransmitted_packets", direction.resent_packets},
          {"chunks",
           {{"count", direction.chunks.count},
            {"lossy", direction.chunks.lossy},
            {"lossy_enough", direction.chunks.lossy_enough}}},
          {"goodput_bps", finite(direction.goodput_bps)},
          {"rtt_min_us", microseconds(rtt.min_s)},
          {"rtt_median_us", microseconds(rtt.median_s)},
          {"rtt_p95_us", microseconds(rtt.p95_s)},
          {"vantage", to_word(direction.vantage)},
          {"time", to_json(direction.time)}};
}

std::string_view word_of(CloseKind close) {
  switch (close) {
    case CloseKind::open:
      return "open";
    case CloseKind::finished:
      return "finished";
    case CloseKind::reset:
      return "reset";
    case CloseKind::half_closed:
      return "half-closed";
  }
  return "open";
}

Json connection_to_json(const Answer& answer, std::size_t position) {
  const ConnectionFacts& connection = answer.facts.connections[position];
  const std::vector<std::string>& verdicts = answer.diagnosis.connection_verdicts;
  return {{"id", connection.id},
          {"client", to_string(connection.client)},
          {"server", to_string(connection.server)},
          {"start_time_ns", to_ns(connection.first)},
          {"duration_s", std::max(0.0, to_seconds(connection.last - connection.first))},
          {"close", word_of(connection.close)},
          {"verdict", position < verdicts.size() ? verdicts[position] : "unclear"},
          {"directions",
           {{"to_server", to_json(connection[Direction::to_server])},
            {"to_client", to_json(connection[Direction::to_client])}}}};
}

Json to_json(const Evidence& evidence, const Case& facts) {
  Json values = Json::object();
  for (const auto& [name, value] : evidence.values) {
    if (std::isfinite(value)) values[name] = value;
  }
  std::string file;
  if (!evidence.frames.empty() && evidence.frames.front().input() < facts.captures.size()) {
    file = facts.captures[evidence.frames.front().input()].file;
  }
  Json json = {{"kind", to_word(evidence.kind)},
               {"text", evidence.text},
               {"file", file},
               {"frames", frame_numbers(evidence.frames)},
               {"values", std::move(values)}};
  if (!evidence.pattern.empty()) json["pattern"] = evidence.pattern;
  return json;
}

Json to_json(const RemedyStep& step, const Case& facts, const Finding& finding) {
  std::string where{to_string(step.where)};
  const std::string address = address_of(step.where, facts, finding);
  if (!address.empty()) where += " (" + address + ")";
  return {{"platform", to_string(step.platform)},
          {"where", where},
          {"do", step.action},
          {"undo", step.undo},
          {"source", step.source},
          {"check_first", step.check_first}};
}

Json to_json(const AfterFix& after) {
  const bool told = after.goodput_bps && std::isfinite(*after.goodput_bps);
  return {{"goodput_bps", told ? Json(*after.goodput_bps) : Json(nullptr)},
          {"bound", to_string(told ? after.bound : Bound::unknown)},
          {"basis", after.basis}};
}

Json steps_of(const Diagnosis& diagnosis) {
  Json steps = Json::array();
  for (const FixStep& step : diagnosis.steps) {
    if (step.finding >= diagnosis.findings.size()) continue;
    const Finding& finding = diagnosis.findings[step.finding];
    steps.push_back(
        {{"finding", step.finding}, {"fault", finding.fault}, {"after_fix", to_json(step.after)}});
  }
  return steps;
}

Json to_json(const Spread& spread) {
  return {{"senders", spread.senders},
          {"receivers", spread.receivers},
          {"connections_between", spread.between},
          {"worst_connection", spread.worst},
          {"worst_seconds_lost", finite(spread.worst_s)}};
}

Json to_json(const Finding& finding, const Case& facts) {
  const Fault* fault = find_fault(finding.fault);
  Json evidence = Json::array();
  for (const Evidence& item : finding.evidence) evidence.push_back(to_json(item, facts));
  Json ruled_out = Json::array();
  for (const RuledOut& rival : finding.ruled_out) {
    ruled_out.push_back({{"fault", rival.fault}, {"why", rival.why}});
  }
  Json remedies = Json::array();
  if (fault != nullptr) {
    for (const RemedyStep& step : fault->remedies) {
      remedies.push_back(to_json(step, facts, finding));
    }
  }
  return {{"fault", finding.fault},
          {"name", fault != nullptr ? fault->name : ""},
          {"family", fault != nullptr ? to_string(fault->family) : "connection"},
          {"severity", to_string(finding.severity)},
          {"confidence", std::clamp(finite(finding.confidence), 0.0, 1.0)},
          {"connections", finding.connections},
          {"connections_total",
           finding.spread ? finding.spread->connections : finding.connections.size()},
          {"spread", finding.spread ? to_json(*finding.spread) : Json(nullptr)},
          {"direction", finding.direction ? Json(to_word(*finding.direction)) : Json(nullptr)},
          {"seconds_lost", std::max(0.0, finite(finding.seconds_lost))},
          {"claim", finding.claim},
          {"evidence", std::move(evidence)},
          {"ruled_out", std::move(ruled_out)},
          {"refuted_by", finding.refuted_by},
          {"remedies", std::move(remedies)},
          {"after_fix", to_json(finding.after_fix)},
          {"wireshark_filter", finding.wireshark_filter},
          {"next_capture", finding.next_capture}};
}

/// Whether a detector looks at connections, so that its silences are about one.
bool looks_at_connections(std::string_view fault) {
  const auto detectors = detect::all_detectors();
  const auto found = std::ranges::find(detectors, fault, &detect::Detector::id);
  return found != detectors.end() && ((*found)->scope == detect::Scope::direction ||
                                      (*found)->scope == detect::Scope::connection);
}

Json to_json(const detect::Silence& silence) {
  Json json = {{"fault", silence.fault}};
  json["connection"] =
      looks_at_connections(silence.fault) ? Json(silence.connection) : Json(nullptr);
  json["direction"] = silence.direction ? Json(to_word(*silence.direction)) : Json(nullptr);
  json["why"] = silence.why;
  return json;
}

/// The positions to list: the worst, and each that a finding names.
std::vector<std::size_t> listed_connections(const Answer& answer, std::size_t most) {
  std::set<std::uint32_t> named;
  for (const Finding& finding : answer.diagnosis.findings) {
    named.insert(finding.connections.begin(), finding.connections.end());
  }
  std::vector<std::size_t> listed = connections_worst_first(answer);
  std::size_t place = 0;
  std::erase_if(listed, [&](std::size_t position) {
    return place++ >= most && !named.contains(answer.facts.connections[position].id);
  });
  return listed;
}

/// How many connections have which verdict, the most first.
Json verdict_counts(const Diagnosis& diagnosis) {
  Json counts = Json::object();
  for (const auto& [verdict, count] : count_verdicts(diagnosis))
    counts[std::string{verdict}] = count;
  return counts;
}

Json statistics_of(const Answer& answer, std::size_t connections_listed) {
  std::uint64_t packets = 0;
  for (const CaptureFacts& capture : answer.facts.captures) packets += capture.packets;
  return {{"packets", packets},
          {"connections", std::max<std::uint64_t>(answer.facts.connections_total,
                                                  answer.facts.connections.size())},
          {"connections_listed", connections_listed},
          {"verdicts", verdict_counts(answer.diagnosis)},
          {"elapsed_s", finite(answer.elapsed_s)}};
}

/// null where every connection was analysed.
Json to_json(const ScreeningFacts& screening) {
  if (!screening.used) return nullptr;
  Json signs = Json::object();
  for (std::size_t i = 0; i < kLightSignCount; ++i) {
    const SignFacts& sign = screening.signs[i];
    if (sign.connections == 0) continue;
    signs[std::string{to_string(static_cast<LightSign>(i))}] = {{"connections", sign.connections},
                                                                {"analysed", sign.analysed},
                                                                {"grave", sign.grave},
                                                                {"grave_left", sign.grave_left}};
  }
  return {{"connections", screening.connections},
          {"connections_analysed", screening.connections_analysed},
          {"packets", screening.packets},
          {"packets_analysed", screening.packets_analysed},
          {"bytes", screening.bytes},
          {"connections_let_go", screening.let_go},
          {"grave_left", screening.grave_left},
          {"signs", std::move(signs)}};
}

/// Everything but the connections.
Json document(const Answer& answer, const JsonOptions& options, Json connections,
              std::size_t connections_listed) {
  const Diagnosis& diagnosis = answer.diagnosis;
  Json inputs = Json::array();
  for (const CaptureFacts& capture : answer.facts.captures) inputs.push_back(to_json(capture));
  for (const Unreadable& input : answer.unreadable) inputs.push_back(to_json(input));
  Json findings = Json::array();
  for (const Finding& finding : diagnosis.findings) {
    findings.push_back(to_json(finding, answer.facts));
  }
  Json json = {{"schema", kSchemaName},
               {"version", kVersion},
               {"verdict", diagnosis.verdict},
               {"confidence", std::clamp(finite(diagnosis.confidence), 0.0, 1.0)},
               {"summary", diagnosis.summary},
               {"interrupted", answer.interrupted},
               {"inputs", std::move(inputs)},
               {"connections", std::move(connections)},
               {"findings", std::move(findings)},
               {"steps", steps_of(diagnosis)},
               {"look_next", diagnosis.look_next}};
  if (options.explain) {
    Json silences = Json::array();
    for (const detect::Silence& silence : answer.silences) silences.push_back(to_json(silence));
    json["silences"] = std::move(silences);
  }
  json["screening"] = to_json(answer.screening);
  json["statistics"] = statistics_of(answer, connections_listed);
  return json;
}

std::string to_text(const Json& json, bool pretty) {
  constexpr int kIndent = 2;
  // File names and comments are bytes that somebody chose: `replace` keeps the document valid.
  return json.dump(pretty ? kIndent : -1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

Json finding_to_json(const Finding& finding, const Case& facts) { return to_json(finding, facts); }

std::string to_json(const Answer& answer, const JsonOptions& options) {
  const std::vector<std::size_t> listed = listed_connections(answer, options.most_connections);
  Json connections = Json::array();
  for (const std::size_t position : listed) {
    connections.push_back(connection_to_json(answer, position));
  }
  return to_text(document(answer, options, std::move(connections), listed.size()), options.pretty);
}

std::string to_jsonl(const Answer& answer, const JsonOptions& options) {
  const std::vector<std::size_t> listed = listed_connections(answer, options.most_connections);
  std::string lines;
  for (const std::size_t position : listed) {
    lines += to_text(connection_to_json(answer, position), false);
  }
  return lines + to_text(document(answer, options, Json::array(), listed.size()), false);
}

std::string error_to_json(std::string_view sentence) {
  return to_text({{"schema", kSchemaName},
                  {"version", kVersion},
                  {"verdict", "unclear"},
                  {"summary", "No answer: the input could not be read."},
                  {"error", sentence}},
                 false);
}

}  // namespace slowpath::report
