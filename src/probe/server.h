// SPDX-License-Identifier: Apache-2.0
// `slowpath serve`: accepts connections, makes each prove itself within a few seconds, and gives
// every session that did a thread of its own. One thread watches all that have not: a connection
// that says nothing, speaks slowly or speaks nonsense costs a descriptor and a few bytes, until its
// time is over. Nobody is sent more than he sent before he has proved himself.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "probe/served_session.h"
#include "probe/session.h"
#include "probe/socket.h"

namespace slowpath::probe {

struct ServerConfig {
  std::string host = {};  // to listen on; empty = all addresses
  std::uint16_t port = kDefaultPort;
  IpFamily family = IpFamily::any;
  /// What clients must know. Clients on loopback need not, unless `secret_on_loopback`.
  std::string secret = {};
  bool secret_on_loopback = false;
  bool open = false;  // everybody may come: no secret is asked for
  std::string version = {};
  ServerLimits limits = {};
};

struct ServerCounters {
  std::uint64_t connections = 0;  // accepted
  std::uint64_t sessions = 0;     // that proved themselves
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;   // busy, or the wrong secret
  std::uint64_t garbled = 0;   // no preamble of ours, or no message
  std::uint64_t too_slow = 0;  // proved nothing in time
};

/// Something worth a line on a terminal: "10.0.0.1:4711: transfer".
using ServerLog = std::function<void(const std::string& line)>;

class Server {
 public:
  /// Listens. Kind usage where the configuration would make an open server unasked.
  static Result<std::unique_ptr<Server>> start(ServerConfig config, ServerLog log = {});
  virtual ~Server() = default;

  [[nodiscard]] virtual Endpoint address() const = 0;
  /// Serves until `stop`; then sessions are ended, too. Call once. Safe to stop from a signal: the
  /// flag is looked at every quarter of a second.
  virtual void run(const std::atomic<bool>& stop) = 0;
  [[nodiscard]] virtual ServerCounters counters() const = 0;
};

}  // namespace slowpath::probe
