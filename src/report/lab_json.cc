// SPDX-License-Identifier: Apache-2.0
// `lab run --json`: what lab_text.cc says, for programs.

#include "base/json.h"
#include "base/json_text.h"
#include "report/lab_text.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const LabStream& stream) {
  Json json{{"transfer", stream.transfer},
            {"from", stream.from},
            {"to", stream.to},
            {"bytes", stream.bytes},
            {"seconds", stream.seconds},
            {"goodput_bps", stream.goodput_bps},
            {"complete", stream.complete},
            {"bytes_right", stream.bytes_right},
            {"bad_bytes", stream.bad_bytes},
            {"sent_sha256", stream.sent_sha256},
            {"received_sha256", stream.received_sha256}};
  if (stream.first_bad_offset) json["first_bad_offset"] = *stream.first_bad_offset;
  if (stream.kernel) {
    json["kernel"] = {{"retransmissions", stream.kernel->retransmissions},
                      {"timeouts", stream.kernel->timeouts},
                      {"busy_s", stream.kernel->busy_s},
                      {"rwnd_limited_share", stream.kernel->rwnd_limited_share},
                      {"sndbuf_limited_share", stream.kernel->sndbuf_limited_share},
                      {"min_rtt_s", stream.kernel->min_rtt_s}};
  }
  return json;
}

Json to_json(const LabTransfer& transfer) {
  return {{"name", transfer.name},
          {"error", transfer.error},
          {"attempts", transfer.attempts},
          {"successes", transfer.successes},
          {"response_median_s", transfer.response_median_s},
          {"response_worst_s", transfer.response_worst_s}};
}

Json to_json(const LabCapture& capture) {
  Json json{{"point", capture.point},
            {"verdict", capture.verdict},
            {"confidence", capture.confidence},
            {"summary", capture.summary}};
  if (!capture.file.empty()) json["file"] = capture.file;
  if (capture.is_right) {
    json["right"] = *capture.is_right;
    json["judged"] = capture.judged;
  }
  return json;
}

Json to_json(const LabTarget& target) { return {{"text", target.text}, {"met", target.is_met}}; }

template <typename Each>
Json list_of(const std::vector<Each>& all) {
  Json list = Json::array();
  for (const Each& each : all) list.push_back(to_json(each));
  return list;
}

Json to_json(const LabRun& run) {
  return {{"label", run.label},
          {"summary", run.summary},
          {"commands", run.commands},
          {"hides", run.hides},
          {"seconds", run.seconds},
          {"void_because", run.void_because},
          {"transfers", list_of(run.transfers)},
          {"streams", list_of(run.streams)},
          {"captures", list_of(run.captures)},
          {"targets", list_of(run.targets)}};
}

}  // namespace

std::string lab_run_json(const LabStory& story, std::span<const LabRun> runs) {
  Json json{{"schema", "slowpath.lab-run.v1"},
            {"scenario", story.name},
            {"title", story.title},
            {"story", story.story},
            {"about", story.about},
            {"faults", story.faults},
            {"seed", story.seed},
            {"parameters", Json::object()},
            {"hosts", story.hosts},
            {"stages", story.stages},
            {"faulty", story.faulty},
            {"traffic", story.transfers},
            {"runs", Json::array()}};
  for (const auto& [name, value] : story.parameters) json["parameters"][name] = value;
  for (const LabRun& run : runs) json["runs"].push_back(to_json(run));
  return json_document(json);
}

}  // namespace slowpath::report
