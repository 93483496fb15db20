// SPDX-License-Identifier: Apache-2.0
#include "probe/channel.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "probe/socket.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kPiece = 16'384;

std::string peer_name(int socket) {
  const auto peer = remote_endpoint(socket);
  return peer ? to_string(*peer) : "the peer";
}

std::unexpected<Error> lost(int socket, std::string cause) {
  return fail(ErrorKind::network, "lost " + peer_name(socket), std::move(cause));
}

}  // namespace

Result<void> Channel::send_bytes(Bytes bytes, Duration timeout) {
  const std::int64_t deadline_ns = steady_ns() + timeout.count();
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return lost(socket(), std::strerror(errno));
    const std::int64_t left = deadline_ns - steady_ns();
    if (left <= 0) return lost(socket(), "it takes nothing any more");
    wait_writable(socket(), Duration{left});
  }
  return {};
}

Result<void> Channel::send(const Json& message, Duration timeout) {
  const std::string frame = frame_of(message);
  return send_bytes(std::as_bytes(std::span{frame}), timeout);
}

Result<std::optional<Json>> Channel::poll() {
  std::array<std::byte, kPiece> piece;
  auto message = reader_.next();
  if (!message || message->has_value()) return message;
  const ssize_t got = recv(socket(), piece.data(), piece.size(), 0);
  if (got == 0) return lost(socket(), "it closed the connection");
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return lost(socket(), std::strerror(errno));
  }
  reader_.feed(Bytes{piece}.first(static_cast<std::size_t>(got)));
  return reader_.next();
}

Result<Json> Channel::receive(Duration timeout) {
  const std::int64_t deadline_ns = steady_ns() + timeout.count();
  while (true) {
    auto message = poll();
    if (!message) return std::unexpected(message.error());
    if (message->has_value()) return **std::move(message);
    const std::int64_t left = deadline_ns - steady_ns();
    if (left <= 0)
      return lost(socket(), fmt::format("it was silent for {:.3g} s", to_seconds(timeout)));
    wait_readable(socket(), Duration{left});
  }
}

Result<Json> Channel::expect(std::string_view type, Duration timeout) {
  auto message = receive(timeout);
  if (!message) return message;
  const std::string got = type_of(*message);
  if (got == type) return message;
  if (got == "error") {
    Fields fields{*message};
    const std::string text = fields.text_or("text", "it does not say why", 500);
    return fail(ErrorKind::network, peer_name(socket()) + " refused", text);
  }
  return fail(ErrorKind::network, "cannot understand " + peer_name(socket()),
              fmt::format("it sent \"{}\" where \"{}\" was due", got, type));
}

Json error_message(std::string_view code, std::string_view text) {
  return {{"type", "error"}, {"code", code}, {"text", text}};
}

}  // namespace slowpath::probe
