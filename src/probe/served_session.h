// SPDX-License-Identifier: Apache-2.0
// What the server gives to whoever answers a request: the control connection, the limits, and the
// further connections of the session.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/address.h"
#include "probe/channel.h"
#include "probe/file_content.h"

namespace slowpath::probe {

/// What a server allows. Every one is there so that no client can cost more than was meant.
struct ServerLimits {
  std::size_t clients = 64;                      // sessions at once
  std::size_t waiting = 2048;                    // connections that have not proved themselves yet
  std::size_t streams = 128;                     // of one transfer
  double rate_bps = 0;                           // of one session, each way; 0 = no limit
  Duration transfer = std::chrono::minutes{5};   // of one transfer
  Duration handshake = std::chrono::seconds{5};  // until a connection has proved itself
  Duration idle = std::chrono::seconds{60};      // of a session between requests
  std::size_t block_bytes = std::size_t{4} << 20U;
};

/// Streams that arrived for a session, handed from the accepting thread to the session's own.
class StreamInbox {
 public:
  static constexpr std::size_t kMost = 256;
  /// False (and the connection is closed) when too many wait already.
  bool put(std::uint16_t number, Descriptor socket);
  /// The stream of that number, however long ago it came. Kind network after `timeout`.
  Result<Descriptor> take(std::uint16_t number, Duration timeout);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::uint16_t, Descriptor>> streams_;
};

/// Lives as long as the session; used by its thread alone.
struct ServedSession {
  Channel& control;
  StreamInbox& inbox;
  const ServerLimits& limits;
  Endpoint client;
  const std::atomic<bool>& stop;  // the server is being ended
  ContentInbox content = {};      // what the client gave to be sent
};

/// Answers one request; the error ends the session. What the client did wrong, or what cannot be
/// done, is answered by an error_message() and is no error here.
using RequestHandler = Result<void> (*)(ServedSession& session, const Json& request);

struct RequestKind {
  std::string_view type;
  RequestHandler answer = nullptr;
};

/// All kinds of request, the list that request_kinds.cc holds.
std::span<const RequestKind> all_request_kinds();

}  // namespace slowpath::probe
