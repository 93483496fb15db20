// SPDX-License-Identifier: Apache-2.0
#include "report/iperf3_json.h"

#include <ctime>

#include <fmt/core.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "report/finding_json.h"
#include "report/iperf3_sums.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMicro = 1e6;
constexpr double kMilli = 1e3;

Json sum_to_json(const Iperf3Sum& sum) {
  return {{"start", sum.begin_s},
          {"end", sum.end_s},
          {"seconds", sum.seconds()},
          {"bytes", sum.bytes},
          {"bits_per_second", sum.bits_per_second()}};
}

void add_datagrams(Json& json, const Iperf3Sum& sum) {
  json["jitter_ms"] = sum.datagrams.jitter_s * kMilli;
  json["lost_packets"] = sum.datagrams.lost;
  json["packets"] = sum.datagrams.packets;
  json["lost_percent"] = sum.lost_percent();
}

std::string time_words(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  const std::size_t len = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, len);
}

Json start_of(const Iperf3Facts& facts) {
  Json connected = Json::array();
  for (const Iperf3Stream& stream : facts.streams) {
    connected.push_back({{"socket", stream.socket},
                         {"local_host", stream.local_host},
                         {"local_port", stream.local_port},
                         {"remote_host", stream.remote_host},
                         {"remote_port", stream.remote_port}});
  }
  Json json{
      {"connected", std::move(connected)},
      {"version", fmt::format("slowpath {}", kVersion)},
      {"system_info", ""},
      {"timestamp", {{"time", time_words(facts.began_unix_s)}, {"timesecs", facts.began_unix_s}}}};
  if (facts.is_server) {
    json["accepted_connection"] = {{"host", facts.host}, {"port", facts.port}};
  } else {
    json["connecting_to"] = {{"host", facts.host}, {"port", facts.port}};
  }
  json["cookie"] = facts.cookie;
  json["tcp_mss_default"] = facts.mss_bytes;
  if (!facts.title.empty()) json["title"] = facts.title;
  if (!facts.extra_data.empty()) json["extra_data"] = facts.extra_data;
  json["target_bitrate"] = facts.rate_bps;
  json["fq_rate"] = facts.pacing_bps;
  json["sock_bufsize"] = facts.window_bytes;
  json["sndbuf_actual"] = facts.send_buffer_bytes;
  json["rcvbuf_actual"] = facts.receive_buffer_bytes;
  std::size_t one_way = 0;
  for (const Iperf3Stream& stream : facts.streams) {
    one_way += !facts.bidirectional || stream.sends ? 1 : 0;
  }
  json["test_start"] = {{"protocol", facts.is_udp ? "UDP" : "TCP"},
                        {"num_streams", one_way},
                        {"blksize", facts.block_bytes},
                        {"omit", facts.omit_s},
                        {"duration", facts.duration_s},
                        {"bytes", facts.bytes},
                        {"blocks", facts.blocks},
                        {"reverse", facts.reverse ? 1 : 0},
                        {"tos", facts.type_of_service},
                        {"target_bitrate", facts.rate_bps},
                        {"bidir", facts.bidirectional ? 1 : 0},
                        {"fqrate", facts.pacing_bps}};
  return json;
}

Json interval_to_json(const Iperf3Facts& facts, const Iperf3Stream& stream,
                      const Iperf3Interval& interval) {
  const Iperf3Sum sum = sum_of(interval);
  Json json{{"socket", stream.socket}};
  json.update(sum_to_json(sum));
  if (facts.is_udp) {
    if (stream.sends) {
      json["packets"] = interval.datagrams.packets;
    } else {
      add_datagrams(json, sum);
    }
  } else if (stream.sends) {
    json["retransmits"] = interval.retransmits;
    json["snd_cwnd"] = interval.cwnd_bytes;
    json["snd_wnd"] = interval.peer_window_bytes;
    json["rtt"] = static_cast<std::uint64_t>(interval.rtt_s * kMicro);
    json["rttvar"] = static_cast<std::uint64_t>(interval.rtt_var_s * kMicro);
    json["pmtu"] = interval.pmtu_bytes;
  }
  json["omitted"] = interval.omitted;
  json["sender"] = stream.sends;
  return json;
}

/// The first direction's sum is "sum"; that of the other way of a test both ways has a longer name.
Json interval_sum_to_json(const Iperf3Facts& facts, std::size_t index, bool sends) {
  const Iperf3Sum sum = interval_sum(facts, index, sends);
  Json json = sum_to_json(sum);
  if (facts.is_udp && sends) json["packets"] = sum.datagrams.packets;
  if (facts.is_udp && !sends) add_datagrams(json, sum);
  if (!facts.is_udp && sends) json["retransmits"] = sum.retransmits;
  json["omitted"] = sum.omitted;
  json["sender"] = sends;
  return json;
}

/// Which way comes first: that which the client sends, where it sends at all.
bool first_sends(const Iperf3Facts& facts) {
  return facts.bidirectional ? !facts.is_server : has_direction(facts, true);
}

Json intervals_of(const Iperf3Facts& facts) {
  Json intervals = Json::array();
  for (std::size_t i = 0; i < interval_count(facts); ++i) {
    Json streams = Json::array();
    for (const Iperf3Stream& stream : facts.streams) {
      if (i < stream.intervals.size()) {
        streams.push_back(interval_to_json(facts, stream, stream.intervals[i]));
      }
    }
    Json interval{{"streams", std::move(streams)},
                  {"sum", interval_sum_to_json(facts, i, first_sends(facts))}};
    if (facts.bidirectional) {
      interval["sum_bidir_reverse"] = interval_sum_to_json(facts, i, !first_sends(facts));
    }
    intervals.push_back(std::move(interval));
  }
  return intervals;
}

