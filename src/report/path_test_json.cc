// SPDX-License-Identifier: Apache-2.0
// `slowpath.path.v1`: the verdict and findings as in a diagnosis, and beside them all that was
// measured.
#include <cmath>
#include <string_view>

#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "report/finding_json.h"
#include "report/path_test_text.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

// Declared ahead of the templates that call them.
Json to_json(const SizeSweep&);
Json to_json(const PathHop&);
Json to_json(const FragmentTest&);
Json to_json(const SegmentTest&);
Json to_json(const PathMtuTest&);
Json to_json(const RoundTrips&);
Json to_json(const LatencyTest::Loaded&);
Json to_json(const DatagramRun&);
Json to_json(const LengthLoss&);
Json to_json(const ConnectTest&);
Json to_json(const LatencyTest&);
Json to_json(const HandshakeHeader&);
Json to_json(const MiddleboxTest&);
Json to_json(const IdleTest&);
Json to_json(const ChurnTest&);

std::string_view probed_by(SizeProbeKind kind) {
  switch (kind) {
    case SizeProbeKind::icmp_echo:
      return "icmp-echo";
    case SizeProbeKind::udp:
      return "udp";
    case SizeProbeKind::udp_peer:
      return "udp-peer";
  }
  return "";
}

template <typename T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

double finite(double value) { return std::isfinite(value) ? value : 0; }

double us(double seconds) { return finite(std::round(seconds * 1e9) / 1e3); }

Json to_json(const SizeSweep& sweep) {
  Json sizes = Json::array(), reports = Json::array();
  for (const SizeResult& size : sweep.sizes) {
    sizes.push_back({{"ip_bytes", size.ip_bytes},
                     {"sent", size.sent},
                     {"passed", size.passed},
                     {"reported", size.reported}});
  }
  for (const MtuReport& report : sweep.reports) {
    reports.push_back({{"from", to_string(report.from)},
                       {"mtu_bytes", report.mtu_bytes},
                       {"count", report.count},
                       {"smallest_refused_bytes", report.smallest_refused_bytes},
                       {"largest_refused_bytes", report.largest_refused_bytes},
                       {"hop", maybe(report.hop)}});
  }
  return {{"by", probed_by(sweep.kind)},
          {"direction", to_word(sweep.direction)},
          {"ceiling_bytes", sweep.ceiling_bytes},
          {"largest_passed_bytes", sweep.largest_passed_bytes},
          {"smallest_failed_bytes", sweep.smallest_failed_bytes},
          {"finished", sweep.finished},
          {"control_sent", sweep.control_sent},
          {"control_passed", sweep.control_passed},
          {"sizes", std::move(sizes)},
          {"reports", std::move(reports)},
          {"unable", sweep.unable}};
}

Json to_json(const PathHop& hop) {
  return {{"ttl", hop.ttl},
          {"address", hop.address ? Json(to_string(*hop.address)) : Json(nullptr)},
          {"rtt_us", hop.rtt_s ? Json(us(*hop.rtt_s)) : Json(nullptr)},
          {"is_target", hop.is_target},
          {"large_answered", maybe(hop.large_answered)}};
}

Json to_json(const FragmentTest& test) {
  return {{"direction", to_word(test.direction)},
          {"out_of_order", test.out_of_order},
          {"by_peer", test.by_peer},
          {"ip_bytes", test.ip_bytes},
          {"fragments", test.fragments},
          {"sent", test.sent},
          {"arrived", test.arrived},
          {"whole_sent", test.whole_sent},
          {"whole_arrived", test.whole_arrived},
          {"unable", test.unable}};
}

