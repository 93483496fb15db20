// SPDX-License-Identifier: Apache-2.0
// From what was asked for to what is set on sockets and told in facts.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

#include "probe/iperf3/run.h"

namespace slowpath::probe::iperf3 {

SocketOptions socket_options_of(const Parameters& parameters) {
  SocketOptions options;
  if (parameters.window_bytes > 0) options.buffer_bytes = parameters.window_bytes;
  if (parameters.mss_bytes > 0) options.mss_bytes = parameters.mss_bytes;
  if (parameters.pacing_bps > 0) options.pacing_rate_bps = parameters.pacing_bps;
  if (parameters.type_of_service > 0) {
    options.type_of_service = static_cast<std::uint8_t>(parameters.type_of_service);
  }
  if (parameters.flow_label > 0) options.flow_label = parameters.flow_label;
  options.congestion_control = parameters.congestion_control;
  options.no_delay = parameters.no_delay;
  return options;
}

std::string congestion_of(int socket) {
  std::array<char, 16> name{};
  socklen_t len = name.size() - 1;
  return getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &len) == 0 ? name.data() : "";
}

Iperf3Facts facts_of(const Parameters& parameters) {
  Iperf3Facts facts;
  facts.is_udp = parameters.is_udp;
  facts.reverse = parameters.reverse;
  facts.bidirectional = parameters.bidirectional;
  facts.title = parameters.title;
  facts.extra_data = parameters.extra_data;
  facts.duration_s = parameters.duration_s;
  facts.omit_s = parameters.omit_s;
  facts.bytes = parameters.bytes;
  facts.blocks = parameters.blocks;
  facts.block_bytes = parameters.block_bytes;
  facts.window_bytes = parameters.window_bytes;
  facts.mss_bytes = parameters.mss_bytes;
  facts.type_of_service = parameters.type_of_service;
  facts.rate_bps = parameters.rate_bps;
  facts.pacing_bps = parameters.pacing_bps;
  facts.began_unix_s = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  return facts;
}

}  // namespace slowpath::probe::iperf3
