// SPDX-License-Identifier: Apache-2.0
#include "probe/path/negotiated.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

namespace slowpath::probe {
namespace {

HandshakeHeader make(unsigned options, unsigned scale) {
  HandshakeHeader header;
  header.known = true;
  header.options.has_timestamps = (options & TCPI_OPT_TIMESTAMPS) != 0;
  header.options.sack_permitted = (options & TCPI_OPT_SACK) != 0;
  header.options.has_window_scale = (options & TCPI_OPT_WSCALE) != 0;
  header.options.window_scale = static_cast<std::uint8_t>(scale & 15);
  return header;
}

std::optional<tcp_info> read_info(int socket) {
  tcp_info info{};
  socklen_t len = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) return std::nullopt;
  return info;
}

}  // namespace

HandshakeHeader negotiated_header(int socket, bool as_client) {
  const auto info = read_info(socket);
  if (!info) return {};
  return make(info->tcpi_options, as_client ? info->tcpi_snd_wscale : info->tcpi_rcv_wscale);
}

void put_negotiated(int socket, Json& message) {
  const auto info = read_info(socket);
  if (!info) return;
  message["options"] = static_cast<unsigned>(info->tcpi_options);
  message["window_scale"] = static_cast<unsigned>(info->tcpi_rcv_wscale);
}

HandshakeHeader negotiated_from(const Json& message) {
  Fields fields(message);
  const auto options = fields.optional_number("options", 255);
  const std::uint64_t scale = fields.number_or("window_scale", 0, 15);
  if (!options || !fields.ok()) return {};
  return make(static_cast<unsigned>(*options), static_cast<unsigned>(scale));
}

}  // namespace slowpath::probe
