// SPDX-License-Identifier: Apache-2.0
// Round trips by opening TCP connections: any host with an open, or an honestly closed, port
// answers, and no privilege is needed.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "facts/path_test.h"

namespace slowpath::probe {

struct ConnectOptions {
  std::uint16_t port = 0;
  std::uint32_t count = 20;
  Duration wait{std::chrono::seconds(3)};         // for one connection
  Duration pause{std::chrono::milliseconds(20)};  // between them
};

/// Opens and closes connections one after the other. Gives up after three in a row without answer.
ConnectTest measure_connect(const IpAddress& target, const ConnectOptions& options);

/// What came of one attempt to connect.
enum class ConnectFate : std::uint8_t {
  connected,
  refused,
  reset,
  timed_out,
  no_local_port,
  failed
};
struct ConnectAttempt {
  ConnectFate fate = ConnectFate::failed;
  double seconds = 0;
  int error = 0;  // errno
};

/// One connection, opened and closed. `abort` closes it with RST, which leaves no TIME_WAIT here.
ConnectAttempt attempt_connect(const Endpoint& target, Duration wait, bool abort);

}  // namespace slowpath::probe
