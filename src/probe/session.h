// SPDX-License-Identifier: Apache-2.0
// A client's session with `slowpath serve`: connected, proved, and ready for requests. What may be
// asked is each test's own business (docs/probe-protocol.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "probe/channel.h"
#include "probe/socket.h"

namespace slowpath::probe {

inline constexpr std::uint16_t kDefaultPort = 5202;

/// What the server allows, as far as it says so. 0: it does not.
struct SessionLimits {
  double most_s = 0;         // of a transfer
  double most_rate_bps = 0;  // each way, of all streams together
};

class Session {
 public:
  /// Connects and logs in. Fails with kind network, in words: no server, another version, a token
  /// that is missing or wrong, a server that is busy.
  static Result<Session> open(const Target& target, const std::string& secret, Duration timeout);

  [[nodiscard]] Channel& control() { return control_; }
  /// Sends a request and waits for the answer of this type.
  Result<Json> ask(const Json& request, std::string_view answer, Duration timeout);
  /// A further connection that belongs to this session, to the same address. The server hands it to
  /// the request that waits for it, by its number.
  Result<Descriptor> open_stream(std::uint16_t number, const SocketOptions& options,
                                 Duration timeout);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& server_version() const { return server_version_; }
  [[nodiscard]] const SessionLimits& limits() const { return limits_; }
  /// Which kinds of request the server knows.
  [[nodiscard]] bool knows(std::string_view kind) const;
  [[nodiscard]] const Target& target() const { return target_; }

 private:
  Session(Target target, Descriptor socket)
      : target_(std::move(target)), control_(std::move(socket)) {}
  Result<void> log_in(const std::string& secret, Duration timeout);

  Target target_;  // the address that answered
  Channel control_;
  std::string id_, server_version_;
  std::vector<std::string> kinds_;
  SessionLimits limits_;
};

}  // namespace slowpath::probe
