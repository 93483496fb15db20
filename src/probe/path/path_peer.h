// SPDX-License-Identifier: Apache-2.0
// This end of a path session: the far end's ports, and how it is asked. The tests that need a far
// end are in peer_*.h and take one of these.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "probe/message.h"
#include "probe/path/datagram_port.h"
#include "probe/path/path_listener.h"

namespace slowpath::probe {

class PathPeer {
 public:
  /// Sends a message over the control connection and waits for the answer of type "path".
  using Ask = std::function<Result<Json>(const Json& request, Duration timeout)>;

  /// Opens the session's ports at both ends and proves our address. Datagrams that do not pass are
  /// no failure: see has_datagrams().
  static Result<std::unique_ptr<PathPeer>> open(const IpAddress& local, const IpAddress& peer,
                                                Ask ask);

  /// Which of the first `count` datagrams of a run have come to the far end; waits until all have,
  /// at most so long. Errors: those of ask().
  Result<std::vector<bool>> came(std::uint16_t run, std::uint64_t count, Duration wait);

  /// One operation; `message` without its "type" and "op".
  Result<Json> ask(const char* op, Json message = Json::object(),
                   Duration timeout = std::chrono::seconds(5));

  [[nodiscard]] DatagramPort& datagrams() { return *datagrams_; }
  /// Small datagrams came back.
  [[nodiscard]] bool has_datagrams() const { return rtt_s_ > 0; }
  /// The median of a few small datagrams' round trips; 0 where none came back.
  [[nodiscard]] double rtt_s() const { return rtt_s_; }
  /// What a wait for one answer should be.
  [[nodiscard]] Duration settle_time() const { return from_seconds(0.15 + 3 * rtt_s_); }
  [[nodiscard]] std::uint16_t next_run() { return ++run_; }
  /// MTU of the far end's interface; 65535 where it does not say.
  [[nodiscard]] std::uint32_t interface_mtu_bytes() const { return interface_mtu_bytes_; }
  [[nodiscard]] std::uint16_t tcp_port() const { return tcp_port_; }
  [[nodiscard]] const IpAddress& address() const { return peer_; }

  struct Connection {
    Descriptor socket;
    std::uint16_t local_port = 0;
  };
  /// A further connection, its purpose told.
  Result<Connection> connect(PathUse use);

  /// `count` small echo requests, so many a second; their round trips in seconds, in order.
  std::vector<double> echo(std::uint32_t count, double per_second,
                           const std::atomic<bool>* stop = nullptr);

 private:
  PathPeer(const IpAddress& peer, Ask ask) : peer_(peer), ask_(std::move(ask)) {}
  IpAddress peer_;
  Ask ask_;
  std::unique_ptr<DatagramPort> datagrams_;
  std::uint64_t token_ = 0;
  std::uint16_t tcp_port_ = 0, run_ = 0;
  std::uint32_t interface_mtu_bytes_ = 65535;
  double rtt_s_ = 0;
  friend class PeerSizeProbe;
};

}  // namespace slowpath::probe