Json tcp_end_of(const Iperf3Stream& stream) {
  Json sender{{"socket", stream.socket}}, receiver{{"socket", stream.socket}};
  sender.update(sum_to_json(stream_total(stream, true)));
  receiver.update(sum_to_json(stream_total(stream, false)));
  if (stream.knows_retransmits) sender["retransmits"] = stream.retransmits;
  // Of a sender at the other end these are not known, and 0 with iperf3 too.
  sender["max_snd_cwnd"] = stream.cwnd_max_bytes;
  sender["max_snd_wnd"] = stream.peer_window_max_bytes;
  sender["max_rtt"] = static_cast<std::uint64_t>(stream.rtt_max_s * kMicro);
  sender["min_rtt"] = static_cast<std::uint64_t>(stream.rtt_min_s * kMicro);
  sender["mean_rtt"] = static_cast<std::uint64_t>(stream.rtt_mean_s * kMicro);
  sender["sender"] = receiver["sender"] = stream.sends;
  return {{"sender", std::move(sender)}, {"receiver", std::move(receiver)}};
}

/// UDP has one object: what was sent, and what the receiver made of it.
Json udp_end_of(const Iperf3Stream& stream) {
  Iperf3Sum sum = stream_total(stream, true);
  sum.datagrams = stream.received;
  if (stream.sent.packets > 0) sum.datagrams.packets = stream.sent.packets;
  Json json{{"socket", stream.socket}};
  json.update(sum_to_json(sum));
  add_datagrams(json, sum);
  json["out_of_order"] = stream.received.out_of_order;
  json["sender"] = stream.sends;
  return {{"udp", std::move(json)}};
}

Json total_to_json(const Iperf3Facts& facts, bool sends, bool at_sender) {
  const Iperf3Sum sum = total(facts, sends, at_sender);
  Json json = sum_to_json(sum);
  if (facts.is_udp) {
    add_datagrams(json, sum);
  } else if (at_sender && sum.knows_retransmits) {
    json["retransmits"] = sum.retransmits;
  }
  json["sender"] = at_sender;
  return json;
}

void add_totals(Json& end, const Iperf3Facts& facts, bool sends, const std::string& suffix) {
  if (facts.is_udp) {
    Iperf3Sum sum = total(facts, sends, true);
    const std::uint64_t sent = sum.datagrams.packets;
    sum.datagrams = total(facts, sends, false).datagrams;
    if (sent > 0) sum.datagrams.packets = sent;
    Json json = sum_to_json(sum);
    add_datagrams(json, sum);
    json["sender"] = sends;
    end["sum" + suffix] = std::move(json);
  }
  end["sum_sent" + suffix] = total_to_json(facts, sends, true);
  end["sum_received" + suffix] = total_to_json(facts, sends, false);
}

Json end_of(const Iperf3Facts& facts) {
  Json streams = Json::array();
  for (const Iperf3Stream& stream : facts.streams) {
    streams.push_back(facts.is_udp ? udp_end_of(stream) : tcp_end_of(stream));
  }
  Json end{{"streams", std::move(streams)}};
  add_totals(end, facts, first_sends(facts), "");
  if (facts.bidirectional) add_totals(end, facts, !first_sends(facts), "_bidir_reverse");
  end["cpu_utilization_percent"] = {
      {"host_total", facts.local.total_percent},   {"host_user", facts.local.user_percent},
      {"host_system", facts.local.system_percent}, {"remote_total", facts.remote.total_percent},
      {"remote_user", facts.remote.user_percent},  {"remote_system", facts.remote.system_percent}};
  if (!facts.sender_congestion.empty()) {
    end["sender_tcp_congestion"] = facts.sender_congestion;
  }
  if (!facts.receiver_congestion.empty()) {
    end["receiver_tcp_congestion"] = facts.receiver_congestion;
  }
  return end;
}

Json verdict_of(const Diagnosis& diagnosis) {
  Json findings = Json::array();
  for (const Finding& each : diagnosis.findings) findings.push_back(finding_to_json(each, Case{}));
  return {{"verdict", diagnosis.verdict},
          {"confidence", diagnosis.confidence},
          {"summary", diagnosis.summary},
          {"findings", std::move(findings)},
          {"look_next", diagnosis.look_next}};
}

std::string to_text(const Json& json) {
  constexpr int kIndent = 1;
  return json_document(json, kIndent, '\t');
}

}  // namespace

std::string iperf3_to_json(const Iperf3Facts& facts, const Diagnosis& diagnosis) {
  Json json{{"start", start_of(facts)}, {"intervals", intervals_of(facts)}};
  json["end"] = facts.streams.empty() ? Json::object() : end_of(facts);
  if (facts.server_output_is_json) {
    json["server_output_json"] = parse_ordered_json(facts.server_output);
  } else if (!facts.server_output.empty()) {
    json["server_output_text"] = facts.server_output;
  }
  json["slowpath"] = verdict_of(diagnosis);
  if (!facts.error.empty()) json["error"] = facts.error;
  return to_text(json);
}

std::string iperf3_error_to_json(std::string_view sentence) {
  return to_text({{"start", Json::object()},
                  {"intervals", Json::array()},
                  {"end", Json::object()},
                  {"error", sentence}});
}

}  // namespace slowpath::report
