// SPDX-License-Identifier: Apache-2.0
// `slowpath.test.v1`. One function for each object of the contract.
#include <cmath>

#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "detect/throughput_test.h"
#include "report/finding_json.h"
#include "report/path_test_text.h"
#include "report/test_answer.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json microseconds(double seconds) { return seconds > 0 ? Json(seconds * 1e6) : Json(nullptr); }

Json json_of(const TestHost& host) {
  Json cpus = Json::array();
  for (const CpuFacts& cpu : host.cpus)
    cpus.push_back({{"number", cpu.number},
                    {"user_s", cpu.user_s},
                    {"system_s", cpu.system_s},
                    {"softirq_s", cpu.softirq_s},
                    {"steal_s", cpu.steal_s},
                    {"idle_s", cpu.idle_s}});
  return {{"elapsed_s", host.elapsed_s},
          {"own_user_s", host.own_user_s},
          {"own_system_s", host.own_system_s},
          {"cpus", std::move(cpus)},
          {"bad_checksums", host.bad_checksums ? Json(*host.bad_checksums) : Json(nullptr)}};
}

Json json_of(const detect::FlowAccount& account) {
  return {{"busy_s", account.busy_s},
          {"rwnd_limited_s", account.rwnd_limited_s},
          {"sndbuf_limited_s", account.sndbuf_limited_s},
          {"segments", account.segments},
          {"retransmits", account.retransmits},
          {"timeouts", account.timeouts}};
}

Json json_of(const IntegrityFacts& integrity, bool verified) {
  Json places = Json::array();
  for (const ContentDifference& each : integrity.differences)
    places.push_back({{"offset", each.offset},
                      {"length", each.length},
                      {"differing", each.differing},
                      {"found_at", each.found_at ? Json(*each.found_at) : Json(nullptr)}});
  return {{"verified", verified},
          {"checked_bytes", integrity.checked_bytes},
          {"differing_bytes", integrity.differing_bytes},
          {"places_total", integrity.places},
          {"places", std::move(places)}};
}

Json json_of(const TestStream& stream) {
  Json json{{"number", stream.number},
            {"sent_bytes", stream.sent_bytes},
            {"received_bytes", stream.received_bytes},
            {"error", stream.error}};
  if (!stream.sender) return json;
  const SocketFacts& sender = *stream.sender;
  json["retransmits"] = sender.retransmits_total.value_or(0);
  if (sender.cwnd_segments) json["cwnd_segments"] = *sender.cwnd_segments;
  if (sender.mss_bytes) json["mss_bytes"] = *sender.mss_bytes;
  if (sender.peer_window_bytes) json["receive_window_bytes"] = *sender.peer_window_bytes;
  if (sender.send_buffer_bytes) json["send_buffer_bytes"] = *sender.send_buffer_bytes;
  json["congestion_control"] = sender.congestion_control;
  return json;
}

Json json_of(const TestFacts& test, const TestRun& run, const TestFlow& flow) {
  Json intervals = Json::array();
  for (const TestInterval& each : flow.intervals)
    intervals.push_back({{"begin_s", each.begin_s}, {"end_s", each.end_s}, {"bytes", each.bytes}});
  Json streams = Json::array();
  for (const TestStream& each : flow.streams) streams.push_back(json_of(each));
  const detect::FlowJudgement judgement = detect::judge_flow(test, run, flow);
  return {{"name", name_of(run, flow)},
          {"direction", flow.to_server ? "to_server" : "to_client"},
          {"goodput_bps", flow.goodput_bps},
          {"sent_bps", flow.sent_bps},
          {"received_bytes", flow.received_bytes},
          {"seconds", flow.counted_s},
          {"limit", detect::to_string(judgement.limit)},
          {"limit_why", judgement.why},
          {"complete", flow.complete},
          {"rtt_loaded_min_us", microseconds(flow.rtt.min_s)},
          {"rtt_loaded_median_us", microseconds(flow.rtt.median_s)},
          {"rtt_loaded_p95_us", microseconds(flow.rtt.p95_s)},
          {"account", json_of(detect::account_of(flow))},
          {"integrity", json_of(flow.integrity, flow.verified)},
          {"streams", std::move(streams)},
          {"intervals", std::move(intervals)}};
}

Json runs_of(const TestFacts& test) {
  Json runs = Json::array();
  for (const TestRun& run : test.runs) {
    Json flows = Json::array();
    for (const TestFlow& flow : run.flows) flows.push_back(json_of(test, run, flow));
    runs.push_back({{"label", run.label},
                    {"value", run.value},
                    {"flows", std::move(flows)},
                    {"client", json_of(run.client)},
                    {"server", json_of(run.server)}});
  }
  return runs;
}

}  // namespace

std::string test_to_json(const TestAnswer& answer) {
  const TestFacts& test = answer.facts;
  Json findings = Json::array();
  for (const Finding& each : answer.diagnosis.findings)
    findings.push_back(finding_to_json(each, Case{}));
  Json changes = Json::array();
  for (const RateChange& each : answer.changes)
    changes.push_back({{"flow", each.flow},
                       {"before_bps", each.told ? Json(each.before_bps) : Json(nullptr)},
                       {"now_bps", each.told ? Json(each.now_bps) : Json(nullptr)},
                       {"beyond_noise", each.beyond_noise}});
  const double knee = detect::knee_of(test);
  Json document{
      {"schema", "slowpath.test.v1"},
      {"version", kVersion},
      {"verdict", answer.diagnosis.verdict},
      {"confidence", answer.diagnosis.confidence},
      {"summary", answer.diagnosis.summary},
      {"interrupted", answer.interrupted},
      {"peer",
       {{"host", test.host},
        {"address", to_string(test.server)},
        {"version", test.server_version}}},
      {"rtt_idle_us", test.rtt_idle_s ? microseconds(*test.rtt_idle_s) : Json(nullptr)},
      {"client_ceiling_bps", json_of(test.client_ceiling_bps)},
      {"server_ceiling_bps", json_of(test.server_ceiling_bps)},
      {"content", test.content},
      {"content_bytes", test.content_bytes > 0 ? Json(test.content_bytes) : Json(nullptr)},
      {"runs", runs_of(test)},
      {"sweep", test.sweep.empty() ? Json(nullptr)
                                   : Json{{"parameter", test.sweep},
                                          {"knee", knee > 0 ? Json(knee) : Json(nullptr)}}},
      {"findings", std::move(findings)},
      {"look_next", answer.diagnosis.look_next},
      {"against", answer.against},
      {"changes", std::move(changes)}};
  document["path"] =
      answer.path ? parse_ordered_json(path_measurements_json(*answer.path)) : Json(nullptr);
  return json_document(document);
}

}  // namespace slowpath::report
