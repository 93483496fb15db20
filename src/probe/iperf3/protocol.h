// SPDX-License-Identifier: Apache-2.0
// The control connection of iperf3 (as of 3.1 to 3.18): a cookie that names the test, one byte for
// each state, and JSON behind a length. Every wait has a deadline and every length a bound, so a
// peer that lies or goes away costs seconds and kilobytes. What the JSON says is left to
// parameters.h and results.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"

namespace slowpath::probe::iperf3 {

inline constexpr std::uint16_t kPort = 5201;
/// 36 letters and a zero byte.
inline constexpr std::size_t kCookieBytes = 37;
/// What a peer may say of itself at once. Results hold the other side's whole output.
inline constexpr std::size_t kMostParameterBytes = 64 << 10;
inline constexpr std::size_t kMostResultBytes = 8 << 20;
/// What is asked for in one go; a test never has more.
inline constexpr std::uint32_t kMostStreams = 128;

/// The states, as the byte on the wire.
enum class State : std::int8_t {
  test_start = 1,
  test_running = 2,
  test_end = 4,
  param_exchange = 9,
  create_streams = 10,
  server_terminate = 11,
  client_terminate = 12,
  exchange_results = 13,
  display_results = 14,
  iperf_start = 15,
  iperf_done = 16,
  access_denied = -1,
  server_error = -2,
};

/// A cookie as iperf3 makes them, from the system's random numbers.
std::string make_cookie();

/// The object that a peer's text stands for; nothing where it is none, or nested deeper than 32.
std::optional<nlohmann::ordered_json> parse_object(std::string_view text);

/// What the numbers mean that a server sends after `server_error`; iperf3's own words.
std::string error_words(std::int32_t iperf_error, std::int32_t system_error);

/// The connection. Non-blocking socket; every call waits at most until its deadline.
class Control {
 public:
  Control(Descriptor socket, std::string peer)
      : socket_(std::move(socket)), peer_(std::move(peer)) {}

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// Once the cookie has told whose stream it is.
  Descriptor take_socket() && { return std::move(socket_); }

  /// Errors of all: network, with what the peer did.
  Result<void> send_cookie(const std::string& cookie, Duration timeout);
  Result<void> send_state(State state, Duration timeout);
  Result<State> receive_state(Duration timeout);
  /// The next state must be this one; server_error and access_denied become errors in words.
  Result<void> expect(State state, Duration timeout);
  /// What a server says after server_error.
  Error receive_server_error(Duration timeout);
  Result<void> send_server_error(std::int32_t iperf_error, std::int32_t system_error,
                                 Duration timeout);
  Result<void> send_json(const nlohmann::ordered_json& json, Duration timeout);
  /// An object; whatever else it is, is an error.
  Result<nlohmann::ordered_json> receive_json(std::size_t most_bytes, Duration timeout);

 private:
  Result<void> send_bytes(const void* data, std::size_t len, Duration timeout);
  Result<void> receive_bytes(void* data, std::size_t len, Duration timeout);

  Descriptor socket_;
  std::string peer_;
};

/// Reads exactly so many bytes of any non-blocking socket.
Result<void> receive_exactly(int socket, void* data, std::size_t len, Duration timeout,
                             const std::string& peer);

}  // namespace slowpath::probe::iperf3
