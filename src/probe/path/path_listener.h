// SPDX-License-Identifier: Apache-2.0
// The TCP port of a path session: takes connections of one client, each of which says with nine
// bytes (the token, then a letter) what is to be done with it. A thread of its own serves those
// that are read or echoed; those that are to be sent on are handed out.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/address.h"

namespace slowpath::probe {

/// What a connection is for.
enum class PathUse : char {
  sink = 's',  // read and dropped
  echo = 'e',  // sent back
  held = 'h',  // kept for who asks: segments, load, headers
};

/// What the client sends first.
std::vector<std::byte> path_greeting(std::uint64_t token, PathUse use);

class PathListener {
 public:
  static constexpr std::size_t kMostConnections = 256;
  static Result<std::unique_ptr<PathListener>> open(const IpAddress& local, const IpAddress& peer,
                                                    std::uint64_t token);
  ~PathListener();
  PathListener(const PathListener&) = delete;
  PathListener& operator=(const PathListener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The held connection whose client has this port, waiting for it; none if it does not come.
  std::optional<Descriptor> take(std::uint16_t client_port, Duration wait);

 private:
  struct Connection;
  PathListener(const IpAddress& peer, std::uint64_t token);
  void serve();
  void accept_all();
  /// False where the connection is done.
  bool serve_one(Connection& connection);
  bool greet(Connection& connection);

  IpAddress peer_;
  std::uint64_t token_;
  Descriptor listener_, wake_;
  std::uint16_t port_ = 0;
  std::atomic<bool> closing_{false};
  std::mutex mutex_;
  std::list<Connection> connections_;  // of the thread
  std::list<Connection> held_;         // behind the mutex
  std::thread thread_;
};

}  // namespace slowpath::probe
