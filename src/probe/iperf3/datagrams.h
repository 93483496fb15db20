// SPDX-License-Identifier: Apache-2.0
// UDP streams of iperf3: how one is begun, the header in front of each datagram, and what the
// numbers in it say of loss, order and jitter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/iperf3.h"
#include "probe/iperf3/parameters.h"
#include "probe/socket.h"
#include "probe/transfer.h"

namespace slowpath::probe::iperf3 {

/// Stamps the time and the number: seconds, microseconds and count, each of 32 bits in network
/// order; 64 for the count where both ends agreed.
class DatagramSource final : public BlockSource {
 public:
  explicit DatagramSource(bool wide_counters) : wide_(wide_counters) {}
  void fill(std::span<std::byte> block, std::uint64_t offset) override;
  [[nodiscard]] std::uint64_t packets() const { return packets_; }

 private:
  bool wide_;
  std::uint64_t packets_ = 0;
};

class DatagramSink final : public BlockSink {
 public:
  explicit DatagramSink(bool wide_counters) : wide_(wide_counters) {}
  void take(Bytes bytes, std::uint64_t offset) override;
  [[nodiscard]] const Iperf3Datagrams& counts() const { return counts_; }

 private:
  bool wide_;
  Iperf3Datagrams counts_;
  std::optional<double> transit_s_;
};

/// A client's stream: a connected socket whose server has answered, between the same addresses as
/// `control` and over the same interface (`device`; empty: any). Errors: nobody answers (network),
/// the port or the interface cannot be had. `local_port` 0: any.
Result<Descriptor> connect_udp_stream(int control, std::uint16_t local_port,
                                      const std::string& device, const SocketOptions& options,
                                      Duration timeout);

/// A server's streams, one after the other; only datagrams from `peer` are answered, so nobody else
/// can be made a target.
class UdpListener {
 public:
  /// Binds where `control` is connected. Errors: environment.
  static Result<UdpListener> bind(int control, const SocketOptions& options);
  Result<Descriptor> accept(Duration timeout);

 private:
  UdpListener(Descriptor socket, SocketAddress local, SocketAddress peer, SocketOptions options)
      : socket_(std::move(socket)), local_(local), peer_(peer), options_(std::move(options)) {}
  Descriptor socket_;
  SocketAddress local_, peer_;
  SocketOptions options_;
};

/// Asks for no fragments (IP_MTU_DISCOVER).
void forbid_fragments(int socket);

}  // namespace slowpath::probe::iperf3
