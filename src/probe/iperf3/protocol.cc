// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/protocol.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/json_text.h"
#include "probe/socket.h"

namespace slowpath::probe::iperf3 {
namespace {

using Json = nlohmann::ordered_json;

/// Nobody nests parameters or results deeper; a parser that recurses must not be told to.
constexpr int kDeepestJson = 32;

Error lost(const std::string& peer, std::string_view what) {
  return {ErrorKind::network, fmt::format("cannot go on with {}", peer), std::string{what}, {}};
}

/// Numbers of iperf_api.h that a peer may meet.
constexpr std::array<std::pair<std::int32_t, std::string_view>, 30> kErrors{{
    {5, "the test is longer than it allows"},
    {6, "more streams than it allows"},
    {7, "the blocks are larger than it allows"},
    {8, "the socket buffer is larger than it allows"},
    {10, "the segment size is not possible"},
    {12, "the time to omit is not possible"},
    {13, "it does not do this with its file (-F): one way, and by TCP where it is sent"},
    {14, "it cannot use its file (-F) for this"},
    {20, "the datagrams are larger than it allows"},
    {27, "the rate is above what it allows"},
    {101, "it could not begin the test"},
    {102, "it could not listen"},
    {103, "it could not connect"},
    {104, "it could not accept"},
    {110, "it got an unknown control message"},
    {113, "it could not send parameters"},
    {114, "it could not read the parameters"},
    {119, "the client was ended"},
    {120, "the server was ended"},
    {121, "it is busy with another test"},
    {123, "it could not set the segment size"},
    {124, "it could not set the socket buffer"},
    {130, "it could not set the window"},
    {131, "it does not know this protocol"},
    {132, "it could not stay on the processor (-A)"},
    {134, "it could not set the congestion control"},
    {140, "it could not set the pacing rate"},
    {142, "authorisation failed: it asks for a user and a password (--username)"},
    {144, "it received nothing for too long"},
    {145, "it could not forbid fragments"},
}};

/// Deep brackets are refused before a parser recurses into them.
bool is_shallow(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestJson) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::string make_cookie() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, kCookieBytes - 1> random{};
  while (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
  }
  std::string cookie;
  for (const unsigned char value : random) cookie += kLetters[value % kLetters.size()];
  cookie += '\0';
  return cookie;
}

std::string error_words(std::int32_t iperf_error, std::int32_t system_error) {
  const auto found =
      std::ranges::find(kErrors, iperf_error, [](const auto& it) { return it.first; });
  std::string text = found == kErrors.end() ? fmt::format("error {} of iperf3", iperf_error)
                                            : std::string{found->second};
  if (system_error > 0) text += fmt::format(" ({})", std::strerror(system_error));
  return text;
}

std::optional<Json> parse_object(std::string_view text) {
  // Some peers count the zero byte behind it.
  while (text.ends_with('\0')) text.remove_suffix(1);
  if (!is_shallow(text)) return std::nullopt;
  Json json = parse_ordered_json(text);
  return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

Result<void> receive_exactly(int socket, void* data, std::size_t len, Duration timeout,
                             const std::string& peer) {
  const std::int64_t deadline = steady_ns() + timeout.count();
  auto* at = static_cast<std::byte*>(data);
  while (len > 0) {
    const ssize_t got = recv(socket, at, len, 0);
    if (got == 0) return std::unexpected(lost(peer, "it closed the control connection"));
    if (got > 0) {
      at += got;
      len -= static_cast<std::size_t>(got);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      return std::unexpected(lost(peer, std::strerror(errno)));
    }
    const std::int64_t left = deadline - steady_ns();
    if (left <= 0) return std::unexpected(lost(peer, "it says nothing more"));
    wait_readable(socket, Duration{left});
  }
  return {};
}

Result<void> Control::receive_bytes(void* data, std::size_t len, Duration timeout) {
  return receive_exactly(socket_.get(), data, len, timeout, peer_);
}

Result<void> Control::send_bytes(const void* data, std::size_t len, Duration timeout) {
  const std::int64_t deadline = steady_ns() + timeout.count();
  const auto* at = static_cast<const std::byte*>(data);
  while (len > 0) {
    const ssize_t sent = send(socket_.get(), at, len, MSG_NOSIGNAL);
    if (sent > 0) {
      at += sent;
      len -= static_cast<std::size_t>(sent);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      return std::unexpected(lost(peer_, std::strerror(errno)));
    }
    const std::int64_t left = deadline - steady_ns();
    if (left <= 0) return std::unexpected(lost(peer_, "it takes nothing more"));
    wait_writable(socket_.get(), Duration{left});
  }
  return {};
}

Result<void> Control::send_cookie(const std::string& cookie, Duration timeout) {
  return send_bytes(cookie.data(), cookie.size(), timeout);
}

Result<void> Control::send_state(State state, Duration timeout) {
  const auto byte = static_cast<std::int8_t>(state);
  return send_bytes(&byte, 1, timeout);
}

Result<State> Control::receive_state(Duration timeout) {
  std::int8_t byte = 0;
  if (const Result<void> got = receive_bytes(&byte, 1, timeout); !got) {
    return std::unexpected(got.error());
  }
  return static_cast<State>(byte);
}

Result<void> Control::expect(State state, Duration timeout) {
  const Result<State> got = receive_state(timeout);
  if (!got) return std::unexpected(got.error());
  if (*got == state) return {};
  if (*got == State::access_denied) {
    return fail(ErrorKind::network, fmt::format("cannot test with {}", peer_),
                "the server is busy with another test", "try again when that is over");
  }
  if (*got == State::server_error) return std::unexpected(receive_server_error(timeout));
  if (*got == State::server_terminate) {
    return std::unexpected(lost(peer_, "the server was ended meanwhile"));
  }
  if (*got == State::client_terminate) {
    return std::unexpected(lost(peer_, "the client was ended meanwhile"));
  }
  return std::unexpected(
      lost(peer_, fmt::format("it said {} where {} belongs: this is not the protocol of iperf3",
                              static_cast<int>(*got), static_cast<int>(state))));
}

Error Control::receive_server_error(Duration timeout) {
  std::array<std::byte, 8> numbers{};
  constexpr std::size_t kNumber = 4;
  if (const Result<void> got = receive_bytes(numbers.data(), kNumber, timeout); !got) {
    return got.error();
  }
  // iperf3 does not always tell the system's.
  (void)receive_bytes(numbers.data() + kNumber, kNumber, std::chrono::seconds(1));
  return {
      ErrorKind::network,
      fmt::format("cannot test with {}", peer_),
      "the server says: " + error_words(static_cast<std::int32_t>(load_be32(numbers.data())),
                                        static_cast<std::int32_t>(load_be32(numbers.data() + 4))),
      {}};
}

Result<void> Control::send_server_error(std::int32_t iperf_error, std::int32_t system_error,
                                        Duration timeout) {
  std::array<std::byte, 9> bytes{};
  store_u8(bytes.data(), static_cast<std::uint8_t>(State::server_error));
  store_be32(bytes.data() + 1, static_cast<std::uint32_t>(iperf_error));
  store_be32(bytes.data() + 5, static_cast<std::uint32_t>(system_error));
  return send_bytes(bytes.data(), bytes.size(), timeout);
}

Result<void> Control::send_json(const Json& json, Duration timeout) {
  const std::string text = json_text(json);
  std::array<std::byte, 4> len{};
  store_be32(len.data(), static_cast<std::uint32_t>(text.size()));
  if (const Result<void> sent = send_bytes(len.data(), len.size(), timeout); !sent) return sent;
  return send_bytes(text.data(), text.size(), timeout);
}

Result<Json> Control::receive_json(std::size_t most_bytes, Duration timeout) {
  std::array<std::byte, 4> len_bytes{};
  if (const Result<void> got = receive_bytes(len_bytes.data(), len_bytes.size(), timeout); !got) {
    return std::unexpected(got.error());
  }
  const std::uint32_t len = load_be32(len_bytes.data());
  if (len > most_bytes) {
    return std::unexpected(
        lost(peer_, fmt::format("it announces {} bytes of JSON, more than the {} that there can be",
                                len, most_bytes)));
  }
  std::string text(len, '\0');
  if (const Result<void> got = receive_bytes(text.data(), len, timeout); !got) {
    return std::unexpected(got.error());
  }
  std::optional<Json> json = parse_object(text);
  if (!json) return std::unexpected(lost(peer_, "what it sent is no JSON object"));
  return std::move(*json);
}

}  // namespace slowpath::probe::iperf3
