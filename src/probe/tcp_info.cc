// SPDX-License-Identifier: Apache-2.0
#include "probe/tcp_info.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "machine/live/sockets.h"
#include "probe/socket.h"

namespace slowpath::probe {
namespace {

template <typename T>
void reduce(std::optional<T>& end, const std::optional<T>& begin) {
  if (!end || !begin) return;
  // A socket that was disconnected forgets its totals.
  end = *end >= *begin ? *end - *begin : T{};
}

}  // namespace

std::optional<SocketFacts> read_socket(int socket) {
  // Larger than any we know: a newer kernel fills more, and an older one says that it filled less.
  std::array<std::byte, 512> info{};
  socklen_t length = info.size();
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, info.data(), &length) != 0 || length == 0)
    return std::nullopt;
  SocketFacts facts;
  machine::apply_tcp_info(Bytes{info}.first(length), facts);
  facts.state = machine::tcp_state_name(load_u8(info.data()));
  facts.local = local_endpoint(socket).value_or(Endpoint{});
  facts.remote = remote_endpoint(socket).value_or(Endpoint{});
  facts.send_buffer_bytes = send_buffer_bytes(socket);
  facts.receive_buffer_bytes = receive_buffer_bytes(socket);
  std::array<char, 32> name{};
  length = name.size() - 1;
  if (getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) == 0)
    facts.congestion_control = name.data();
  facts.origin.where = "getsockopt TCP_INFO";
  return facts;
}

SocketFacts after(const SocketFacts& begin, SocketFacts end) {
  reduce(end.retransmits_total, begin.retransmits_total);
  reduce(end.timeouts_total, begin.timeouts_total);
  reduce(end.data_segments_sent, begin.data_segments_sent);
  reduce(end.data_segments_received, begin.data_segments_received);
  reduce(end.busy_s, begin.busy_s);
  reduce(end.rwnd_limited_s, begin.rwnd_limited_s);
  reduce(end.sndbuf_limited_s, begin.sndbuf_limited_s);
  reduce(end.bytes_sent, begin.bytes_sent);
  reduce(end.bytes_acked, begin.bytes_acked);
  reduce(end.bytes_received, begin.bytes_received);
  reduce(end.bytes_retransmitted, begin.bytes_retransmitted);
  reduce(end.dsack_duplicates, begin.dsack_duplicates);
  reduce(end.reorder_events, begin.reorder_events);
  reduce(end.out_of_order_packets, begin.out_of_order_packets);
  return end;
}

}  // namespace slowpath::probe
