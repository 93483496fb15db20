// SPDX-License-Identifier: Apache-2.0
// A graded capture as one line of JSON, both ways, so that the results of several runs can be put
// together.
#include <exception>
#include <string>

#include "base/json.h"
#include "base/json_text.h"
#include "report/accuracy.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

Json seconds_by_owner(const TimeAccount& account) {
  Json seconds = Json::object();
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    if (account.seconds[i] == 0) continue;
    seconds[std::string{to_string(static_cast<TimeOwner>(i))}] = account.seconds[i];
  }
  return seconds;
}

TimeAccount account_of(const Json& seconds) {
  TimeAccount account;
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    account.seconds[i] = seconds.value(std::string{to_string(static_cast<TimeOwner>(i))}, 0.0);
  }
  return account;
}

Json findings_of(const GradedCapture& capture) {
  Json findings = Json::array();
  for (const GradedFinding& finding : capture.findings) {
    findings.push_back({{"fault", finding.fault},
                        {"severity", to_string(finding.severity)},
                        {"confidence", finding.confidence},
                        {"right", finding.is_right}});
  }
  return findings;
}

GradedFinding finding_of(const Json& json) {
  const auto severity = json.at("severity").get<std::string>();
  return {.fault = json.at("fault"),
          .severity = severity == "fault"     ? Severity::fault
                      : severity == "suspect" ? Severity::suspect
                                              : Severity::note,
          .confidence = json.at("confidence"),
          .is_right = json.at("right")};
}

Json to_json(const Prediction& prediction) {
  return {
      {"faults", prediction.faults},
      {"bound", to_string(prediction.bound)},
      {"predicted_bps", prediction.predicted_bps ? Json(*prediction.predicted_bps) : Json(nullptr)},
      {"measured_bps", prediction.measured_bps},
      {"basis", prediction.basis}};
}

Prediction prediction_of(const Json& json) {
  Prediction prediction{.faults = json.at("faults"),
                        .measured_bps = json.at("measured_bps"),
                        .basis = json.at("basis")};
  const auto bound = json.at("bound").get<std::string>();
  for (const Bound known : {Bound::about, Bound::at_least}) {
    if (bound == to_string(known)) prediction.bound = known;
  }
  if (!json.at("predicted_bps").is_null()) prediction.predicted_bps = json.at("predicted_bps");
  return prediction;
}

Json to_json(const Causes& causes) {
  return {{"named", causes.named}, {"missed", causes.missed}, {"unseen", causes.unseen}};
}

Causes causes_of(const Json& json) {
  return {.named = json.at("named"), .missed = json.at("missed"), .unseen = json.at("unseen")};
}

GradedCapture capture_of(const Json& json) {
  GradedCapture capture;
  capture.scenario = json.at("scenario");
  capture.family = json.at("family");
  capture.variant = json.at("variant");
  capture.point = json.at("point");
  for (const auto& [name, value] : json.at("parameters").items()) {
    capture.parameters.emplace_back(name, value.get<std::string>());
  }
  capture.lessened = json.value("lessened", "");
  capture.path_rate = json.value("path_rate", "");
  capture.seed = json.at("seed");
  capture.truth = json.at("truth");
  capture.accepted = json.at("accepted_verdicts");
  capture.verdict = json.at("verdict");
  capture.confidence = json.at("confidence");
  capture.is_accepted = json.at("accepted");
  capture.false_alarms = json.at("false_alarms");
  for (const Json& finding : json.at("findings")) capture.findings.push_back(finding_of(finding));
  capture.goodput_bps = json.at("goodput_bps");
  if (json.contains("twin_goodput_bps")) capture.twin_goodput_bps = json.at("twin_goodput_bps");
  capture.bytes_right = json.at("bytes_right");
  if (json.contains("kernel")) {
    const Json& kernel = json.at("kernel");
    capture.kernel = KernelAccount{.busy_s = kernel.at("busy_s"),
                                   .rwnd_limited_s = kernel.at("rwnd_limited_s"),
                                   .sndbuf_limited_s = kernel.at("sndbuf_limited_s")};
  }
  capture.ours = account_of(json.at("our_seconds"));
  if (json.contains("causes")) capture.causes = causes_of(json.at("causes"));
  if (json.contains("prediction")) capture.prediction = prediction_of(json.at("prediction"));
  capture.void_because = json.at("void_because");
  return capture;
}

}  // namespace

std::string to_line(const GradedCapture& capture) {
  Json json{{"scenario", capture.scenario},
            {"family", capture.family},
            {"variant", capture.variant},
            {"point", capture.point},
            {"parameters", Json::object()},
            {"seed", capture.seed},
            {"truth", capture.truth},
            {"accepted_verdicts", capture.accepted},
            {"verdict", capture.verdict},
            {"confidence", capture.confidence},
            {"accepted", capture.is_accepted},
            {"false_alarms", capture.false_alarms},
            {"findings", findings_of(capture)},
            {"goodput_bps", capture.goodput_bps},
            {"bytes_right", capture.bytes_right},
            {"our_seconds", seconds_by_owner(capture.ours)},
            {"void_because", capture.void_because}};
  for (const auto& [name, value] : capture.parameters) json["parameters"][name] = value;
  if (capture.twin_goodput_bps) json["twin_goodput_bps"] = *capture.twin_goodput_bps;
  if (!capture.lessened.empty()) json["lessened"] = capture.lessened;
  if (!capture.path_rate.empty()) json["path_rate"] = capture.path_rate;
  if (capture.causes) json["causes"] = to_json(*capture.causes);
  if (capture.prediction) json["prediction"] = to_json(*capture.prediction);
  if (capture.kernel) {
    json["kernel"] = {{"busy_s", capture.kernel->busy_s},
                      {"rwnd_limited_s", capture.kernel->rwnd_limited_s},
                      {"sndbuf_limited_s", capture.kernel->sndbuf_limited_s}};
  }
  return json_document(json, kJsonInOneLine);
}

Result<GradedCapture> graded_capture_of(const std::string& line) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::input, "cannot read a line of a matrix", std::move(cause),
                "only lines that 'slowpath lab matrix --jsonl' wrote can be put together");
  };
  const Json json = parse_ordered_json(line);
  if (json.is_discarded()) return refuse("it is no JSON");
  try {
    return capture_of(json);
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
}

}  // namespace slowpath::report
