// SPDX-License-Identifier: Apache-2.0
// A transfer's table as values. traffic.h says what the keys mean; defaults are here.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "lab/settings.h"

namespace slowpath::lab {

enum class TransferKind : std::uint8_t { stream, request_response, connections, datagrams };

/// How an application sends.
struct SenderPlan {
  std::uint64_t write_size = 128 * 1024;
  double write_rate_bps = 0;            // 0: as fast as it can
  std::uint64_t write_pause_every = 0;  // bytes; 0: no pauses
  Duration write_pause{0};
  std::uint64_t sndbuf = 0;  // 0: the kernel tunes it
  bool nodelay = false, cork = false, nonblocking = false;
  std::string congestion_control;  // empty: the host's
  double cpu_share = 1;
  std::uint32_t mss = 0;
  std::uint64_t notsent_lowat = 0;
  std::uint64_t idle_after = 0;  // bytes
  Duration idle_for{0};
  Duration keepalive{0};  // probes of an idle connection, so often; whole seconds; 0: none
  bool fastopen = false;  // the client's first bytes travel in its SYN (RFC 7413)
};

/// How an application receives.
struct ReceiverPlan {
  std::uint64_t read_size = 256 * 1024;
  double read_rate_bps = 0;
  std::uint64_t stall_after = 0;  // bytes
  Duration stall_for{0};
  std::uint64_t rcvbuf = 0;  // 0: the kernel tunes it
  std::uint64_t window_clamp = 0;
  std::uint64_t abort_after = 0;  // bytes, after which the connection is reset; 0: never
  bool quickack = false;
};

struct RequestPlan {
  std::uint64_t request = 64, response = 64;
  std::uint64_t count = 100;
  Duration think{0}, pause{0};
  bool split = false;
  bool half_close = false;  // the client's FIN follows its last request
};

struct ConnectionsPlan {
  std::uint64_t count = 100, concurrent = 1;
  Duration hold{0}, interval{0};
  int backlog = 128;
  bool accept = true, reuse_port = false;
};

struct DatagramsPlan {
  std::uint64_t size = 1200, count = 1000;
  double rate_bps = 10e6;
  bool dont_fragment = false;
};

struct TransferPlan {
  std::string name;
  TransferKind kind = TransferKind::stream;
  bool to_client = true, to_server = false;
  std::uint16_t port = 5001, connect_port = 5001, source_port = 0;  // connect_port: a NAT's
  Duration start{0}, limit{0}, warm_up{0};
  std::uint64_t bytes = 0;  // each direction; 0: until the limit
  bool verify = true;
  SenderPlan sender;
  ReceiverPlan receiver;
  RequestPlan requests;
  ConnectionsPlan connections;
  DatagramsPlan datagrams;
};

std::string_view to_string(TransferKind kind);

/// Errors: usage, for a value that cannot be read or a key that this kind does not know.
Result<TransferPlan> read_transfer_plan(const std::string& name, Settings& settings);

}  // namespace slowpath::lab
