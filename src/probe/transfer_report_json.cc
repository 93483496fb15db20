// SPDX-License-Identifier: Apache-2.0
// An end's report as a message, and back. What comes from the other end is bounded: lists are cut,
// numbers out of range make the whole an error.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/format.h"
#include "probe/transfer_end.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kMostStreams = 256;
constexpr std::size_t kMostIntervals = 10'000;
constexpr std::size_t kMostCpus = 1024;
constexpr std::size_t kMostDifferences = 16;  // with their bytes: a message is bounded
constexpr double kMostReal = 1e18;
constexpr std::uint64_t kMostNumber = ~std::uint64_t{0};

/// Calls `with(key, field)` for each fact of a socket that travels.
template <typename Socket, typename With>
void each_socket_fact(Socket& socket, With with) {
  with("mss_bytes", socket.mss_bytes);
  with("pmtu_bytes", socket.pmtu_bytes);
  with("cwnd_segments", socket.cwnd_segments);
  with("ssthresh_segments", socket.ssthresh_segments);
  with("reordering", socket.reordering);
  with("retransmits_total", socket.retransmits_total);
  with("timeouts_total", socket.timeouts_total);
  with("data_segments_sent", socket.data_segments_sent);
  with("send_window_scale", socket.send_window_scale);
  with("receive_window_scale", socket.receive_window_scale);
  with("peer_window_bytes", socket.peer_window_bytes);
  with("dsack_duplicates", socket.dsack_duplicates);
  with("reorder_events", socket.reorder_events);
  with("bytes_sent", socket.bytes_sent);
  with("bytes_acked", socket.bytes_acked);
  with("bytes_retransmitted", socket.bytes_retransmitted);
  with("send_buffer_bytes", socket.send_buffer_bytes);
  with("receive_buffer_bytes", socket.receive_buffer_bytes);
  with("rtt_s", socket.rtt_s);
  with("rtt_min_s", socket.rtt_min_s);
  with("busy_s", socket.busy_s);
  with("rwnd_limited_s", socket.rwnd_limited_s);
  with("sndbuf_limited_s", socket.sndbuf_limited_s);
  with("delivery_rate_bps", socket.delivery_rate_bps);
  with("pacing_rate_bps", socket.pacing_rate_bps);
  with("timestamps", socket.timestamps);
  with("sack", socket.sack);
  with("ecn", socket.ecn);
}

Json json_of(const SocketFacts& socket) {
  Json object = Json::object();
  each_socket_fact(socket, [&](const char* key, const auto& value) {
    if (value) object[key] = *value;
  });
  object["congestion_control"] = socket.congestion_control;
  return object;
}

