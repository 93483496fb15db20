// SPDX-License-Identifier: Apache-2.0
// Captures and connections: see json_case.h.
#include "report/json_case.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/time.h"
#include "facts/time_account.h"
#include "report/json_value.h"
#include "report/words.h"

namespace slowpath::report {

using Json = nlohmann::ordered_json;

namespace {

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

}  // namespace

Json capture_to_json(const CaptureFacts& capture) {
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
          {"clock_lag_us", capture.clock_lag_s * 1e6},
          {"clock_skew_us", capture.clock_skew_s * 1e6},
          {"clock_tick_us", capture.clock_tick_s * 1e6},
          {"snap_len", capture.snap_len},
          {"comments", capture.comments},
          {"settings_changes", capture.settings_changes},
          {"notes", std::move(notes)}};
}

Json unreadable_to_json(const Unreadable& input) {
  CaptureFacts nothing;
  nothing.file = input.file;
  Json json = capture_to_json(nothing);
  json["error"] = input.why;
  return json;
}

Json connection_to_json(const Answer& answer, std::size_t position) {
  const ConnectionFacts& connection = answer.facts.connections[position];
  const std::vector<std::string>& verdicts = answer.diagnosis.connection_verdicts;
  return {{"id", connection.id},
          {"client", to_string(connection.client)},
          {"server", to_string(connection.server)},
          {"start_time_ns", to_ns(connection.first)},
          {"duration_s", std::max(0.0, to_seconds(connection.last - connection.first))},
          {"close", to_word(connection.close)},
          {"verdict", position < verdicts.size() ? verdicts[position] : "unclear"},
          {"directions",
           {{"to_server", to_json(connection[Direction::to_server])},
            {"to_client", to_json(connection[Direction::to_client])}}}};
}

}  // namespace slowpath::report