Json to_json(const SegmentTest& test) {
  return {{"direction", to_word(test.direction)},
          {"mss_bytes", test.mss_bytes},
          {"singles_sent", test.singles_sent},
          {"singles_resent", test.singles_resent},
          {"bursts", test.bursts},
          {"bursts_resent", test.bursts_resent},
          {"burst_bytes", test.burst_bytes},
          {"bursts_s", finite(test.bursts_s)},
          {"resent_segments", test.resent_segments},
          {"timeouts", test.timeouts},
          {"icmp_in_singles", maybe(test.too_big_in_singles)},
          {"icmp_in_bursts", maybe(test.too_big_in_bursts)},
          {"kernel_pmtu_bytes", maybe(test.kernel_pmtu_after)},
          {"unable", test.unable}};
}

template <typename T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return list;
}

Json to_json(const PathMtuTest& mtu) {
  return {{"interface_mtu_bytes", mtu.interface_mtu_bytes},
          {"kernel_pmtu_bytes", maybe(mtu.kernel_pmtu_bytes)},
          {"sweeps", list_of(mtu.sweeps)},
          {"hops", list_of(mtu.hops)},
          {"fragments", list_of(mtu.fragments)},
          {"segments", list_of(mtu.segments)}};
}

Json to_json(const RoundTrips& trips) {
  return {{"sent", trips.sent},
          {"answered", trips.answered},
          {"min_us", us(trips.min_s)},
          {"median_us", us(trips.median_s)},
          {"p95_us", us(trips.p95_s)},
          {"max_us", us(trips.max_s)},
          {"deviation_us", us(trips.deviation_s)}};
}

Json to_json(const LatencyTest::Loaded& loaded) {
  return {{"direction", to_word(loaded.direction)},
          {"load_bps", finite(loaded.load_bps)},
          {"own_busy_share", finite(loaded.own_busy_share)},
          {"rtt", to_json(loaded.trips)}};
}

Json to_json(const DatagramRun& run) {
  Json course = Json::array();
  for (const auto& [at_s, delay_s] : run.course)
    course.push_back({{"at_us", us(at_s)}, {"delay_us", us(delay_s)}});
  return {{"direction", to_word(run.direction)},
          {"ip_bytes", run.ip_bytes},
          {"offered_bps", finite(run.offered_bps)},
          {"sent_bps", finite(run.sent_bps)},
          {"received_bps", finite(run.received_bps)},
          {"rate_share", maybe(run.rate_share)},
          {"sent", run.sent},
          {"received", run.received},
          {"duplicates", run.duplicates},
          {"damaged", run.damaged},
          {"reordered", run.reordered},
          {"loss_runs", run.loss_runs},
          {"longest_loss_run", run.longest_loss_run},
          {"jitter_us", us(run.jitter_s)},
          {"delay_growth_us", us(run.delay_growth_s)},
          {"first_lost", maybe(run.first_lost)},
          {"late_bps", finite(run.late_bps)},
          {"course", std::move(course)},
          {"unable", run.unable}};
}

Json to_json(const LengthLoss& lengths) {
  Json sizes = Json::array();
  for (const LengthLoss::Size& size : lengths.sizes) {
    sizes.push_back(
        {{"ip_bytes", size.ip_bytes}, {"sent", size.sent}, {"received", size.received}});
  }
  return {{"direction", to_word(lengths.direction)},
          {"sizes", std::move(sizes)},
          {"checksum_errors", maybe(lengths.checksum_errors)},
          {"unable", lengths.unable}};
}

Json to_json(const ConnectTest& connect) {
  return {{"port", connect.port},
          {"refused", connect.refused},
          {"slow", connect.slow},
          {"rtt", to_json(connect.trips)}};
}

template <typename T>
Json maybe_json(const std::optional<T>& value) {
  return value ? to_json(*value) : Json(nullptr);
}

Json to_json(const LatencyTest& latency) {
  return {{"connect", maybe_json(latency.connect)},
          {"echo", maybe_json(latency.echo)},
          {"idle", maybe_json(latency.idle)},
          {"loaded", list_of(latency.loaded)},
          {"runs", list_of(latency.runs)},
          {"lengths", list_of(latency.lengths)},
          {"unable", latency.unable}};
}

