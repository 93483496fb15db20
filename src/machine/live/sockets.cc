// SPDX-License-Identifier: Apache-2.0
#include "machine/live/sockets.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "machine/live/host_files.h"
#include "machine/netlink.h"

namespace slowpath::machine {
namespace {

// include/net/tcp_states.h.
constexpr auto kStates = std::to_array<const char*>(
    {"unknown", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
     "close", "close-wait", "last-ack", "listen", "closing", "syn-recv", "bound-inactive"});
constexpr unsigned kListen = 10;

// The kernel's marks for "none yet" (net/ipv4/tcp.c: tcp_get_info).
constexpr std::uint32_t kNoSsthresh = 0x7fffffff;
constexpr std::uint32_t kNoMinRtt = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kNoPacing = std::numeric_limits<std::uint64_t>::max();
// Bits of tcpi_options (uapi/linux/tcp.h).
constexpr unsigned kOptionTimestamps = 1, kOptionSack = 2, kOptionScale = 4, kOptionEcn = 8;

// tcpi_total_rto came with Linux 6.7; the headers of Debian 12 end before it.
constexpr std::size_t kTotalRtoAt = 240;

template <typename T>
std::optional<T> field(Bytes info, std::size_t offset) {
  if (info.size() < offset + sizeof(T)) return std::nullopt;
  return netlink::read_struct<T>(info.subspan(offset));
}

std::optional<double> seconds(std::optional<std::uint64_t> microseconds) {
  if (!microseconds) return std::nullopt;
  return static_cast<double>(*microseconds) / 1e6;
}

template <typename T>
std::optional<T> unless(std::optional<T> value, std::type_identity_t<T> mark) {
  return value == mark ? std::nullopt : value;
}

std::optional<double> bits_per_second(std::optional<std::uint64_t> bytes_per_second) {
  if (!bytes_per_second) return std::nullopt;
  return static_cast<double>(*bytes_per_second) * 8;
}

// offsetof cannot name the bit fields that follow tcpi_options: a byte of both scales, then one
// whose lowest bit says that the delivery rate was limited by the application.
void apply_options(Bytes info, SocketFacts& socket) {
  constexpr std::size_t kAt = offsetof(tcp_info, tcpi_options);
  const auto options = field<std::uint8_t>(info, kAt);
  const auto scales = field<std::uint8_t>(info, kAt + 1);
  const auto rate = field<std::uint8_t>(info, kAt + 2);
  if (!options || !scales || !rate) return;
  socket.timestamps = (*options & kOptionTimestamps) != 0;
  socket.sack = (*options & kOptionSack) != 0;
  socket.ecn = (*options & kOptionEcn) != 0;
  if ((*options & kOptionScale) != 0) {
    socket.send_window_scale = *scales & 0xfU;
    socket.receive_window_scale = std::uint32_t{*scales} >> 4U;
  }
  socket.app_limited = (*rate & 1U) != 0;
}

void apply_sizes(Bytes info, SocketFacts& socket) {
  const auto u32 = [&](std::size_t offset) { return field<std::uint32_t>(info, offset); };
  socket.mss_bytes = u32(offsetof(tcp_info, tcpi_snd_mss));
  socket.receive_mss_bytes = u32(offsetof(tcp_info, tcpi_rcv_mss));
  socket.advertised_mss_bytes = u32(offsetof(tcp_info, tcpi_advmss));
  socket.pmtu_bytes = u32(offsetof(tcp_info, tcpi_pmtu));
  socket.cwnd_segments = u32(offsetof(tcp_info, tcpi_snd_cwnd));
  socket.ssthresh_segments = u32(offsetof(tcp_info, tcpi_snd_ssthresh));
  if (socket.ssthresh_segments >= kNoSsthresh) socket.ssthresh_segments.reset();
  socket.receive_ssthresh_bytes = u32(offsetof(tcp_info, tcpi_rcv_ssthresh));
  socket.reordering = u32(offsetof(tcp_info, tcpi_reordering));
  socket.retransmits_total = u32(offsetof(tcp_info, tcpi_total_retrans));
  socket.not_sent_bytes = u32(offsetof(tcp_info, tcpi_notsent_bytes));
  socket.dsack_duplicates = u32(offsetof(tcp_info, tcpi_dsack_dups));
  socket.reorder_events = u32(offsetof(tcp_info, tcpi_reord_seen));
  socket.out_of_order_packets = u32(offsetof(tcp_info, tcpi_rcv_ooopack));
  socket.peer_window_bytes = u32(offsetof(tcp_info, tcpi_snd_wnd));
  socket.data_segments_sent = u32(offsetof(tcp_info, tcpi_data_segs_out));
  socket.data_segments_received = u32(offsetof(tcp_info, tcpi_data_segs_in));
  if (const auto timeouts = field<std::uint16_t>(info, kTotalRtoAt)) {
    socket.timeouts_total = std::uint32_t{*timeouts};
  }
}

void apply_times(Bytes info, SocketFacts& socket) {
  const auto u32 = [&](std::size_t offset) { return field<std::uint32_t>(info, offset); };
  const auto u64 = [&](std::size_t offset) { return field<std::uint64_t>(info, offset); };
  // A round trip of zero is one that was never measured.
  socket.rtt_s = seconds(unless(u32(offsetof(tcp_info, tcpi_rtt)), 0));
  if (socket.rtt_s) socket.rtt_var_s = seconds(u32(offsetof(tcp_info, tcpi_rttvar)));
  socket.rtt_min_s = seconds(unless(u32(offsetof(tcp_info, tcpi_min_rtt)), kNoMinRtt));
  socket.receive_rtt_s = seconds(unless(u32(offsetof(tcp_info, tcpi_rcv_rtt)), 0));
  socket.rto_s = seconds(u32(offsetof(tcp_info, tcpi_rto)));
  socket.busy_s = seconds(u64(offsetof(tcp_info, tcpi_busy_time)));
  socket.rwnd_limited_s = seconds(u64(offsetof(tcp_info, tcpi_rwnd_limited)));
  socket.sndbuf_limited_s = seconds(u64(offsetof(tcp_info, tcpi_sndbuf_limited)));
}

void apply_amounts(Bytes info, SocketFacts& socket) {
  const auto u64 = [&](std::size_t offset) { return field<std::uint64_t>(info, offset); };
  socket.bytes_acked = u64(offsetof(tcp_info, tcpi_bytes_acked));
  socket.bytes_received = u64(offsetof(tcp_info, tcpi_bytes_received));
  socket.bytes_sent = u64(offsetof(tcp_info, tcpi_bytes_sent));
  socket.bytes_retransmitted = u64(offsetof(tcp_info, tcpi_bytes_retrans));
  socket.pacing_rate_bps =
      bits_per_second(unless(u64(offsetof(tcp_info, tcpi_pacing_rate)), kNoPacing));
  socket.delivery_rate_bps =
      bits_per_second(unless(u64(offsetof(tcp_info, tcpi_delivery_rate)), 0));
}

IpAddress address_of(unsigned char family, const __be32* words) {
  IpAddress address;
  address.version = family == AF_INET ? 4 : 6;
  std::memcpy(address.bytes.data(), words, family == AF_INET ? 4 : 16);
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family == AF_INET6 && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
    IpAddress inner;
    inner.version = 4;
    std::copy_n(address.bytes.begin() + kMapped.size(), 4, inner.bytes.begin());
    return inner;
  }
  return address;
}

void apply_memory(Bytes memory, SocketFacts& socket) {
  const auto word = [&](std::size_t i) { return field<std::uint32_t>(memory, i * 4); };
  socket.receive_buffer_bytes = word(SK_MEMINFO_RCVBUF);
  socket.send_buffer_bytes = word(SK_MEMINFO_SNDBUF);
  socket.drops = word(SK_MEMINFO_DROPS);
}

// Of a listener the queues hold connections, not bytes.
void apply_queues(const inet_diag_msg& header, SocketFacts& socket) {
  if (header.idiag_state == kListen) {
    socket.accept_queue = header.idiag_rqueue;
    socket.accept_queue_max = header.idiag_wqueue;
  } else {
    socket.receive_queue_bytes = header.idiag_rqueue;
    socket.send_queue_bytes = header.idiag_wqueue;
  }
}

int read_family(netlink::Socket& socket, unsigned char family, std::size_t most,
                std::size_t& left_out, MachineFacts& machine) {
  netlink::Request request{SOCK_DIAG_BY_FAMILY, NLM_F_DUMP};
  inet_diag_req_v2 query{};
  query.sdiag_family = family;
  query.sdiag_protocol = IPPROTO_TCP;
  query.idiag_ext = (1U << (INET_DIAG_INFO - 1)) | (1U << (INET_DIAG_CONG - 1)) |
                    (1U << (INET_DIAG_SKMEMINFO - 1));
  query.idiag_states = std::numeric_limits<std::uint32_t>::max();
  request.body(query);
  return socket.ask(request, [&](const netlink::Message& message) {
    if (message.type != SOCK_DIAG_BY_FAMILY) return;
    if (machine.sockets.size() >= most) {
      ++left_out;
    } else if (auto facts = parse_socket(message.payload)) {
      machine.sockets.push_back(*std::move(facts));
    }
  });
}

}  // namespace

