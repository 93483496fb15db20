// SPDX-License-Identifier: Apache-2.0
#include "probe/path/handshake_watch.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "probe/path/stopwatch.h"
#include "wire/packet.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kMost = 64;
// linux/tcp.h since 4.2; glibc's header has them, too.
#ifndef TCP_SAVE_SYN
#define TCP_SAVE_SYN 27
#define TCP_SAVED_SYN 28
#endif

wire::Packet decode(Bytes ip_packet) {
  wire::Frame frame;
  frame.bytes = ip_packet;
  frame.original_len = static_cast<std::uint32_t>(ip_packet.size());
  frame.link_type = wire::LinkType::raw;
  wire::Packet packet;
  wire::decode(frame, packet);
  return packet;
}

}  // namespace

HandshakeHeader read_handshake_header(Bytes ip_packet) {
  HandshakeHeader header;
  if (ip_packet.size() < 40) return header;
  const wire::Packet packet = decode(ip_packet);
  if (packet.kind != wire::PacketKind::tcp) return header;
  header.known = true;
  header.options = packet.options;
  header.sequence = packet.sequence.value;
  header.acknowledgement = packet.acknowledgment.value;
  header.has_sequence = true;
  header.window = packet.tcp_window;
  header.source_port = packet.source_port;
  header.destination_port = packet.destination_port;
  header.ece = (packet.tcp_flags & wire::kEce) != 0;
  header.cwr = (packet.tcp_flags & wire::kCwr) != 0;
  header.source = packet.source;
  header.destination = packet.destination;
  header.ttl = packet.ttl;
  header.ecn = packet.ecn;
  header.dont_fragment = packet.dont_fragment;
  header.has_ip = true;
  return header;
}

bool save_syns(int listener) {
  const int on = 1;
  return setsockopt(listener, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof on) == 0;
}

std::vector<std::byte> saved_syn(int socket) {
  std::vector<std::byte> bytes(512);
  auto len = static_cast<socklen_t>(bytes.size());
  if (getsockopt(socket, IPPROTO_TCP, TCP_SAVED_SYN, bytes.data(), &len) != 0) len = 0;
  bytes.resize(len);
  return bytes;
}

Result<HandshakeWatch> HandshakeWatch::open(std::uint16_t port) {
  HandshakeWatch watch;
  watch.port_ = port;
  watch.socket_.reset(
      socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  if (!watch.socket_.is_open()) {
    return fail(ErrorKind::environment, "cannot look at the own packets", std::strerror(errno),
                "run with cap_net_raw");
  }
  return watch;
}

void HandshakeWatch::collect() {
  std::array<std::byte, 256> bytes{};
  while (true) {
    const ssize_t got = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return;
    const Bytes packet{bytes.data(), static_cast<std::size_t>(got)};
    const HandshakeHeader header = read_handshake_header(packet);
    if (!header.known || (header.source_port != port_ && header.destination_port != port_))
      continue;
    const bool is_syn = (decode(packet).tcp_flags & wire::kSyn) != 0;
    if (is_syn && packets_.size() < kMost) packets_.emplace_back(packet.begin(), packet.end());
  }
}

std::vector<std::byte> HandshakeWatch::find(bool syn_ack, std::uint16_t other_port, Duration wait) {
  const std::int64_t deadline = steady_ns() + wait.count();
  while (true) {
    collect();
    for (auto packet = packets_.rbegin(); packet != packets_.rend(); ++packet) {
      const wire::Packet decoded = decode(*packet);
      const bool has_ack = (decoded.tcp_flags & wire::kAck) != 0;
      const bool is_between =
          (decoded.source_port == port_ && decoded.destination_port == other_port) ||
          (decoded.source_port == other_port && decoded.destination_port == port_);
      if (has_ack == syn_ack && is_between) return *packet;
    }
    pollfd polled{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int left_ms = milliseconds_until(deadline);
    if (left_ms <= 0) return {};
    poll(&polled, 1, left_ms);
  }
}

std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::vector<std::byte> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

}  // namespace slowpath::probe
