// SPDX-License-Identifier: Apache-2.0
// Reports as CBOR; samples as they lie in memory, because the same program reads them.
#include "lab/traffic_message.h"

#include <cstring>
#include <type_traits>

#include "base/json.h"

namespace slowpath::lab {
namespace {

using Json = nlohmann::json;

static_assert(std::is_trivially_copyable_v<TcpSample>);

Json to_json(const std::vector<TcpSample>& samples) {
  std::vector<std::uint8_t> raw(samples.size() * sizeof(TcpSample));
  if (!raw.empty()) std::memcpy(raw.data(), samples.data(), raw.size());
  return Json::binary(std::move(raw));
}

std::vector<TcpSample> samples_from(const Json& json) {
  const auto& raw = json.get_binary();
  std::vector<TcpSample> samples(raw.size() / sizeof(TcpSample));
  if (!samples.empty()) std::memcpy(samples.data(), raw.data(), samples.size() * sizeof(TcpSample));
  return samples;
}

Json to_json(const SenderReport& sender) {
  const auto last = sender.last ? std::vector{*sender.last} : std::vector<TcpSample>{};
  return {{"bytes", sender.bytes}, {"samples", to_json(sender.samples)}, {"last", to_json(last)}};
}

SenderReport sender_from(const Json& json) {
  SenderReport sender;
  sender.bytes = json.at("bytes");
  sender.samples = samples_from(json.at("samples"));
  const auto last = samples_from(json.at("last"));
  if (!last.empty()) sender.last = last.front();
  return sender;
}

Json to_json(const ReceiverReport& receiver) {
  Json differences = Json::array();
  for (const auto& each : receiver.differences)
    differences.push_back({each.offset, each.length, each.expected_hex, each.found_hex});
  return {{"bytes", receiver.bytes},
          {"ended_ns", receiver.ended_ns},
          {"complete", receiver.complete},
          {"wrong", receiver.wrong},
          {"differences", std::move(differences)},
          {"samples", to_json(receiver.samples)},
          {"expected_sha256", receiver.expected_sha256},
          {"found_sha256", receiver.found_sha256}};
}

ReceiverReport receiver_from(const Json& json) {
  ReceiverReport receiver;
  receiver.bytes = json.at("bytes");
  receiver.ended_ns = json.at("ended_ns");
  receiver.complete = json.at("complete");
  receiver.wrong = json.at("wrong");
  for (const auto& each : json.at("differences"))
    receiver.differences.push_back({.offset = each.at(0),
                                    .length = each.at(1),
                                    .expected_hex = each.at(2),
                                    .found_hex = each.at(3)});
  receiver.samples = samples_from(json.at("samples"));
  receiver.expected_sha256 = json.at("expected_sha256");
  receiver.found_sha256 = json.at("found_sha256");
  return receiver;
}

}  // namespace

std::vector<std::uint8_t> pack(const EndReport& report) {
  Json json{{"name", report.name},
            {"error", report.error},
            {"began_ns", report.began_ns},
            {"connected_ns", report.connected_ns},
            {"attempts", report.attempts},
            {"successes", report.successes},
            {"median", report.median_seconds},
            {"worst", report.worst_seconds}};
  if (report.sender) json["sender"] = to_json(*report.sender);
  if (report.receiver) json["receiver"] = to_json(*report.receiver);
  return Json::to_cbor(json);
}

std::optional<EndReport> unpack(const std::vector<std::uint8_t>& bytes) {
  const auto json = Json::from_cbor(bytes, true, false);
  if (!json.is_object()) return std::nullopt;
  EndReport report;
  report.name = json.at("name");
  report.error = json.at("error");
  report.began_ns = json.at("began_ns");
  report.connected_ns = json.at("connected_ns");
  report.attempts = json.at("attempts");
  report.successes = json.at("successes");
  report.median_seconds = json.at("median");
  report.worst_seconds = json.at("worst");
  if (json.contains("sender")) report.sender = sender_from(json.at("sender"));
  if (json.contains("receiver")) report.receiver = receiver_from(json.at("receiver"));
  return report;
}

}  // namespace slowpath::lab