void read_fact(Fields& fields, const char* key, std::optional<std::uint32_t>& value) {
  if (const auto number = fields.optional_number(key, 0xffff'ffff))
    value = static_cast<std::uint32_t>(*number);
}
void read_fact(Fields& fields, const char* key, std::optional<std::uint64_t>& value) {
  value = fields.optional_number(key, kMostNumber);
}
void read_fact(Fields& fields, const char* key, std::optional<double>& value) {
  if (const double real = fields.real_or(key, -1, 0, kMostReal); real >= 0) value = real;
}
void read_fact(Fields& fields, const char* key, std::optional<bool>& value) {
  if (fields.has(key)) value = fields.flag_or(key, false);
}

SocketFacts socket_of(Fields& fields) {
  SocketFacts socket;
  each_socket_fact(socket, [&](const char* key, auto& value) { read_fact(fields, key, value); });
  socket.congestion_control = fields.text_or("congestion_control", "", 15);
  socket.origin.where = "getsockopt TCP_INFO at the server";
  return socket;
}

std::vector<std::byte> bytes_of(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    bytes.push_back(std::byte{value});
  }
  return bytes;
}

Json json_of(const IntegrityFacts& integrity) {
  Json differences = Json::array();
  for (const ContentDifference& each : integrity.differences) {
    if (differences.size() == kMostDifferences) break;
    Json one{{"offset", each.offset},
             {"length", each.length},
             {"differing", each.differing},
             {"expected", format_hex(each.expected)},
             {"seen", format_hex(each.seen)}};
    if (each.found_at) one["found_at"] = *each.found_at;
    differences.push_back(std::move(one));
  }
  return {{"checked_bytes", integrity.checked_bytes},
          {"differing_bytes", integrity.differing_bytes},
          {"places", integrity.places},
          {"displaced_ahead", std::max<std::int64_t>(integrity.displaced_by, 0)},
          {"displaced_back", std::max<std::int64_t>(-integrity.displaced_by, 0)},
          {"differences", std::move(differences)}};
}

Json json_of(const std::vector<TestInterval>& intervals) {
  Json list = Json::array();
  for (const TestInterval& each : intervals) {
    if (list.size() == kMostIntervals) break;
    list.push_back({{"begin_s", each.begin_s}, {"end_s", each.end_s}, {"bytes", each.bytes}});
  }
  return list;
}

/// Calls `with` for each object of a list, up to `most`. The first that is no good ends it.
template <typename With>
Result<void> each_of(const Json& message, const char* key, std::size_t most, With with) {
  const auto list = message.find(key);
  if (list == message.end() || !list->is_array()) return {};
  std::size_t count = 0;
  for (const Json& each : *list) {
    if (!each.is_object() || count++ == most) break;
    Fields fields{each};
    with(fields, each);
    if (auto read = fields.verdict(); !read) return read;
  }
  return {};
}

Result<void> read_intervals(const Json& message, const char* key, std::vector<TestInterval>& into) {
  return each_of(message, key, kMostIntervals, [&](Fields& fields, const Json&) {
    into.push_back({.begin_s = fields.real_or("begin_s", 0, 0, kMostReal),
                    .end_s = fields.real_or("end_s", 0, 0, kMostReal),
                    .bytes = fields.number_or("bytes", 0, kMostNumber)});
  });
}

Result<void> read_streams(const Json& message, EndReport& report) {
  return each_of(message, "streams", kMostStreams, [&](Fields& fields, const Json& object) {
    StreamReport stream{.number = static_cast<std::uint32_t>(fields.number("number", 0, 65'535)),
                        .sent = fields.flag_or("sent", false),
                        .bytes = fields.number_or("bytes", 0, kMostNumber),
                        .seconds = fields.real_or("seconds", 0, 0, kMostReal),
                        .finished = fields.flag_or("finished", false),
                        .error = fields.text_or("error", "", 200),
                        .socket = {}};
    if (const auto found = object.find("socket"); found != object.end() && found->is_object()) {
      Fields facts{*found};
      stream.socket = socket_of(facts);
      if (!facts.ok()) stream.socket.reset();
    }
    report.streams.push_back(std::move(stream));
  });
}

Result<void> read_cpus(const Json& message, TestHost& host) {
  return each_of(message, "cpus", kMostCpus, [&](Fields& fields, const Json&) {
    CpuFacts cpu;
    cpu.number = static_cast<std::uint32_t>(fields.number_or("number", 0, 65'535));
    cpu.user_s = fields.real_or("user_s", 0, 0, kMostReal);
    cpu.system_s = fields.real_or("system_s", 0, 0, kMostReal);
    cpu.softirq_s = fields.real_or("softirq_s", 0, 0, kMostReal);
    cpu.steal_s = fields.real_or("steal_s", 0, 0, kMostReal);
    cpu.idle_s = fields.real_or("idle_s", 0, 0, kMostReal);
    host.cpus.push_back(cpu);
  });
}

Result<void> read_integrity(const Json& message, IntegrityFacts& integrity) {
  const auto found = message.find("integrity");
  if (found == message.end() || !found->is_object()) return {};
  Fields fields{*found};
  integrity.checked_bytes = fields.number_or("checked_bytes", 0, kMostNumber);
  integrity.differing_bytes = fields.number_or("differing_bytes", 0, kMostNumber);
  integrity.places = fields.number_or("places", 0, kMostNumber);
  constexpr std::uint64_t kFarthest = std::uint64_t{1} << 62U;
  integrity.displaced_by =
      static_cast<std::int64_t>(fields.number_or("displaced_ahead", 0, kFarthest)) -
      static_cast<std::int64_t>(fields.number_or("displaced_back", 0, kFarthest));
  if (auto read = fields.verdict(); !read) return read;
  return each_of(*found, "differences", IntegrityFacts::kKept, [&](Fields& one, const Json&) {
    constexpr std::size_t kHex = 2 * ContentDifference::kExcerptBytes;
    ContentDifference difference;
    difference.offset = one.number_or("offset", 0, kMostNumber);
    difference.length = one.number_or("length", 0, kMostNumber);
    difference.differing = one.number_or("differing", 0, kMostNumber);
    difference.expected = bytes_of(one.text_or("expected", "", kHex));
    difference.seen = bytes_of(one.text_or("seen", "", kHex));
    difference.found_at = one.optional_number("found_at", kMostNumber);
    integrity.differences.push_back(std::move(difference));
  });
}

}  // namespace

Json to_json(const EndReport& report) {
  Json streams = Json::array();
  for (const StreamReport& each : report.streams) {
    Json one{{"number", each.number},   {"sent", each.sent},         {"bytes", each.bytes},
             {"seconds", each.seconds}, {"finished", each.finished}, {"error", each.error}};
    if (each.socket) one["socket"] = json_of(*each.socket);
    streams.push_back(std::move(one));
  }
  Json cpus = Json::array();
  for (const CpuFacts& each : report.host.cpus)
    cpus.push_back({{"number", each.number},
                    {"user_s", each.user_s},
                    {"system_s", each.system_s},
                    {"softirq_s", each.softirq_s},
                    {"steal_s", each.steal_s},
                    {"idle_s", each.idle_s}});
  Json message{{"type", "report"},
               {"counted_s", report.counted_s},
               {"timed_out", report.timed_out},
               {"elapsed_s", report.host.elapsed_s},
               {"own_user_s", report.host.own_user_s},
               {"own_system_s", report.host.own_system_s},
               {"cpus", std::move(cpus)},
               {"streams", std::move(streams)},
               {"sent", json_of(report.sent)},
               {"received", json_of(report.received)},
               {"rtt_samples", report.rtt.samples},
               {"rtt_min_s", report.rtt.min_s},
               {"rtt_median_s", report.rtt.median_s},
               {"rtt_p95_s", report.rtt.p95_s},
               {"rtt_max_s", report.rtt.max_s},
               {"integrity", json_of(report.integrity)}};
  if (report.host.bad_checksums) message["bad_checksums"] = *report.host.bad_checksums;
  return message;
}

Result<EndReport> parse_end_report(const Json& message) {
  Fields fields{message};
  EndReport report;
  report.counted_s = fields.real_or("counted_s", 0, 0, kMostReal);
  report.timed_out = fields.flag_or("timed_out", false);
  report.host.elapsed_s = fields.real_or("elapsed_s", 0, 0, kMostReal);
  report.host.own_user_s = fields.real_or("own_user_s", 0, 0, kMostReal);
  report.host.own_system_s = fields.real_or("own_system_s", 0, 0, kMostReal);
  report.host.bad_checksums = fields.optional_number("bad_checksums", kMostNumber);
  report.rtt = {.samples = fields.number_or("rtt_samples", 0, kMostNumber),
                .min_s = fields.real_or("rtt_min_s", 0, 0, kMostReal),
                .median_s = fields.real_or("rtt_median_s", 0, 0, kMostReal),
                .p95_s = fields.real_or("rtt_p95_s", 0, 0, kMostReal),
                .max_s = fields.real_or("rtt_max_s", 0, 0, kMostReal)};
  auto read = fields.verdict();
  if (read) read = read_streams(message, report);
  if (read) read = read_cpus(message, report.host);
  if (read) read = read_intervals(message, "sent", report.sent);
  if (read) read = read_intervals(message, "received", report.received);
  if (read) read = read_integrity(message, report.integrity);
  if (!read) return std::unexpected(read.error());
  return report;
}

}  // namespace slowpath::probe
