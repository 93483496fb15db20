// SPDX-License-Identifier: Apache-2.0
// The document of a diagnosis. Its parts are in json_case.cc (what was looked at) and
// finding_json.cc.
#include "report/json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/time.h"
#include "base/version.h"
#include "facts/catalogue.h"
#include "facts/connection.h"
#include "report/finding_json.h"
#include "report/json_case.h"
#include "report/json_value.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchemaName = "slowpath.diagnosis.v1";

Json steps_of(const Diagnosis& diagnosis) {
  Json steps = Json::array();
  for (const FixStep& step : diagnosis.steps) {
    if (step.finding >= diagnosis.findings.size()) continue;
    const Finding& finding = diagnosis.findings[step.finding];
    steps.push_back({{"finding", step.finding},
                     {"fault", finding.fault},
                     {"after_fix", after_fix_to_json(step.after)}});
  }
  return steps;
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
  for (const CaptureFacts& capture : answer.facts.captures)
    inputs.push_back(capture_to_json(capture));
  for (const Unreadable& input : answer.unreadable) inputs.push_back(unreadable_to_json(input));
  Json findings = Json::array();
  for (const Finding& finding : diagnosis.findings) {
    findings.push_back(finding_to_json(finding, answer.facts));
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
  // File names and comments are bytes that somebody chose: `replace` keeps the document valid.
  return json_document(json, pretty ? kJsonIndent : kJsonInOneLine);
}

}  // namespace

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