const char* tcp_state_name(unsigned state) {
  return state < kStates.size() ? kStates[state] : kStates[0];
}

void apply_tcp_info(Bytes info, SocketFacts& socket) {
  apply_options(info, socket);
  apply_sizes(info, socket);
  apply_times(info, socket);
  apply_amounts(info, socket);
}

std::optional<SocketFacts> parse_socket(Bytes payload) {
  const auto header = netlink::read_struct<inet_diag_msg>(payload);
  if (!header || (header->idiag_family != AF_INET && header->idiag_family != AF_INET6)) {
    return std::nullopt;
  }
  const auto attributes = netlink::attributes_after(payload, sizeof(inet_diag_msg));
  SocketFacts socket;
  socket.local = {address_of(header->idiag_family, header->id.idiag_src),
                  ntohs(header->id.idiag_sport)};
  socket.remote = {address_of(header->idiag_family, header->id.idiag_dst),
                   ntohs(header->id.idiag_dport)};
  socket.state = tcp_state_name(header->idiag_state);
  socket.congestion_control = attributes.text(INET_DIAG_CONG);
  apply_queues(*header, socket);
  if (const auto memory = attributes.find(INET_DIAG_SKMEMINFO)) apply_memory(*memory, socket);
  // A listener's has its queues once more, and nothing else of meaning.
  const auto info = attributes.find(INET_DIAG_INFO);
  if (info && header->idiag_state != kListen) apply_tcp_info(*info, socket);
  socket.origin.where = "sock_diag: ss -tinm";
  return socket;
}

void read_sockets(std::size_t most, MachineFacts& machine) {
  auto socket = netlink::Socket::open(NETLINK_SOCK_DIAG);
  if (!socket) {
    add_unread(machine.unread, "sockets (sock_diag)", socket.error(), "cap_net_admin");
    return;
  }
  std::size_t left_out = 0;
  const std::pair<unsigned char, const char*> families[] = {{AF_INET, "IPv4 sockets (sock_diag)"},
                                                            {AF_INET6, "IPv6 sockets (sock_diag)"}};
  for (const auto& [family, what] : families) {
    const int error = read_family(*socket, family, most, left_out, machine);
    // Sockets come and go all the time: a list that changed meanwhile is what it always is.
    if (error != 0 && error != EINTR) add_unread(machine.unread, what, error, "cap_net_admin");
  }
  if (left_out > 0) {
    machine.unread.push_back({"sockets beyond the first " + std::to_string(most),
                              std::to_string(left_out) + " more than are kept", ""});
  }
}

}  // namespace slowpath::machine
