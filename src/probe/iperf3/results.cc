// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/results.h"

#include <algorithm>

#include "probe/iperf3/json_fields.h"
#include "probe/iperf3/protocol.h"

namespace slowpath::probe::iperf3 {
namespace {

Json stream_to_json(const Iperf3Stream& stream) {
  const Iperf3Datagrams& datagrams = stream.sends ? stream.sent : stream.received;
  return {{"id", stream.id},
          {"bytes", stream.sends ? stream.sent_bytes : stream.received_bytes},
          {"retransmits", stream.sends && stream.knows_retransmits
                              ? static_cast<std::int64_t>(stream.retransmits)
                              : -1},
          {"jitter", datagrams.jitter_s},
          {"errors", datagrams.lost},
          {"omitted_errors", 0},
          {"packets", datagrams.packets},
          {"omitted_packets", 0},
          {"start_time", 0},
          {"end_time", stream.seconds}};
}

/// The other end counts from its first datagram; its omitted ones are told apart.
void take_datagrams(Iperf3Datagrams& datagrams, const Json& json) {
  const std::uint64_t packets = count_at(json, "packets").value_or(0);
  const std::uint64_t lost = count_at(json, "errors").value_or(0);
  datagrams.packets = packets - std::min(packets, count_at(json, "omitted_packets").value_or(0));
  datagrams.lost = lost - std::min(lost, count_at(json, "omitted_errors").value_or(0));
  datagrams.jitter_s = number_at(json, "jitter").value_or(0);
}

void take_stream(Iperf3Stream& stream, const Json& json) {
  const std::uint64_t bytes = count_at(json, "bytes").value_or(0);
  const double seconds =
      number_at(json, "end_time").value_or(0) - number_at(json, "start_time").value_or(0);
  stream.remote_seconds = std::max(seconds, 0.0);
  if (stream.sends) {
    stream.received_bytes = bytes;
    take_datagrams(stream.received, json);
    return;
  }
  stream.sent_bytes = bytes;
  take_datagrams(stream.sent, json);
  const std::optional<std::uint64_t> retransmits = count_at(json, "retransmits");
  stream.knows_retransmits = retransmits.has_value();
  stream.retransmits = retransmits.value_or(0);
}

/// Whether any stream of this end sends.
bool sends(const Iperf3Facts& facts) {
  return std::ranges::any_of(facts.streams, &Iperf3Stream::sends);
}

}  // namespace

Json results_to_json(const Iperf3Facts& facts, const std::string& congestion,
                     const std::string& server_output) {
  Json streams = Json::array();
  for (const Iperf3Stream& stream : facts.streams) streams.push_back(stream_to_json(stream));
  Json json{{"cpu_util_total", facts.local.total_percent},
            {"cpu_util_user", facts.local.user_percent},
            {"cpu_util_system", facts.local.system_percent},
            {"sender_has_retransmits", !sends(facts)  ? -1
                                       : facts.is_udp ? 0
                                                      : 1}};
  if (!congestion.empty()) json["congestion_used"] = congestion;
  if (!server_output.empty()) json["server_output_text"] = server_output;
  json["streams"] = std::move(streams);
  return json;
}

void take_results(Iperf3Facts& facts, const Json& json) {
  facts.has_remote = true;
  facts.remote = {number_at(json, "cpu_util_total").value_or(0),
                  number_at(json, "cpu_util_user").value_or(0),
                  number_at(json, "cpu_util_system").value_or(0)};
  const std::string congestion = text_at(json, "congestion_used", 64);
  (sends(facts) ? facts.receiver_congestion : facts.sender_congestion) = congestion;
  facts.server_output = text_at(json, "server_output_text", kMostResultBytes);
  if (const auto output = json.find("server_output_json");
      output != json.end() && output->is_object()) {
    facts.server_output = output->dump(2, ' ', false, Json::error_handler_t::replace);
    facts.server_output_is_json = true;
  }
  const auto streams = json.find("streams");
  if (streams == json.end() || !streams->is_array()) return;
  for (const Json& one : *streams) {
    if (!one.is_object()) continue;
    const std::optional<std::uint64_t> id = count_at(one, "id");
    const auto found = std::ranges::find_if(facts.streams, [&](const Iperf3Stream& stream) {
      return id && static_cast<std::uint64_t>(stream.id) == *id;
    });
    if (found != facts.streams.end()) take_stream(*found, one);
  }
}

}  // namespace slowpath::probe::iperf3