Json to_json(const HandshakeHeader& header) {
  if (!header.known) return nullptr;
  const TcpOptions& options = header.options;
  return {{"mss_bytes", options.has_mss ? Json(options.mss) : Json(nullptr)},
          {"window_scale", options.has_window_scale ? Json(options.window_scale) : Json(nullptr)},
          {"sack_permitted", static_cast<bool>(options.sack_permitted)},
          {"timestamps", static_cast<bool>(options.has_timestamps)},
          {"ecn_setup", header.ece && header.cwr},
          {"sequence", header.has_sequence ? Json(header.sequence) : Json(nullptr)},
          {"ttl", header.has_ip ? Json(header.ttl) : Json(nullptr)},
          {"dont_fragment", header.has_ip ? Json(header.dont_fragment) : Json(nullptr)}};
}

Json to_json(const MiddleboxTest& boxes) {
  return {{"syn_sent", to_json(boxes.syn_sent)},
          {"syn_seen", to_json(boxes.syn_seen)},
          {"syn_ack_sent", to_json(boxes.syn_ack_sent)},
          {"syn_ack_seen", to_json(boxes.syn_ack_seen)},
          {"missing", boxes.missing},
          {"unable", boxes.unable}};
}

Json to_json(const IdleTest& idle) {
  return {{"longest_survived_s", idle.longest_survived_s},
          {"shortest_lost_s", idle.shortest_lost_s},
          {"searched_s", idle.searched_s},
          {"tried", idle.tried},
          {"reset", idle.reset},
          {"control_sound", idle.control_sound},
          {"unable", idle.unable}};
}

Json to_json(const ChurnTest& churn) {
  return {{"port", churn.port},
          {"offered_per_s", churn.offered_cps},
          {"seconds", finite(churn.seconds)},
          {"attempts", churn.attempts},
          {"connected", churn.connected},
          {"refused", churn.refused},
          {"reset", churn.reset},
          {"timed_out", churn.timed_out},
          {"no_local_port", churn.no_local_port},
          {"slow", churn.slow},
          {"first_failure_at", churn.first_failure_at},
          {"median_us", us(churn.median_s)},
          {"p99_us", us(churn.p99_s)},
          {"max_us", us(churn.max_s)},
          {"listen_overflows", maybe(churn.listen_overflows)},
          {"conntrack_drops", maybe(churn.conntrack_drops)},
          {"local_time_wait", maybe(churn.local_time_wait)},
          {"local_ports", maybe(churn.local_ports)},
          {"unable", churn.unable}};
}

Json measurements(const PathTestFacts& test) {
  return {{"host", test.host},
          {"client", to_string(test.local)},
          {"server", to_string(test.peer)},
          {"with_peer", test.with_peer},
          {"peer_missing", test.peer_missing},
          {"elapsed_s", finite(test.elapsed_s)},
          {"mtu", maybe_json(test.mtu)},
          {"latency", maybe_json(test.latency)},
          {"headers", maybe_json(test.middlebox)},
          {"idle", maybe_json(test.idle)},
          {"churn", maybe_json(test.churn)}};
}

}  // namespace

std::string path_measurements_json(const PathTestFacts& test) {
  return json_document(measurements(test));
}

std::string path_test_json(const PathTestFacts& test, const Diagnosis& diagnosis,
                           bool interrupted) {
  Json findings = Json::array();
  for (const Finding& each : diagnosis.findings) findings.push_back(finding_to_json(each, Case{}));
  Json json = measurements(test);
  json["schema"] = "slowpath.path.v1";
  json["version"] = kVersion;
  json["verdict"] = diagnosis.verdict;
  json["confidence"] = finite(diagnosis.confidence);
  json["summary"] = diagnosis.summary;
  json["interrupted"] = interrupted;
  json["findings"] = std::move(findings);
  json["look_next"] = diagnosis.look_next;
  return json_document(json);
}

}  // namespace slowpath::report
