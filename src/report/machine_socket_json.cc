// SPDX-License-Identifier: Apache-2.0
// One socket of a host's facts: TCP_INFO's numbers.
#include "report/machine_json.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

void put_path(Json& json, const SocketFacts& socket) {
  put(json, "mss_bytes", socket.mss_bytes);
  put(json, "receive_mss_bytes", socket.receive_mss_bytes);
  put(json, "advertised_mss_bytes", socket.advertised_mss_bytes);
  put(json, "pmtu_bytes", socket.pmtu_bytes);
  put(json, "rtt_s", socket.rtt_s);
  put(json, "rtt_var_s", socket.rtt_var_s);
  put(json, "rtt_min_s", socket.rtt_min_s);
  put(json, "receive_rtt_s", socket.receive_rtt_s);
  put(json, "rto_s", socket.rto_s);
  put(json, "cwnd_segments", socket.cwnd_segments);
  put(json, "ssthresh_segments", socket.ssthresh_segments);
  put(json, "reordering_segments", socket.reordering);
  put(json, "reorder_events", socket.reorder_events);
  put(json, "out_of_order_packets", socket.out_of_order_packets);
  put(json, "retransmitted_segments", socket.retransmits_total);
  put(json, "timeouts", socket.timeouts_total);
  put(json, "dsack_duplicates", socket.dsack_duplicates);
  put(json, "delivery_rate_bps", socket.delivery_rate_bps);
  put(json, "pacing_rate_bps", socket.pacing_rate_bps);
}

void put_bytes(Json& json, const SocketFacts& socket) {
  put(json, "bytes_sent", socket.bytes_sent);
  put(json, "bytes_acked", socket.bytes_acked);
  put(json, "bytes_received", socket.bytes_received);
  put(json, "bytes_retransmitted", socket.bytes_retransmitted);
  put(json, "data_segments_sent", socket.data_segments_sent);
  put(json, "data_segments_received", socket.data_segments_received);
  put(json, "not_sent_bytes", socket.not_sent_bytes);
  put(json, "receive_queue_bytes", socket.receive_queue_bytes);
  put(json, "send_queue_bytes", socket.send_queue_bytes);
  put(json, "receive_buffer_bytes", socket.receive_buffer_bytes);
  put(json, "send_buffer_bytes", socket.send_buffer_bytes);
  put(json, "peer_window_bytes", socket.peer_window_bytes);
  put(json, "receive_ssthresh_bytes", socket.receive_ssthresh_bytes);
  put(json, "drops", socket.drops);
  put(json, "accept_queue", socket.accept_queue);
  put(json, "accept_queue_max", socket.accept_queue_max);
}

void put_limits(Json& json, const SocketFacts& socket) {
  put(json, "busy_s", socket.busy_s);
  put(json, "rwnd_limited_s", socket.rwnd_limited_s);
  put(json, "sndbuf_limited_s", socket.sndbuf_limited_s);
  put(json, "app_limited", socket.app_limited);
  put(json, "send_window_scale", socket.send_window_scale);
  put(json, "receive_window_scale", socket.receive_window_scale);
  put(json, "timestamps", socket.timestamps);
  put(json, "sack", socket.sack);
  put(json, "ecn", socket.ecn);
}

}  // namespace

Json socket_to_json(const SocketFacts& socket) {
  Json json{{"local", to_string(socket.local)},
            {"remote", to_string(socket.remote)},
            {"state", socket.state}};
  put(json, "congestion_control", socket.congestion_control);
  put_path(json, socket);
  put_bytes(json, socket);
  put_limits(json, socket);
  return json;
}

}  // namespace slowpath::report
